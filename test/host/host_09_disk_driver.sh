#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Our own driver at a vhost-user socket: every request, both ring formats, in whichever order
# and in order, on a file whose requests finish in any order.
. "$(dirname "$0")/host.sh"
EAL_ARGS="--in-memory -m 128"
# shellcheck source=test/vm/blk.sh
. "$(dirname "$0")/../vm/blk.sh"
trap '[ -z "$blk_pid" ] || kill -9 "$blk_pid" 2>/dev/null || true; at_exit' EXIT
export DPDK_VDUSE_RUN_DIR=$work/run

truncate -s 1M "$work/disk.img"
start_blk "disk0,transport=vhost-user,socket=$sock,in-order=1,backend=fault,under=file,path=$work/disk.img,delay=200"
wait_for 20 test -S "$sock" || fail "no socket"
timeout 100 "$(dirname "$0")/blk_check.py" "$sock" "$work/disk.img" disk0 2>"$work/check.log" ||
	fail "see the log"
stop_blk
ok
