#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# Segmentation offload: Linux sends packets of 64 KiB, and the bytes arrive as they were sent, with
# an application that does not take them, with one that passes them on, and with a receiver that
# does not take them.
. "$(dirname "$0")/guest.sh"
. "$(dirname "$0")/transfer.sh"

# zero_errors: neither port refused or dropped anything for its offloads.
zero_errors()
{
	local port name
	for port in 0 1; do
		for name in rx_q0_bad_offloads tx_q0_bad_offloads rx_q0_oversize_dropped; do
			[ "$(counter $port $name)" = 0 ] || fail "port $port: $name"
		done
	done
}

# more NAME PORT: that counter has grown since the last call for it.
declare -A last
more()
{
	local now
	now=$(counter "$2" "$1")
	[ "$now" -gt "${last[$2$1]:-0}" ] || fail "port $2: $1 is $now"
	last[$2$1]=$now
}

head -c 4M /dev/urandom >"$work/sent"

step "without tso=1 Linux segments"
start_pair fwd ",csum=1"
has left tcp-segmentation-offload off
has left tx-udp-segmentation off
stop_testpmd fwd

step "testpmd forwards, and the port segments what it receives"
start_pair fwd ",tso=1,uso=1"
addresses
has left tcp-segmentation-offload on
# Linux leaves it off until it is asked for.
on_left ethtool -K eth0 tx-udp-segmentation on
has left tx-udp-segmentation on
traffic
more rx_q0_gso_software 0
more rx_q0_gso_software 1
datagrams large
no_errors
more rx_q0_gso_software 0
[ "$(counter 0 rx_q0_gso_passed)" = 0 ] || fail "port 0 handed over large packets"
zero_errors
stop_testpmd fwd

carriers()
{
	wait_for 10 has_carrier left || fail "no carrier"
	wait_for 10 has_carrier right || fail "no carrier"
}

step "testpmd passes them on"
start_pair fwd ",tso=1,uso=1"
addresses
pass_on fwd 1400 0 1
carriers
traffic
more rx_q0_gso_passed 0
more tx_q0_gso_passed 0
more rx_q0_gso_passed 1
more tx_q0_gso_passed 1
on_left ethtool -K eth0 tx-udp-segmentation on
datagrams large
no_errors
[ "$(counter 0 rx_q0_gso_software)" -gt 0 ] || fail "large datagrams are not segmented"
zero_errors
stop_testpmd fwd

step "the driver on the right takes none"
start_testpmd fwd --vdev net_vduse0,iface=/dev/vduse/net0,attach=virtio,tso=1 \
	--vdev net_vduse1,iface=/dev/vduse/net1,attach=virtio,csum=1
join_pair
addresses
has left tcp-segmentation-offload on
has right tcp-segmentation-offload off
pass_on fwd 1400 0
carriers
traffic
[ "$(counter 0 rx_q0_gso_passed)" -gt 100 ] || fail "port 0 handed over no large packets"
[ "$(counter 1 tx_q0_gso_software)" -gt 100 ] || fail "port 1 segmented none"
zero_errors
stop_testpmd fwd
check_nothing_left
ok
