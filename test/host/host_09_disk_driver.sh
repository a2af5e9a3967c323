#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# The project's own driver at a vhost-user socket: every request type, with both ring formats, out
# of order and in order, on a file whose requests finish in any order. Then requests with one
# descriptor of 32 MiB, eight times the largest announced segment, on files and in memory.
. "$(dirname "$0")/disk.sh"

# check_large DEVARGS [IMAGE]
check_large()
{
	step "one descriptor of 32 MiB: $1"
	start_blk "disk0,transport=vhost-user,socket=$sock,$1"
	wait_for 20 grep -aq "listens at $sock" "$work/blk.log" || fail "no socket"
	"$(dirname "$0")/blk_large.py" "$sock" "${@:2}" 2>"$work/check.log" || fail "see the log"
	summary >"$work/summary"
	for kind in io-errors bad-descriptors 'in flight'; do
		[ "$(counter "$kind" <"$work/summary")" = 0 ] || fail "$kind: $(cat "$work/summary")"
	done
	stop_blk
}

serve_image in-order=1,backend=fault,under=file,delay=200
check_served
stop_blk

truncate -s 72M "$image"
check_large "backend=file,path=$image" "$image"
check_large "backend=file,path=$image,direct=1" "$image"
check_large backend=ram,size=72M
check_large "backend=fault,under=file,path=$image,delay=200" "$image"
ok
