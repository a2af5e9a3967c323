#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# The file system of an image fills up while fio writes a disk of two queues with on-error=wait. It is
# enlarged and the disk goes on: fio sees no error and no wrong byte, and the kernel says nothing. Then
# ext4 on the disk does the same.
. "$(dirname "$0")/blk.sh"

export DPDK_VDUSE_RUN_DIR=$work/run
control=$work/control.sock
small=$work/small
ctl=$DPDK_VDUSE_BUILD/app/ctl/dpdk-vduse-ctl
processors=$(nproc --all)
[ "$processors" -ge 3 ] ||
	fail "$processors processors: fio needs one beside those that poll; use --cpus 3 or more"

go_on()
{
	"$ctl" --socket "$control" go-on disk0 || fail "go-on: exit code $?"
}

# times_held: how often the disk has begun to hold requests.
times_held()
{
	grep -ac 'its backend failed (No space left on device)' "$work/blk.log" || true
}

# stands TIMES: it holds requests for that time, and nothing moves.
stands()
{
	local before
	wait_for 90 eval "[ \$(times_held) -ge $1 ]" || fail "it does not hold requests: $(cat "$work/load.out")"
	sleep 2
	before=$(finished "$disk")
	sleep 1
	[ "$(finished "$disk")" = "$before" ] || fail "requests are finished"
	[ "$(times_held)" = "$1" ] || fail "held $(times_held) times, not $1"
	kill -0 "$load" 2>/dev/null || fail "the load ended: $(cat "$work/load.out")"
}

enlarge()
{
	mount -o "remount,size=$1" "$small" || fail "remount of $small"
	go_on
}

# loaded: the load ended well.
loaded()
{
	local code=0
	wait_for 90 eval "! kill -0 $load" || fail "the load hangs: $(cat "$work/load.out")"
	wait "$load" || code=$?
	[ "$code" = 0 ] || fail "exit code $code: $(cat "$work/load.out")"
}

load_modules vduse virtio_vdpa virtio_blk
mkdir -p "$small"
mount -t tmpfs -o size=3M tmpfs "$small"
truncate -s 64M "$small/disk.img"
dmesg --clear
start_blk_with --control "$control" --device \
	"disk0,attach=virtio,queues=2,backend=file,direct=0,path=$small/disk.img,on-error=wait"
disk=$(wait_disk disk0)

step "fio writes 8 MiB on two queues where there is room for 3"
taskset -c "0,2-$((processors - 1))" fio --name=full --filename="$disk" --direct=1 \
	--ioengine=libaio --numjobs=2 --size=4M --offset_increment=32M --rw=randwrite \
	--bssplit=16k/50:64k/50 --iodepth=16 --verify=crc32c --verify_fatal=1 \
	--randrepeat=0 --group_reporting --output="$work/load.out" &
load=$!
stands 1
go_on
stands 2
enlarge 16M
loaded

step "ext4 writes and syncs 24 MiB where there is room for less"
blkdiscard "$disk"
mkfs.ext4 -q -F -E nodiscard "$disk"
mkdir -p /mnt/disk
mount "$disk" /mnt/disk
head -c 24M /dev/urandom >"$work/random"
(cp "$work/random" /mnt/disk/random && sync -f /mnt/disk/random) >"$work/load.out" 2>&1 &
load=$!
stands 3
enlarge 80M
loaded
umount /mnt/disk
mount "$disk" /mnt/disk
cmp "$work/random" /mnt/disk/random || fail "the file has changed"
umount /mnt/disk
fsck.ext4 -fn "$disk" >"$work/fsck.out" 2>&1 || fail "fsck: $(cat "$work/fsck.out")"

step "neither the counters nor the kernel know of an error"
summary >"$work/summary"
[ "$(counter io-errors <"$work/summary")" = 0 ] || fail "$(cat "$work/summary")"
[ "$(counter 'in flight' <"$work/summary")" = 0 ] || fail "$(cat "$work/summary")"
[ "$(grep -c 'queue [0-9]*: .*write [1-9]' "$work/summary")" = 2 ] ||
	fail "not both queues were used: $(cat "$work/summary")"
! dmesg | grep -iE 'i/o error|critical|EXT4-fs (error|warning)|aborted|blocked for more' ||
	fail "the kernel complains"
stop_blk
umount "$small"
check_nothing_left
ok
