#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# The process of a disk is killed with requests in flight and started again with other arguments.
# Its client keeps the features and queues that it negotiated, whatever the new arguments are.
. "$(dirname "$0")/disk.sh"
EAL_ARGS="--in-memory -m 128"

common="disk0,transport=vhost-user,socket=$sock,backend=fault,under=file,path=$image,delay=400000"

# go_on RING FIRST SECOND: starts with the devargs FIRST, then with SECOND
go_on()
{
	step "$1: $2, then $3"
	rm -rf "$image" "$work/run"
	truncate -s 1M "$image"
	timeout 100 "$(dirname "$0")/blk_args.py" "$1" "$sock" "$common,$2" "$common,$3" \
		"$BLK" -l "$LCORES" --no-pci --no-telemetry --in-memory -m 128 -- --device \
		>"$work/blk.log" 2>&1 || fail "see the log"
	# Its client brings rings of the sizes that it likes, so that alone is no news.
	[[ $3 == queue-size=* ]] || grep -a 'goes on as its driver has it' "$work/blk.log" || fail "not one word of it"
	grep -a 'were in flight, taken again' "$work/blk.log" || fail "nothing was in flight"
}

go_on packed packed=1 packed=0
go_on split,in-order packed=0,in-order=1 in-order=0
go_on packed,in-order packed=1,in-order=1 packed=0,in-order=0
go_on packed queues=4 queues=1
go_on split queues=1 queues=4
go_on split queue-size=256 queue-size=16
go_on split queue-size=16 queue-size=256
go_on packed queue-size=64 queue-size=128
go_on packed queue-size=16,queues=2 packed=0,queue-size=256,queues=1
ok
