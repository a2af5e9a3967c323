#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# The output of dpdk-vduse-blk at start: exactly one line for each device. With -v, or with EAL's
# --log-level, the messages of EAL too.
. "$(dirname "$0")/disk.sh"
EAL_ARGS="--in-memory -m 128"

devices=(--device "disk0,backend=ram,size=1M,transport=vhost-user,socket=$sock"
	--device "disk1,backend=ram,size=1M,transport=vhost-user,socket=$work/y.sock")

# served ARGUMENTS...: both devices are there.
served()
{
	start_blk_with "$@" "${devices[@]}"
	wait_for 20 grep -aq "disk1: listens at $work/y.sock" "$work/blk.log" || fail "no socket"
	stop_blk
}

step "a line for each device"
served
# The limit of locked memory is the machine's.
grep -av 'raise the limit of locked memory' "$work/blk.log" >"$work/lines"
cat "$work/lines"
[ "$(wc -l <"$work/lines")" = 2 ] || fail "not two lines"
grep -aq "disk0: listens at $sock" "$work/lines" || fail "not those of the devices"

step "a socket for a group"
devices[3]+=",socket-mode=0666,socket-group=12345"
start_blk_with "${devices[@]}"
wait_for 20 grep -aq "disk1: listens at $work/y.sock" "$work/blk.log" || fail "no socket"
[ "$(stat -c '%a' "$sock")" = 600 ] || fail "disk0: not private"
[ "$(stat -c '%a %g' "$work/y.sock")" = "666 12345" ] || fail "disk1: not as it says"
stop_blk

step "-v"
served -v
grep -aq '^EAL: Detected' "$work/blk.log" || fail "EAL says nothing"

step "--log-level"
EAL_ARGS+=" --log-level=lib.eal:info"
served
grep -aq '^EAL: Detected' "$work/blk.log" || fail "EAL says nothing"
ok
