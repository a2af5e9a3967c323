#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# One request at a time from a driver without event indices that sleeps until it is called: no call
# is lost, in either ring format. DEPTH_1_SECONDS for each, default 3.
. "$(dirname "$0")/disk.sh"
need python3

truncate -s 1M "$image"
start_blk "disk0,transport=vhost-user,socket=$sock,backend=file,path=$image,in-order=1"
wait_for 20 test -S "$sock" || fail "no socket"
"$(dirname "$0")/depth_1.py" "$sock" "${DEPTH_1_SECONDS:-3}" || fail "see above"
stop_blk
ok
