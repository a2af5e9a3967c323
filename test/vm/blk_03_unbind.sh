#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# The driver is unbound with requests in flight, and bound again; the process stops with requests in
# flight; a read-only disk, one that grows and shrinks, and one whose file system is full.
. "$(dirname "$0")/blk.sh"

image=$work/disk.img

virtio_of()
{
	basename "$(ls -d /sys/bus/vdpa/devices/"$1"/virtio*)"
}

# busy DISK: I/O in the background until the disk goes.
busy()
{
	fio --name=busy --filename="$1" --direct=1 --ioengine=libaio --rw=randrw --bs=4k --iodepth=32 \
		--time_based --runtime=60 >"$work/busy.out" 2>&1 &
	busy_pid=$!
	sleep 1
}

end_busy()
{
	wait_for 30 eval "! kill -0 $busy_pid" || fail "I/O hangs"
	wait $busy_pid || true
}

check_disk()
{
	fio --name=check --filename="$1" --direct=1 --ioengine=libaio --rw=randwrite --bs=4k \
		--iodepth=16 --size=4M --verify=crc32c --verify_fatal=1 --output="$work/check.out" ||
		fail "fio: $(cat "$work/check.out")"
}

size_is()
{
	[ "$(blockdev --getsize64 "$1")" = "$2" ]
}

load_modules vduse virtio_vdpa virtio_blk
truncate -s 64M "$image"
start_blk "disk0,backend=file,path=$image,attach=virtio,queues=2"
disk=$(wait_disk disk0)

step "unbound under I/O and bound again, 5 times"
for _ in $(seq 5); do
	busy "$disk"
	virtio=$(virtio_of disk0)
	echo "$virtio" >/sys/bus/virtio/drivers/virtio_blk/unbind
	end_busy
	echo "$virtio" >/sys/bus/virtio/drivers/virtio_blk/bind
	disk=$(wait_disk disk0)
	check_disk "$disk"
done
[ "$(summary | counter 'in flight')" = 0 ] || fail "requests are left"

step "it grows and shrinks while it is used"
busy "$disk"
truncate -s 96M "$image"
kill -HUP "$blk_pid"
wait_for 5 size_is "$disk" $((96 << 20)) || fail "$(blockdev --getsize64 "$disk") bytes"
kill $busy_pid
end_busy
dd if=/dev/urandom of="$work/tail" bs=1M count=1 status=none
dd if="$work/tail" of="$disk" bs=1M seek=95 oflag=direct status=none
tail -c 1M "$image" | cmp "$work/tail" - || fail "the new end is not written"
truncate -s 64M "$image"
kill -HUP "$blk_pid"
wait_for 5 size_is "$disk" $((64 << 20)) || fail "$(blockdev --getsize64 "$disk") bytes"
check_disk "$disk"

step "stopped under I/O: what is in flight is finished"
busy "$disk"
stop_blk
end_busy
check_nothing_left

step "read-only"
start_blk "disk0,backend=file,path=$image,attach=virtio,ro=1"
disk=$(wait_disk disk0)
[ "$(blockdev --getro "$disk")" = 1 ] || fail "the kernel takes it for writable"
! dd if=/dev/zero of="$disk" bs=4k count=1 oflag=direct 2>/dev/null || fail "it can be written"
cmp "$image" "$disk" || fail "image and disk differ"
stop_blk
check_nothing_left

step "a full file system below: errors, and no more than that"
mkdir -p /mnt/small
mount -t tmpfs -o size=8M tmpfs /mnt/small
truncate -s 32M /mnt/small/disk.img
start_blk "disk0,backend=file,path=/mnt/small/disk.img,attach=virtio"
disk=$(wait_disk disk0)
! dd if=/dev/urandom of="$disk" bs=64k count=512 oflag=direct 2>"$work/dd.out" ||
	fail "more was written than there is room for"
grep -qi 'input/output error\|no space' "$work/dd.out" || fail "$(cat "$work/dd.out")"
[ "$(summary | counter io-errors)" -gt 0 ] || fail "no error is counted"
blkdiscard "$disk"
dd if=/dev/urandom of="$disk" bs=64k count=64 oflag=direct status=none || fail "it does not recover"
cmp /mnt/small/disk.img "$disk" || fail "image and disk differ"
rm /mnt/small/disk.img
dd if="$disk" of=/dev/null bs=64k iflag=direct status=none || fail "a removed file cannot be read"
stop_blk

step "a backend that fails now and then: the driver is told, and goes on"
start_blk "disk0,backend=fault,under=ram,size=16M,fail-every=50,attach=virtio"
disk=$(wait_disk disk0)
fio --name=errors --filename="$disk" --direct=1 --ioengine=libaio --rw=randrw --bs=4k --iodepth=16 \
	--size=8M --continue_on_error=all --output="$work/errors.out" || true
grep -q 'total=' "$work/errors.out" || fail "$(cat "$work/errors.out")"
[ "$(summary | counter io-errors)" -gt 10 ] || fail "no errors"
[ "$(summary | counter 'in flight')" = 0 ] || fail "requests are left"
stop_blk
check_nothing_left
ok
