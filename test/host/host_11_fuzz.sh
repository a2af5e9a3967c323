#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# Random clients of a disk's socket for FUZZ_SECONDS, default 5; then a normal driver is served.
# FUZZ_SEED repeats a run, as far as timing permits.
. "$(dirname "$0")/disk.sh"

serve_image queues=2,in-order=1,backend=fault,under=file
seconds=${FUZZ_SECONDS:-5}
timeout $((seconds + 30)) "$(dirname "$0")/fuzz.py" "$sock" "$blk_pid" "$seconds" \
	"${FUZZ_SEED:-$RANDOM}" 2>"$work/fuzz.log" || fail "see the log"
blk_alive || fail "it died"
check_served
stop_blk
ok
