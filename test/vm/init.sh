#!/bin/busybox sh
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
# shellcheck shell=dash
#
# First process of the test VM, in the initramfs: makes the host's file system,
# with a tmpfs over it for what is written, the root, then goes on as stage2.sh.
set -e
bb=/bin/busybox

$bb mount -t proc proc /proc
$bb mount -t sysfs sys /sys
$bb mount -t devtmpfs dev /dev
while read -r module; do
	$bb insmod "/modules/$module"
done </modules/order

# Nobody writes to the host's files through this mount, so the guest may cache them.
$bb mount -t 9p -o trans=virtio,version=9p2000.L,ro,cache=loose,msize=512000 host /host
$bb mount -t tmpfs -o size=1g tmpfs /upper
$bb mkdir /upper/data /upper/work
$bb mount -t overlay -o lowerdir=/host,upperdir=/upper/data,workdir=/upper/work overlay /root

for dir in proc sys dev; do
	$bb mount --move /$dir /root/$dir
done
top=$($bb sed -n 's/.*vm_top=\([^ ]*\).*/\1/p' /root/proc/cmdline)
exec $bb switch_root /root /bin/bash "$top/test/vm/stage2.sh"
