#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# SeaBIOS boots from the disk, with rings of 16, 64 and 128 and as many announced. What it reads is
# added up by the boot sector.
. "$(dirname "$0")/disk.sh"
need qemu-system-x86_64

"$(dirname "$0")/boot_sector.py" "$image"
for size in 16 64 128; do
	step "queue-size $size"
	start_blk "disk0,transport=vhost-user,socket=$sock,backend=file,path=$image,queue-size=$size"
	wait_for 20 grep -aq "listens at $sock" "$work/blk.log" || fail "no socket"
	code=0
	timeout 100 qemu-system-x86_64 -accel tcg -m 64M -display none -nodefaults -no-reboot \
		-machine memory-backend=memory -object memory-backend-memfd,id=memory,size=64M,share=on \
		-chardev "socket,id=c,path=$sock" -device isa-debug-exit,iobase=0xf4,iosize=1 \
		-device "vhost-user-blk-pci,chardev=c,num-queues=1,queue-size=$size,vectors=0,bootindex=0" \
		>"$work/qemu.log" 2>&1 || code=$?
	# isa-debug-exit makes 2 * n + 1 of what it is told.
	[ "$code" = $((2 * 0x10 + 1)) ] || fail "QEMU ends with $code"
	summary | grep -a disk0
	stop_blk
done
ok
