#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# Several queues under fio: reads, writes, trims and flushes mixed, every block checked, in small
# and large pieces; with O_DIRECT and without on our side; xfs on top.
#
# The kernel takes no more queues than it has processors; one of them polls, the
# others do I/O.
. "$(dirname "$0")/blk.sh"

image=$work/disk.img
jobs=4
processors=$(nproc --all)

# verified NAME FIO_ARGS...: fio on the disk, each job in its own part of it.
verified()
{
	local name=$1
	shift
	taskset -c "0,2-$((processors - 1))" fio --name="$name" --filename="$disk" --direct=1 \
		--ioengine=libaio --numjobs=$jobs --size=$((size_mb / jobs))M \
		--offset_increment=$((size_mb / jobs))M --iodepth=16 \
		--verify=crc32c --verify_fatal=1 --randrepeat=0 --group_reporting --output="$work/fio.out" \
		"$@" || fail "fio $name: $(cat "$work/fio.out")"
	grep -E 'READ:|WRITE:|TRIM:' "$work/fio.out" | sed 's/(.*//'
}

used_queues()
{
	summary | grep -c 'queue [0-9]*: read [1-9]'
}

# on_disk SIZE_MB DEVARGS: everything on one kind of disk.
on_disk()
{
	size_mb=$1
	step "$2"
	start_blk "disk0,attach=virtio,queues=8,$2"
	disk=$(wait_disk disk0)
	[ "$(find "/sys/block/$(basename "$disk")/mq" -mindepth 1 -maxdepth 1 | wc -l)" = "$processors" ] ||
		fail "not $processors queues"
	verified small --rw=randrw --bssplit=512/20:1k/20:4k/40:8k/20 --io_size=2M
	verified large --rw=randwrite --bssplit=64k/40:256k/30:512k/20:1m/10 --io_size=8M
	verified sync --rw=randwrite --bs=4k --io_size=512k --fsync=8
	verified trim --rw=randtrimwrite --bs=4k --io_size=512k
	[ "$(used_queues)" -ge $((processors - 1)) ] || fail "only $(used_queues) queues were used"
	summary >"$work/summary"
	for kind in read write flush discard; do
		[ "$(counter $kind <"$work/summary")" -gt 0 ] || fail "no $kind"
	done
	for kind in io-errors bad-requests unsupported bad-descriptors 'in flight'; do
		[ "$(counter "$kind" <"$work/summary")" = 0 ] || fail "$kind: $(cat "$work/summary")"
	done
}

load_modules vduse virtio_vdpa virtio_blk
on_disk 64 backend=ram,size=64M
stop_blk
check_nothing_left

truncate -s 320M "$image"
on_disk 320 "umem=1,backend=file,path=$image,direct=1"
[ "$(pinned_queues)" = "$processors" ] || fail "bounce memory pinned by $(pinned_queues) queues"
step "xfs"
modprobe xfs
mkfs.xfs -q -f "$disk"
mkdir -p /mnt/disk
mount "$disk" /mnt/disk
head -c 32M /dev/urandom >/mnt/disk/random
sum=$(sha256sum </mnt/disk/random)
rm -f /mnt/disk/gone
fstrim /mnt/disk
umount /mnt/disk
xfs_repair -n "$disk" >"$work/repair.out" 2>&1 || fail "xfs_repair: $(cat "$work/repair.out")"
mount "$disk" /mnt/disk
[ "$(sha256sum </mnt/disk/random)" = "$sum" ] || fail "the file has changed"
umount /mnt/disk
cmp "$image" "$disk" || fail "image and disk differ"
stop_blk
check_nothing_left
ok
