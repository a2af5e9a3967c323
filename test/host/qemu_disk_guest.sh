#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# The guest part of host_07_qemu_disk: verified I/O on two disks, a file system on the second.
. "$(dirname "$0")/../vm/guest.sh"

load_modules virtio_blk
wait_for 10 test -b /dev/vdb || fail "no disks"
[ "$(cat /sys/block/vdb/serial)" = file ] || fail "the serial number is $(cat /sys/block/vdb/serial)"
for disk in /dev/vda /dev/vdb; do
	step "$disk: verified I/O"
	fio --name=check --filename=$disk --direct=1 --ioengine=libaio --rw=randrw --iodepth=32 \
		--bssplit=512/20:4k/60:64k/20 --size=48M --io_size=16M --verify=crc32c \
		--verify_fatal=1 --randrepeat=0 --output="$work/fio.out" || fail "$(cat "$work/fio.out")"
	grep -E 'READ:|WRITE:' "$work/fio.out"
done
step "without a write cache"
echo "write through" >/sys/block/vdb/cache_type
[ "$(cat /sys/block/vdb/cache_type)" = "write through" ] || fail "$(cat /sys/block/vdb/cache_type)"
dd if=/dev/urandom of=/dev/vdb bs=64k count=64 oflag=direct status=none
echo "write back" >/sys/block/vdb/cache_type
step "a file system, and the driver away and back"
mkfs.ext4 -q -F /dev/vdb
mkdir -p /mnt/disk
mount /dev/vdb /mnt/disk
head -c 16M /dev/urandom >/mnt/disk/random
sum=$(sha256sum </mnt/disk/random)
umount /mnt/disk
device=$(basename "$(readlink -f /sys/block/vdb/device)")
echo "$device" >/sys/bus/virtio/drivers/virtio_blk/unbind
echo "$device" >/sys/bus/virtio/drivers/virtio_blk/bind
wait_for 10 test -b /dev/vdb || fail "the disk did not come back"
mount /dev/vdb /mnt/disk
[ "$(sha256sum </mnt/disk/random)" = "$sum" ] || fail "the file has changed"
umount /mnt/disk
ok
