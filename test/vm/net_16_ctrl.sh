#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# The control queue over VDUSE API 1: Linux changes its queue pairs, filters, addresses and modes
# under traffic, also while no lcore polls the port.
. "$(dirname "$0")/guest.sh"
. "$(dirname "$0")/transfer.sh"

# combined NETNS: queue pairs that it uses
combined()
{
	ip netns exec "$1" ethtool -l eth0 | sed -n 's/^Combined:\s*//p' | tail -n 1
}

# vlan NETNS ID ADDRESS
vlan()
{
	ip -n "$1" link add link eth0 name "eth0.$2" type vlan id "$2"
	ip -n "$1" addr add "$3" dev "eth0.$2"
	ip -n "$1" link set "eth0.$2" up
}

filtered()
{
	local q sum=0
	for q in 0 1; do
		sum=$((sum + $(counter "$1" "tx_q${q}_filtered_packets")))
	done
	echo "$sum"
}

load_modules vduse
echo 1 >/sys/module/vduse/parameters/virtio_ctrl_vq
start_pair fwd ",queues=2,csum=1,tso=1" --rxq=2 --txq=2

step "queue pairs, under traffic"
[ "$(on_left ethtool -l eth0 | sed -n 's/^Combined:\s*//p' | head -n 1)" = 2 ] ||
	fail "$(on_left ethtool -l eth0)"
ip netns exec left ping -f -q -w 8 10.0.0.2 >/dev/null &
ping=$!
for nb in 2 1 2 1 2; do
	on_left ethtool -L eth0 combined $nb 2>"$work/ethtool.log" || [ "$(combined left)" = $nb ] ||
		fail "$(cat "$work/ethtool.log")"
	on_right ethtool -L eth0 combined $nb 2>"$work/ethtool.log" || [ "$(combined right)" = $nb ] ||
		fail "$(cat "$work/ethtool.log")"
	[ "$(combined left)" = $nb ] || fail "$(on_left ethtool -l eth0)"
done
wait $ping || true
no_loss on_left ping -c 5 -i 0.1 -W 5 10.0.0.2
[ "$(grep -c 'control command' "$work/fwd.log")" = 0 ] || fail "$(grep 'control command' "$work/fwd.log")"

step "both pairs carry packets"
# Linux chooses the queue by the CPU.
for cpu in 0 1; do
	on_left taskset -c $cpu ping -f -q -c 500 10.0.0.2 >/dev/null || fail "no answers"
done
for q in 0 1; do
	[ "$(counter 0 rx_q${q}_good_packets)" -gt 100 ] || fail "queue $q received nothing"
done

step "VLAN filters filter"
on_right ethtool -k eth0 | grep -q '^rx-vlan-filter: on' || fail "$(on_right ethtool -k eth0 | grep vlan)"
vlan left 5 10.0.5.1/24
vlan left 6 10.0.6.1/24
vlan right 5 10.0.5.2/24
no_loss on_left ping -c 5 -i 0.1 -W 5 10.0.5.2
before=$(filtered 1)
on_left ping -c 3 -i 0.1 -W 1 10.0.6.2 >/dev/null && fail "somebody answers"
[ "$(filtered 1)" -gt "$before" ] || fail "VLAN 6 passes"
vlan right 6 10.0.6.2/24
# Left asked for the address in vain, and would give up before it asks again.
ip -n left neigh flush dev eth0.6
no_loss on_left ping -c 5 -i 0.1 -W 5 10.0.6.2
ip -n right link del eth0.6
before=$(filtered 1)
on_left ping -c 3 -i 0.1 -W 1 10.0.6.2 >/dev/null && fail "somebody answers"
[ "$(filtered 1)" -gt "$before" ] || fail "VLAN 6 passes again"

step "another MAC address"
on_right ip link set eth0 address 02:00:00:00:00:99
on_left ip neigh flush dev eth0
no_loss on_left ping -c 5 -i 0.1 -W 5 10.0.0.2
on_left ip neigh show 10.0.0.2 | grep -q 02:00:00:00:00:99 || fail "$(on_left ip neigh)"

step "addresses of others are filtered, unless it is promiscuous"
on_left ip neigh replace 10.0.0.77 lladdr 02:00:00:00:00:77 dev eth0
before=$(filtered 1)
on_left ping -c 3 -i 0.1 -W 1 10.0.0.77 >/dev/null && fail "somebody answers"
[ "$(filtered 1)" -ge $((before + 3)) ] || fail "a stranger's packets pass: $(filtered 1)"
on_right ip link set eth0 promisc on
before=$(filtered 1)
on_left ping -c 3 -i 0.1 -W 1 10.0.0.77 >/dev/null && fail "somebody answers"
[ "$(filtered 1)" = "$before" ] || fail "filtered though it is promiscuous"
on_right ip link set eth0 promisc off

step "killed and started: what the driver set still holds"
kill_testpmd fwd
start_testpmd fwd --vdev net_vduse0,iface=/dev/vduse/net0,attach=virtio,queues=2,csum=1,tso=1 \
	--vdev net_vduse1,iface=/dev/vduse/net1,attach=virtio,queues=2,csum=1,tso=1 \
	-- --rxq=2 --txq=2
[ "$(grep -c 'taken over: its driver goes on' "$work/fwd.log")" = 2 ] ||
	fail "not taken over: $(cat "$work/fwd.log")"
no_loss on_left ping -c 5 -i 0.1 -W 5 10.0.0.2
no_loss on_left ping -c 5 -i 0.1 -W 5 10.0.5.2
before=$(filtered 1)
on_left ping -c 3 -i 0.1 -W 1 10.0.6.2 >/dev/null && fail "somebody answers"
[ "$(filtered 1)" -gt "$before" ] || fail "VLAN 6 passes after a kill"
before=$(filtered 1)
on_left ping -c 3 -i 0.1 -W 1 10.0.0.77 >/dev/null && fail "somebody answers"
[ "$(filtered 1)" -ge $((before + 3)) ] || fail "a stranger's packets pass after a kill"

step "answered while no lcore polls"
testpmd_cmd fwd stop >/dev/null
for ((i = 0; i < 20; i++)); do
	on_right ip link set eth0 promisc on
	on_right ip link set eth0 promisc off
done
testpmd_cmd fwd start >/dev/null
no_loss on_left ping -c 5 -i 0.1 -W 5 10.0.0.2

step "the driver away and back: nothing of it is left"
virtio=$(basename "$(ls -d /sys/bus/vdpa/devices/net1/virtio*)")
echo "$virtio" >/sys/bus/virtio/drivers/virtio_net/unbind
echo "$virtio" >/sys/bus/virtio/drivers/virtio_net/bind
join_pair
# Its address is the device's again.
on_left ip neigh flush dev eth0
no_loss on_left ping -c 5 -i 0.1 -W 5 10.0.0.2
stop_testpmd fwd
check_nothing_left
ok
