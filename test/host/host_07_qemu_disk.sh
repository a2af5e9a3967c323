#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# QEMU's vhost-user block device: two disks of a Linux guest, one in memory, one in a file that
# is looked at from this side when the guest is gone.
disk_memory=256
. "$(dirname "$0")/disk.sh"

run=$(dirname "$0")/../vm/run
truncate -s 128M "$image"

step "two sockets, and a virtual machine with a disk at each"
start_blk \
	"disk0,transport=vhost-user,socket=$work/0.sock,backend=ram,size=64M,queues=2" \
	"disk1,transport=vhost-user,socket=$work/1.sock,backend=file,path=$image,serial=file"
wait_for 20 test -S "$work/1.sock" || fail "no socket"
code=0
"$run" --timeout 200 --mem 2G --log "$DPDK_VDUSE_BUILD/vm/host_07_qemu_disk" \
	--disk "$work/0.sock,num-queues=2" --disk "$work/1.sock,num-queues=1" \
	"$(dirname "$0")/qemu_disk_guest.sh" || code=$?
[ "$code" != 77 ] || skip "no virtual machine"
[ "$code" = 0 ] || fail "in the virtual machine: exit code $code"

for word in off on; do
	grep -aq "disk1: the driver switched the write cache $word" "$work/blk.log" ||
		fail "the write cache was not switched $word"
done
step "the file system that the guest made is clean"
e2fsck -fn "$image" >"$work/fsck.out" 2>&1 || fail "e2fsck: $(cat "$work/fsck.out")"
summary >"$work/summary"
for kind in io-errors bad-requests bad-descriptors 'in flight'; do
	[ "$(counter "$kind" <"$work/summary")" = 0 ] || fail "$kind: $(cat "$work/summary")"
done
stop_blk
ok
