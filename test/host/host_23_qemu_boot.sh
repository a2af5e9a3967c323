#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# SeaBIOS and OVMF boot from the disk, with rings of 16, 64 and 128 entries and the same announced
# size. The boot sector adds up what it reads. The UEFI application is loaded from a FAT file
# system. It copies 32 MiB of the disk with one read and one write; OVMF uses one descriptor for
# each, although the device announces 4 MiB as the largest segment.
. "$(dirname "$0")/disk.sh"
need_qemu
need mformat
OVMF=${OVMF:-/usr/share/ovmf/OVMF.fd}
[ -e "$OVMF" ] || skip "*** $OVMF is missing: nothing was tested"

# make_application: $work/boot.efi.
make_application()
{
	gcc -std=gnu11 -Wall -Wextra -Werror -Os -ffreestanding -fpic -fno-stack-protector -fno-ident \
		-fcf-protection=none -fno-asynchronous-unwind-tables -mno-red-zone \
		-c -o "$work/boot.o" "$(dirname "$0")/boot_efi.c" &&
		ld -m i386pep --subsystem 10 -e efi_main -o "$work/boot.efi" "$work/boot.o"
}

# make_disk: a file system in the first 2 MiB, which both kinds of firmware boot from.
make_disk()
{
	truncate -s 72M "$image"
	mformat -i "$image" -T 4096 ::
	mmd -i "$image" ::/EFI ::/EFI/BOOT
	mcopy -i "$image" "$work/boot.efi" ::/EFI/BOOT/BOOTX64.EFI
	"$(dirname "$0")/boot_sector.py" "$image"
}

# mib FROM: 32 MiB of the disk.
mib()
{
	dd if="$image" bs=1M skip="$1" count=32 status=none
}

# boot SIZE RAM LEGACY ARGUMENTS...: QEMU with a ring of that size, until the disk's program ends
# it. LEGACY is the device's property disable-legacy.
boot()
{
	local size=$1 ram=$2 legacy=$3 code=0
	local disk=vhost-user-blk-pci,chardev=c,num-queues=1,vectors=0,bootindex=0
	shift 3
	start_blk "disk0,transport=vhost-user,socket=$sock,backend=file,path=$image,queue-size=$size"
	wait_for 20 grep -aq "listens at $sock" "$work/blk.log" || fail "no socket"
	timeout 200 "$qemu_program" -accel tcg -m "$ram" -display none -nodefaults -no-reboot \
		-machine memory-backend=memory \
		-object "memory-backend-memfd,id=memory,size=$ram,share=on" \
		-chardev "socket,id=c,path=$sock" -device isa-debug-exit,iobase=0xf4,iosize=1 \
		-device "$disk,queue-size=$size,disable-legacy=$legacy" \
		"$@" >"$work/qemu.log" 2>&1 || code=$?
	# isa-debug-exit makes 2 * n + 1 of what it is told.
	[ "$code" = $((2 * 0x10 + 1)) ] || fail "QEMU ends with $code"
	summary >"$work/summary"
	grep -a 'disk0' "$work/summary"
	for kind in io-errors bad-requests bad-descriptors 'in flight'; do
		[ "$(counter "$kind" <"$work/summary")" = 0 ] || fail "$kind: $(cat "$work/summary")"
	done
	stop_blk
}

# check_version LEGACY: OVMF has two drivers, and uses that without VIRTIO_F_VERSION_1 if it can.
check_version()
{
	local features='0x[0-9a-f]{1,8}'
	[ "$1" = off ] || features='0x1[0-9a-f]{8}'
	grep -aqE "features $features," "$work/blk.log" || fail "not the driver that was to be tried"
}

make_application || fail "no UEFI application"
make_disk
for size in 16 64 128; do
	step "SeaBIOS, queue-size $size"
	boot "$size" 64M off
	legacy=off
	[ "$size" != 64 ] || legacy=on
	step "OVMF, queue-size $size, disable-legacy=$legacy"
	# What an earlier run copied must not pass for a copy.
	fallocate -z -o 40MiB -l 32MiB "$image"
	rm -f "$work/console.log"
	! cmp -s <(mib 8) <(mib 40) || fail "a copy before there can be one"
	boot "$size" 256M "$legacy" -bios "$OVMF" -serial "file:$work/console.log"
	check_version "$legacy"
	grep -aq copied "$work/console.log" || fail "nothing on the console"
	cmp <(mib 8) <(mib 40) || fail "the copy is another"
	[ "$(counter write <"$work/summary")" = 1 ] || fail "not one write: $(cat "$work/summary")"
done
ok
