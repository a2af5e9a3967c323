#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# DPDK's examples/vhost_blk serves the rings itself: with our library below it and one call that
# says what the path is, it is a disk of this kernel.
. "$(dirname "$0")/vhost.sh"

example=$DPDK_VDUSE_BUILD/test/vm/dpdk-vhost-blk
[ -x "$example" ] || skip "no $example: config/dpdk-examples, then meson and ninja"
name=vhost.socket # the example's word, in its working directory

disk()
{
	local dir
	for dir in /sys/bus/vdpa/devices/"$name"/virtio*/block/*; do
		[ -e "$dir" ] || return 1
		basename "$dir"
	done
}

disk_on()
{
	vdpa_add $name
	wait_for 10 disk || fail "no disk"
	disk=/dev/$(disk)
}

# Every sector of 16 MiB its own, written and read past the page cache.
pattern()
{
	seq -f "%0511.0f" "$1" 32768 | head -c 16777216
}

check_pattern()
{
	dd if="$disk" bs=1M count=16 iflag=direct status=none | cmp - "$work/pattern" ||
		fail "the disk holds something else"
}

load_modules vduse virtio_vdpa virtio_blk
step "the disk appears"
cd /dev/vduse
TESTPMD=$example launch_testpmd blk -l 0 --no-pci --file-prefix=blk
cd - >/dev/null
disk_on
[ "$(blockdev --getsize64 "$disk")" = $((128 << 20)) ] || fail "$disk: $(blockdev --getsize64 "$disk") bytes"

step "what is written is read"
pattern 1 >"$work/pattern"
dd if="$work/pattern" of="$disk" bs=256k oflag=direct status=none
check_pattern

step "the driver goes and comes back: same disk"
vdpa dev del $name
disk_on
check_pattern

step "a file system"
mkfs.ext4 -q "$disk"
mkdir -p "$work/mnt"
mount "$disk" "$work/mnt"
cp "$work/pattern" "$work/mnt/file"
sync
umount "$work/mnt"
mount "$disk" "$work/mnt"
cmp "$work/pattern" "$work/mnt/file" || fail "the file changed"
umount "$work/mnt"

step "nothing is left"
vdpa dev del $name
kill -INT "${testpmd_pid[blk]}"
reap_testpmd blk || fail "blk: exit code $?"
check_nothing_left
ok
