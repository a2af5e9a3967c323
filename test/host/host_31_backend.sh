#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# The backend of examples/pattern, a shared object that dpdk-vduse-blk loads: its disk reads as the
# example says, in both ring formats, and its arguments are its own.
. "$(dirname "$0")/disk.sh"

plugin=$DPDK_VDUSE_BUILD/examples/librte_vduse_blk_pattern.so

step "it is loaded and read"
EAL_ARGS="$EAL_ARGS -d $plugin"
start_blk "disk0,transport=vhost-user,socket=$sock,backend=pattern,size=8M"
wait_for 20 grep -aq "listens at $sock" "$work/blk.log" || fail "no socket: $(cat "$work/blk.log")"
timeout 60 "$(dirname "$0")/pattern_check.py" "$sock" $((8 << 20)) || fail "it reads otherwise"
stop_blk

step "its arguments"
for args in "size=1000" "colour=red"; do
	code=0
	start_blk "disk0,transport=vhost-user,socket=$sock,backend=pattern,$args"
	wait "$blk_pid" || code=$?
	blk_pid=''
	[ "$code" = 1 ] || fail "$args: exit code $code"
	grep -a "disk0: ${args%=*}: use size=" "$work/blk.log" || fail "$args: $(cat "$work/blk.log")"
done

step "without it"
EAL_ARGS=${EAL_ARGS% -d *}
code=0
start_blk "disk0,transport=vhost-user,socket=$sock,backend=pattern,size=8M"
wait "$blk_pid" || code=$?
blk_pid=''
[ "$code" = 1 ] || fail "exit code $code"
grep -a "backend=pattern: use null, ram" "$work/blk.log" || fail "$(cat "$work/blk.log")"
ok
