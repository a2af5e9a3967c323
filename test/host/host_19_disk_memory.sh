#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# Memory that is added and removed, and a queue that stops, with requests in flight on a slow disk:
# the requests finish before the answer, and no byte is written after it. Both ring formats.
. "$(dirname "$0")/disk.sh"

delay=40000
start_blk "disk0,transport=vhost-user,socket=$sock,backend=fault,under=ram,size=1M,late=1,delay=$delay"
wait_for 20 grep -aq "listens at $sock" "$work/blk.log" || fail "no socket"
for ring in split packed; do
	step "$ring ring"
	timeout 100 "$(dirname "$0")/blk_memory.py" "$ring" "$sock" $((2 * delay / 1000 + 50)) ||
		fail "see above"
done
summary >"$work/summary"
for kind in io-errors bad-requests bad-descriptors 'in flight'; do
	[ "$(counter "$kind" <"$work/summary")" = 0 ] || fail "$kind: $(cat "$work/summary")"
done
stop_blk
ok
