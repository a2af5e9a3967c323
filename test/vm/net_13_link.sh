#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# The link: its speed as the port was told, the carrier as the application sets it, many times under
# traffic, and after a stop and a start.
. "$(dirname "$0")/guest.sh"

no_carrier()
{
	! has_carrier left
}

link_of()
{
	testpmd_cmd fwd "show port info 0" | sed -n 's/^Link status: //p' | tail -n 1
}

step "its speed"
start_pair fwd ",speed=25000"
on_left ethtool eth0 | grep -E 'Speed: 25000Mb/s' || fail "$(on_left ethtool eth0)"
on_left ethtool eth0 | grep -E 'Duplex: Full' || fail "$(on_left ethtool eth0)"
testpmd_cmd fwd "show port info 0" | grep -E '^Link speed: 25 Gbps' || fail "the port has another speed"

step "down and up by the application"
testpmd_cmd fwd "set link-down port 0" >/dev/null
wait_for 10 no_carrier || fail "the carrier stays"
[ "$(link_of)" = down ] || fail "the port is $(link_of)"
testpmd_cmd fwd "set link-up port 0" >/dev/null
wait_for 10 has_carrier left || fail "no carrier"
[ "$(link_of)" = up ] || fail "the port is $(link_of)"
no_loss on_left ping -c 5 -i 0.1 10.0.0.2

step "12 times under traffic"
on_right ping -f -q -w 8 10.0.0.1 >/dev/null &
ping=$!
for ((i = 0; i < 12; i++)); do
	testpmd_cmd fwd "set link-down port 0" >/dev/null
	testpmd_cmd fwd "set link-up port 0" >/dev/null
done
wait $ping || true
wait_for 10 has_carrier left || fail "no carrier"
no_loss on_left ping -c 5 -i 0.1 10.0.0.2

step "800 times, as fast as testpmd can, while Linux probes the device"
device=$(basename "$(on_left readlink -f /sys/class/net/eth0/device)")
driver=/sys/bus/virtio/drivers/virtio_net
{
	for ((i = 0; i < 400; i++)); do
		echo "set link-down port 0"
		echo "set link-up port 0"
	done
	echo "show port info 1"
} >&"${testpmd_stdin[fwd]}" &
writer=$!
probes=0
until grep -q 'Infos for port 1' "$work/fwd.log"; do
	testpmd_alive fwd || fail "testpmd ended"
	echo "$device" >$driver/unbind
	echo "$device" >$driver/bind || fail "probe $probes fails"
	probes=$((probes + 1))
done
wait $writer
echo "$probes probes"
[ "$probes" -ge 3 ] || fail "probed $probes times only"
in_netns left net0 10.0.0.1/24
no_loss on_left ping -c 5 -i 0.1 -W 5 10.0.0.2

step "a start brings it up again"
testpmd_cmd fwd "set link-down port 0" >/dev/null
testpmd_cmd fwd stop >/dev/null
testpmd_cmd fwd "port stop 0" >/dev/null
wait_for 10 no_carrier || fail "the carrier stays"
testpmd_cmd fwd "port start 0" >/dev/null
testpmd_cmd fwd start >/dev/null
wait_for 10 has_carrier left || fail "no carrier"
no_loss on_left ping -c 5 -i 0.1 10.0.0.2
stop_testpmd fwd
check_nothing_left
ok
