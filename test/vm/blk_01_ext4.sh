#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# Two disks of this kernel, one in memory and one in a file: a file system, verified I/O of many
# sizes, and a check of the image from the host side.
. "$(dirname "$0")/blk.sh"

image=$work/disk.img

step "two disks appear"
load_modules vduse virtio_vdpa virtio_blk
truncate -s 256M "$image"
start_blk "ram0,backend=ram,size=64M,attach=virtio" \
	"file0,backend=file,path=$image,attach=virtio,serial=a-serial-number"
ram=$(wait_disk ram0)
file=$(wait_disk file0)
[ "$(blockdev --getsize64 "$ram")" = $((64 << 20)) ] || fail "$ram has another size"
[ "$(blockdev --getsize64 "$file")" = $((256 << 20)) ] || fail "$file has another size"
serial=$(cat "/sys/block/$(basename "$file")/serial")
[ "$serial" = a-serial-number ] || fail "the serial number is $serial"

step "no thread waits for its own disk when memory is short"
# PF_MEMALLOC_NOIO and PF_LOCAL_THROTTLE, which PR_SET_IO_FLUSHER sets.
flusher=$((0x00080000 | 0x00100000))
for stat in /proc/"$blk_pid"/task/*/stat; do
	flags=$(sed 's/.*) //' "$stat" | cut -d ' ' -f 7)
	[ $((flags & flusher)) = $flusher ] || fail "$stat: flags $(printf %#x "$flags")"
done
[ "$(sed -n 's/^VmLck:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$blk_pid/status")" -gt 0 ] ||
	fail "it does not keep its memory"

step "verified writes and reads, 512 bytes to 1 MiB"
for disk in "$ram" "$file"; do
	fio --name=sizes --filename="$disk" --direct=1 --ioengine=libaio --rw=randwrite \
		--bsrange=512-1M --bs_unaligned=0 --blockalign=512 --size=48M --io_size=48M --iodepth=16 \
		--verify=crc32c --do_verify=1 --verify_fatal=1 --randrepeat=0 --output="$work/fio.out" ||
		fail "fio on $disk: $(cat "$work/fio.out")"
	grep -E 'READ:|WRITE:' "$work/fio.out"
done

step "ext4: files survive, and the image is clean"
mkfs.ext4 -q -F "$file"
mkdir -p /mnt/disk
mount "$file" /mnt/disk
head -c 64M /dev/urandom >/mnt/disk/random
sum=$(sha256sum </mnt/disk/random)
umount /mnt/disk
e2fsck -fn "$image" >"$work/fsck.out" 2>&1 || fail "e2fsck: $(cat "$work/fsck.out")"
mount "$file" /mnt/disk
[ "$(sha256sum </mnt/disk/random)" = "$sum" ] || fail "the file has changed"
umount /mnt/disk
cmp "$image" "$file" || fail "image and disk differ"

step "the summary counts"
summary | tee "$work/summary" | head -n 4
[ "$(counter read <"$work/summary")" -gt 100 ] || fail "no reads"
[ "$(counter io-errors <"$work/summary")" = 0 ] || fail "I/O errors"
[ "$(counter bad-requests <"$work/summary")" = 0 ] || fail "bad requests"

step "a clean stop"
stop_blk
check_nothing_left
ok
