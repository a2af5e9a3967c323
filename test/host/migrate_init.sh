#!/bin/busybox sh
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
# shellcheck shell=dash
#
# First and only process of the guest of host_40_migrate: it sends back what it gets at TCP port 7. It
# has no file system of the host's, which a guest that migrates cannot have.
bb=/bin/busybox

$bb mount -t proc proc /proc
$bb mount -t sysfs sys /sys
$bb mount -t devtmpfs dev /dev
while read -r module; do
	$bb insmod "/modules/$module"
done </modules/order
$bb ip link set eth0 up
$bb ip address add 10.0.0.2/24 dev eth0
$bb nc -ll -p 7 -e $bb cat &
until $bb grep -q ':0007 .* 0A ' /proc/net/tcp /proc/net/tcp6; do
	$bb usleep 10000
done
echo "the guest is up"
wait
