#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# FLUSH, DISCARD and WRITE_ZEROES of 2 GiB on a disk of 9 TiB: reads in the same queue, in another
# queue and of another disk on the same core do not wait for them. First on a file, with measured
# times; then on a file system that holds the long requests back until the reads have finished.
. "$(dirname "$0")/disk.sh"
need python3
need losetup
for node in /dev/fuse /dev/loop-control; do
	[ -c "$node" ] || skip "*** $node is missing: nothing was tested"
done
holder=
loop=
at_end()
{
	[ -z "$holder" ] || kill "$holder" 2>/dev/null || true
	[ -z "$blk_pid" ] || kill -9 "$blk_pid" 2>/dev/null || true
	[ -z "$loop" ] || losetup -d "$loop" || true
	at_exit
}
trap at_end EXIT
script=$(dirname "$0")/long_requests.py
other=$work/y.sock
limit=$((140 * ${VM_PATIENCE:-1}))

# serve DIRECT PATH: as a disk with two queues, and another disk beside it.
serve()
{
	rm -f "$work/other.img"
	truncate -s 256M "$work/other.img"
	start_blk "disk0,transport=vhost-user,socket=$sock,backend=file,path=$2,queues=2,direct=$1" \
		"disk1,transport=vhost-user,socket=$other,backend=file,path=$work/other.img"
	wait_for 20 grep -aq "listens at $other" "$work/blk.log" || fail "no socket"
}

# hold MODE: the image becomes a disk whose long requests are held.
hold()
{
	rm -f "$image"
	: >"$image"
	timeout "$limit" python3 "$script" "$1" "$sock" "$other" "$image" >"$work/held.log" 2>&1 &
	holder=$!
	wait_for 20 grep -q '^mounted' "$work/held.log" || fail "$(cat "$work/held.log")"
}

held()
{
	wait "$holder" || fail "$(cat "$work/held.log")"
	holder=
	grep -e '^--' "$work/held.log"
	stop_blk
}

truncate -s 9T "$image" || skip "*** $work is on a file system without files of 9 TiB"
for direct in 0 1; do
	step "a file of $(stat -f -c %T "$work"), direct=$direct"
	serve $direct "$image"
	timeout "$limit" python3 "$script" measure "$sock" "$other" "$image" "$blk_pid" ||
		fail "see above"
	stop_blk
done

for direct in 0 1; do
	step "a file system that holds them, direct=$direct"
	hold held
	serve $direct "$image"
	held
done

for direct in 0 1; do
	step "a block device that holds them, direct=$direct"
	hold device
	loop=$(losetup --find --show "$image")
	serve $direct "$loop"
	held
	losetup -d "$loop"
	loop=
done
ok
