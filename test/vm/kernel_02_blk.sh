#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# virtio_blk of this kernel on qemu-storage-daemon: a file system, verified I/O of small and
# large blocks, the driver unbound and bound, a small bounce region.
. "$(dirname "$0")/guest.sh"
. "$(dirname "$0")/kernel_guest.sh"
. "$(dirname "$0")/blk_guest.sh"

# stretches: how many stretches of bounce memory the traced pages lie in
stretches()
{
	local iova next=0 nb=0
	sed -n 's/.*vduse_map: .* iova \(0x[0-9a-f]*\) size 4096 .*/\1/p' $tracing/trace >"$work/pages"
	while read -r iova; do
		[ $((iova)) = $next ] || nb=$((nb + 1))
		next=$((iova + 4096))
	done <"$work/pages"
	echo $nb
}

# charged GROUP: bytes of kernel memory of the control group
charged()
{
	sed -n 's/^kernel //p' "$1/memory.stat"
}

uncharged()
{
	[ "$(charged "$1")" -lt $((1 << 20)) ]
}

load_modules vduse virtio_vdpa virtio_blk
truncate -s 256M /dev/shm/disk.img
step "a block device appears"
start_qsd disk0 driver=file,filename=/dev/shm/disk.img ,num-queues=2
disk=$(attach disk0)
[ "$(cat "/sys/block/$disk/size")" = $((256 * 2048)) ] || fail "wrong size"

if [ "$VDUSE_MODULE" = ours ]; then
	step "large requests, whose pages lie anywhere, are a few stretches of bounce memory each"
	tracing=/sys/kernel/debug/tracing
	# Written page by page in any order, so that no two are neighbours.
	python3 -c 'import os, random
file = os.open("/dev/shm/buffers", os.O_RDWR | os.O_CREAT)
for page in random.sample(range(1024), 1024):
    os.pwrite(file, bytes(4096), page * 4096)'
	echo 1 >$tracing/events/vduse/vduse_map/enable
	fio --name=large --filename="/dev/$disk" --ioengine=libaio --direct=1 --rw=randread \
		--bs=128k --iodepth=8 --io_size=8M --mem=mmapshared:/dev/shm/buffers \
		--output="$work/fio.log"
	echo 0 >$tracing/events/vduse/vduse_map/enable
	rm /dev/shm/buffers
	nb=$(stretches)
	echo "   $(wc -l <"$work/pages") pages of 64 requests: $nb stretches"
	[ "$(wc -l <"$work/pages")" -ge 1024 ] || fail "the pages lay side by side already"
	# Where their order is not kept, nearly each page is one.
	[ "$nb" -le 1024 ] || fail "$nb stretches"
fi

step "a file system"
mkfs.ext4 -q "/dev/$disk"
mkdir -p /run/mnt
mount "/dev/$disk" /run/mnt
cp -r /usr/share/perl5 /run/mnt/
umount /run/mnt
fsck.ext4 -fn "/dev/$disk" >"$work/fsck.log" 2>&1 || fail "fsck"
mount "/dev/$disk" /run/mnt
diff -r /usr/share/perl5 /run/mnt/perl5 || fail "files differ"
umount /run/mnt

step "fio verifies 4 KiB random and 1 MiB sequential"
fio_verify "$disk" --rw=randwrite --bs=4k --iodepth=32 --size=24M
fio_verify "$disk" --rw=write --bs=1M --iodepth=8 --size=96M
fio_verify "$disk" --rw=randwrite --bsrange=512-64k --bs_unaligned=0 --blockalign=512 \
	--iodepth=16 --size=16M --numjobs=1

step "the driver is unbound and bound, with I/O before and after"
virtio=$(basename /sys/bus/vdpa/devices/disk0/virtio*)
for _ in 1 2 3 4 5; do
	echo "$virtio" >/sys/bus/virtio/drivers/virtio_blk/unbind
	echo "$virtio" >/sys/bus/virtio/drivers/virtio_blk/bind
	wait_for 10 disk_of disk0 || fail "no disk after bind"
	disk=$(disk_of disk0)
	fio_verify "$disk" --rw=randwrite --bs=4k --iodepth=8 --size=1M
done
detach disk0
stop_qsd

if [ "$VDUSE_MODULE" = ours ]; then
	step "bounce memory is charged to who attaches the device"
	mkdir -p /run/cgroup
	mount -t cgroup2 none /run/cgroup
	echo +memory >/run/cgroup/cgroup.subtree_control
	mkdir /run/cgroup/attach
	start_qsd disk0 driver=file,filename=/dev/shm/disk.img
	(
		echo $BASHPID >/run/cgroup/attach/cgroup.procs
		attach disk0 >/dev/null
	)
	[ "$(charged /run/cgroup/attach)" -ge $((64 << 20)) ] ||
		fail "$(charged /run/cgroup/attach) bytes are charged"
	detach disk0
	stop_qsd
	wait_for 20 uncharged /run/cgroup/attach ||
		fail "$(charged /run/cgroup/attach) bytes stay charged"
	rmdir /run/cgroup/attach
	umount /run/cgroup
fi

step "1 MiB of bounce memory: slower, no error and no loss"
start_qsd disk0 driver=file,filename=/dev/shm/disk.img ,num-queues=2
echo $((1 << 20)) >/sys/class/vduse/disk0/bounce_size
disk=$(attach disk0)
fio_verify "$disk" --rw=randwrite --bs=64k --iodepth=64 --size=32M
fio_verify "$disk" --rw=randwrite --bs=4k --iodepth=128 --size=8M
if [ "$VDUSE_MODULE" = ours ]; then
	cat /sys/kernel/debug/vduse/disk0
	grep -q 'exhausted [1-9]' /sys/kernel/debug/vduse/disk0 || fail "it was never exhausted"
	step "a read of more than all of it"
	echo 4096 >"/sys/block/$disk/queue/max_sectors_kb"
	dd "if=/dev/$disk" of=/dev/null bs=4M count=4 iflag=direct 2>"$work/dd.log" &
	dd=$!
	wait_for 20 eval "! kill -0 $dd" || fail "a read of 4 MiB does not end"
	wait $dd || fail "dd: exit code $?"
fi
detach disk0
stop_qsd
check_nothing_left
modprobe -r virtio_vdpa
rmmod vduse
check_no_leaks
ok
