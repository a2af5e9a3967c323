#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# The kernel interface goes down and up, and its driver is unbound and bound: a
# device reset without a port stop.
. "$(dirname "$0")/guest.sh"

virtio_of()
{
	basename "$(ls -d /sys/bus/vdpa/devices/"$1"/virtio*)"
}

link_is()
{
	testpmd_cmd fwd "show port info 0" | grep -q "Link status: $1"
}

start_pair fwd ""
step "down and up, 10 times, then ping"
for _ in $(seq 10); do
	ip -n left link set eth0 down
	ip -n right link set eth0 down
	ip -n left link set eth0 up
	ip -n right link set eth0 up
done
no_loss on_left ping -c 10 -i 0.1 -w 5 10.0.0.2

step "down and up under traffic"
on_right ping -f -q -w 4 10.0.0.1 >/dev/null &
for _ in $(seq 5); do
	ip -n left link set eth0 down
	ip -n left link set eth0 up
done
wait $! || true
no_loss on_left ping -c 10 -i 0.1 10.0.0.2

step "the driver unbound: the link goes down; bound again: up, and traffic flows"
for _ in 1 2 3; do
	virtio=$(virtio_of net0)
	echo "$virtio" >/sys/bus/virtio/drivers/virtio_net/unbind
	wait_for 5 link_is down || fail "link still up without a driver"
	echo "$virtio" >/sys/bus/virtio/drivers/virtio_net/bind
	in_netns left net0 10.0.0.1/24
	wait_for 5 link_is up || fail "link still down"
	no_loss on_left ping -c 5 -i 0.1 10.0.0.2
done
stop_testpmd fwd
check_nothing_left
ok
