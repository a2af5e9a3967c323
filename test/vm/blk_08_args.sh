#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# The process of a mounted disk is killed and started again with other arguments: the file system
# continues with what its driver negotiated, or the start is refused and the disk stays.
. "$(dirname "$0")/blk.sh"

image=$work/disk.img
mnt=$work/mnt
base="attach=virtio,backend=file,path=$image"

kill_blk()
{
	kill -9 "$blk_pid"
	wait "$blk_pid" 2>/dev/null || true
}

# goes_on DEVARGS: this start serves the mounted file system, and says what it does not change.
goes_on()
{
	step "killed, then started with $1"
	kill_blk
	start_blk "disk0,$base,$1"
	round=$((round + 1))
	timeout 60 dd if=/dev/urandom of="$mnt/file$round" bs=64k count=16 conv=fsync status=none ||
		fail "no write after a start with $1: $(cat "$work/blk.log")"
	timeout 60 sync "$mnt" || fail "sync hangs"
	grep -aq 'taken over: its driver goes on' "$work/blk.log" || fail "not taken over"
	[ "$(grep -ac 'goes on as its driver has it' "$work/blk.log")" = "$2" ] ||
		fail "not $2 lines on what stays: $(cat "$work/blk.log")"
	[ "$(disk_of disk0)" = "$(basename "$disk")" ] || fail "another disk"
}

# refused DEVARGS TEXT: this start ends with a line, and takes nothing away.
refused()
{
	local code=0
	step "killed, then refused with $1"
	kill_blk
	start_blk "disk0,$base,$1"
	wait_for 30 eval '! blk_alive' || fail "it runs with $1: $(cat "$work/blk.log")"
	wait "$blk_pid" || code=$?
	[ "$code" != 0 ] || fail "exit code 0 with $1"
	grep -aq "$2" "$work/blk.log" || fail "no word of $2: $(cat "$work/blk.log")"
	[ "$(disk_of disk0)" = "$(basename "$disk")" ] || fail "the disk is gone"
	# Nobody to kill at the next step.
	sleep 1000 &
	blk_pid=$!
}

load_modules vduse virtio_vdpa virtio_blk
for packed in 0 1; do
	round=0
	step "a mounted file system, packed=$packed"
	truncate -s 256M "$image"
	start_blk "disk0,$base,queues=2,queue-size=128,packed=$packed"
	disk=$(wait_disk disk0)
	mkfs.ext4 -q "$disk" || fail "mkfs"
	mkdir -p "$mnt"
	mount "$disk" "$mnt" || fail "mount"
	goes_on "queues=2,queue-size=128,packed=$((1 - packed))" 1
	goes_on "queues=1,queue-size=128,packed=$packed" 1
	goes_on "queues=4,queue-size=256,packed=$packed" 1
	goes_on "queues=2,queue-size=64,packed=$packed,in-order=1" 2
	goes_on "queues=2,queue-size=128,packed=$packed" 0
	refused "queues=2,queue-size=128,ro=1" 'its driver writes, and it is read-only now'
	refused "queues=2,queue-size=128,block-size=4096,direct=no" 'disk0'
	goes_on "queues=2,queue-size=128,packed=$packed" 0
	(cd "$mnt" && md5sum file* >"$work/sums")
	umount "$mnt" || fail "umount"
	mount "$disk" "$mnt" || fail "mount again"
	(cd "$mnt" && md5sum --quiet -c "$work/sums") || fail "other bytes"
	umount "$mnt"
	stop_blk
	check_nothing_left
	rm -f "$image"
done
ok
