#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# Packed rings of the kernel's driver, and of DPDK's over vhost_vdpa.
. "$(dirname "$0")/guest.sh"

# took_packed NETNS: its driver took VIRTIO_F_RING_PACKED, bit 34.
took_packed()
{
	local device
	device=$(ip netns exec "$1" readlink -f /sys/class/net/eth0/device)
	[ "$(cut -c 35 "$device/features")" = 1 ] || fail "$1: no packed ring"
}

rebind()
{
	local device driver
	device=$(ip netns exec "$1" readlink -f /sys/class/net/eth0/device)
	driver=$(readlink -f "$device/driver")
	device=$(basename "$device")
	echo "$device" >"$driver/unbind"
	echo "$device" >"$driver/bind"
}

step "two interfaces with packed rings"
start_pair fwd ",packed=1"
took_packed left
took_packed right
no_loss on_left ping -c 10 -i 0.1 10.0.0.2
no_loss on_left ping -f -q -c 1000 10.0.0.2
no_loss on_right ping -f -q -c 1000 -s 1472 -M do 10.0.0.1

step "iperf3"
on_right iperf3 -s -1 -D >/dev/null
wait_for 10 eval "on_right ss -Hltn | grep -q 5201" || fail "iperf3 does not listen"
on_left iperf3 -c 10.0.0.2 -t 3 | grep -E 'sender|receiver' || fail "iperf3"

step "down and up, and the driver away and back"
ip -n left link set eth0 down
ip -n left link set eth0 up
no_loss on_left ping -c 5 -i 0.1 -W 5 10.0.0.2
rebind right
join_pair
no_loss on_left ping -f -q -c 1000 -W 5 10.0.0.2

for _ in 1 2 3; do
	step "killed under traffic and started: its driver goes on"
	# Not by on_left: its subshell would get the signal, and ignore it.
	ip netns exec left ping -f -q -c 100000 10.0.0.2 >/dev/null &
	flood=$!
	sleep 1
	kill_testpmd fwd
	start_testpmd fwd --vdev net_vduse0,iface=/dev/vduse/net0,attach=virtio,packed=1 \
		--vdev net_vduse1,iface=/dev/vduse/net1,attach=virtio,packed=1
	kill -INT "$flood"
	wait "$flood" || true
	[ "$(grep -c 'taken over: its driver goes on' "$work/fwd.log")" = 2 ] ||
		fail "not taken over: $(cat "$work/fwd.log")"
	took_packed left
	no_loss on_left ping -f -q -c 1000 -W 5 10.0.0.2
done

step "killed and started without packed rings: its driver keeps them"
kill_testpmd fwd
start_testpmd fwd --vdev net_vduse0,iface=/dev/vduse/net0,attach=virtio \
	--vdev net_vduse1,iface=/dev/vduse/net1,attach=virtio
took_packed left
no_loss on_left ping -f -q -c 1000 -W 5 10.0.0.2
stop_testpmd fwd
check_nothing_left
modprobe -r virtio_vdpa

load_modules vduse vhost_vdpa
for in_order in 0 1; do
	step "vhost_vdpa, in_order=$in_order"
	start_testpmd vduse --vdev net_vduse0,iface=/dev/vduse/net0,attach=vhost,packed=1 -- \
		--forward-mode=rxonly
	wait_for 10 test -c /dev/vhost-vdpa-0 || fail "no /dev/vhost-vdpa-0"
	launch_testpmd virtio -l 0,1 --main-lcore 1 --no-pci --file-prefix=virtio --iova-mode=va \
		--vdev "net_virtio_user0,path=/dev/vhost-vdpa-0,packed_vq=1,in_order=$in_order" -- \
		-i --disable-link-check --total-num-mbufs=16384 --forward-mode=rxonly
	wait_prompt virtio 0
	packets=100000
	one_way virtio vduse
	one_way vduse virtio
	stop_testpmd virtio
	stop_testpmd vduse
	check_nothing_left
done
ok
