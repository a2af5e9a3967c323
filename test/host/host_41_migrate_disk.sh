#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# A guest of QEMU migrates back and forth between two disks that are the same file, with split and
# with packed rings, while it verifies what it reads. share=1: a disk locks the file only while a
# driver's rings run. QEMU stops those of the source before it starts those of the destination, so
# that the lock passes from one to the other. What the device wrote must have arrived when the guest
# moves (migrate_memory.py). And with a guest of many memory regions, with one that runs before its memory has
# arrived (post-copy), and with one that has the disk behind an IOMMU.
#
# MIGRATIONS: how many of each case. CASES: which.
disk_memory=256
. "$(dirname "$0")/disk.sh"
need_qemu
need busybox
need cpio
need gcc

kernel=${DPDK_VDUSE_CACHE:-$DPDK_VDUSE_BUILD/cache}/kernel
migrations=${MIGRATIONS:-20}
cases=${CASES:-file file-packed file-regions slow slow-packed postcopy postcopy-packed viommu viommu-packed}
here=$(realpath "$(dirname "$0")")

step "the guest"
gcc -std=gnu11 -D_GNU_SOURCE -O2 -Wall -Wextra -Werror -static -pthread \
	-o "$work/migrate_io" "$here/migrate_io.c" ||
	fail "migrate_io.c does not build"
"$here/../../config/fetch-kernel" "$kernel"
"$here/../vm/mkinitramfs" "$kernel" "$work/initramfs" "$work/migrate_io" virtio_pci virtio_blk

# With a slow disk, pages of requests and rings are copied after the guest wrote to them and before the
# device does; and more requests are in flight when the guest stops.
slow=backend=fault,under=file,delay=10000,late=1

# migrates BACKEND PROPERTIES [regions|postcopy|viommu]
migrates()
{
	local disk side kind properties=$2
	local back_end=()
	step "$migrations migrations${properties:+ with $properties}${3:+, $3}, $1"
	disk=queues=2,path=$image,direct=1,share=1,$1
	rm -f "$image"
	truncate -s 32M "$image"
	start_blk "disk0,iface=$work/0.sock,$disk" "disk1,iface=$work/1.sock,$disk"
	for side in 0 1; do
		wait_for 20 test -S "$work/$side.sock" || fail "no socket"
	done
	case ${3:-} in
	regions) back_end=("$blk_pid") ;;
	postcopy | viommu) back_end=("$3") ;;
	esac
	/usr/bin/python3 "$here/migrate_blk.py" "$work" "$qemu_program" \
		"$kernel/boot/vmlinuz-$(cat "$kernel/release")" "$work/initramfs" "$properties" \
		"$migrations" "${back_end[@]}" || fail "migrate_blk.py: exit code $?"
	summary >"$work/summary"
	for kind in io-errors bad-requests bad-descriptors 'in flight'; do
		[ "$(counter "$kind" <"$work/summary")" = 0 ] || fail "$kind: $(cat "$work/summary")"
	done
	stop_blk
	rm -f "$work"/qemu[0-9]* "$work"/state*
}

for case in $cases; do
	case $case in
	file) migrates backend=file "" ;;
	file-packed) migrates backend=file ,packed=on ;;
	file-regions) migrates backend=file "" regions ;;
	slow) migrates "$slow" "" ;;
	slow-packed) migrates "$slow" ,packed=on ;;
	postcopy) migrates "$slow,postcopy=1" "" postcopy ;;
	postcopy-packed) migrates backend=file,postcopy=1 ,packed=on postcopy ;;
	viommu) migrates "$slow,iommu=1" "" viommu ;;
	viommu-packed) migrates backend=file,iommu=1 ,packed=on viommu ;;
	*) fail "no case $case" ;;
	esac
done
ok
