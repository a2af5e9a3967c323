#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Random clients of a disk's socket for FUZZ_SECONDS, 5 unless set; then a driver is served as ever.
# FUZZ_SEED repeats what one run did, as far as time permits.
. "$(dirname "$0")/host.sh"
EAL_ARGS="--in-memory -m 128 --log-level lib.vhost.config:critical"
# shellcheck source=test/vm/blk.sh
. "$(dirname "$0")/../vm/blk.sh"
trap '[ -z "$blk_pid" ] || kill -9 "$blk_pid" 2>/dev/null || true; at_exit' EXIT
export DPDK_VDUSE_RUN_DIR=$work/run

truncate -s 1M "$work/disk.img"
start_blk "disk0,transport=vhost-user,socket=$sock,queues=2,in-order=1,backend=fault,under=file,path=$work/disk.img"
wait_for 20 test -S "$sock" || fail "no socket"
sleep 0.5
seconds=${FUZZ_SECONDS:-5}
timeout $((seconds + 30)) "$(dirname "$0")/fuzz.py" "$sock" "$blk_pid" "$seconds" \
	"${FUZZ_SEED:-$RANDOM}" 2>"$work/fuzz.log" || fail "see the log"
blk_alive || fail "it died"
timeout 100 "$(dirname "$0")/blk_check.py" "$sock" "$work/disk.img" disk0 2>"$work/check.log" ||
	fail "see the log"
stop_blk
ok
