#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# Open vSwitch with DPDK: a bridge with two net_vduse ports that take large packets, with and
# without userspace-tso-enable. The bytes arrive as they were sent.
. "$(dirname "$0")/guest.sh"
. "$(dirname "$0")/transfer.sh"
. "$(dirname "$0")/ovs.sh"

on_far()
{
	ip netns exec far "$@"
}

# Open vSwitch does not enable RTE_ETH_RX_OFFLOAD_TCP_LRO on a port of type dpdk: it handles packets
# of one mbuf only. So the port that receives a large packet segments it, with and without
# userspace-tso-enable, and the other port has nothing left to pass on.
pair_traffic()
{
	local port
	addresses
	reaches on_left 10.0.0.2
	has left tcp-segmentation-offload on
	has right tcp-segmentation-offload on
	traffic
	iperf_both on_right on_left 10.0.0.2
	no_errors
	for port in vduse0 vduse1; do
		grows $port rx_q0_gso_software
		stays_zero $port rx_q0_gso_passed rx_q0_csum_passed tx_q0_gso_passed \
			rx_q0_bad_offloads tx_q0_bad_offloads
	done
}

start_pair_of_ports()
{
	start_ovs "$@"
	xstat_last=()
	vduse_port 0 left 10.0.0.1/24 ,tso=1
	vduse_port 1 right 10.0.0.2/24 ,tso=1
}

head -c 4M /dev/urandom >"$work/sent"
load_modules vduse virtio_vdpa virtio_net veth tun

step "without userspace-tso-enable"
start_pair_of_ports
pair_traffic
stop_ovs

step "with userspace-tso-enable"
start_pair_of_ports userspace-tso-enable=true
pair_traffic

# Large packets of a kernel port are not segmented on the way.
step "with userspace-tso-enable and a kernel port"
veth_port far 10.0.0.3/24
for side in left right; do
	address=10.0.0.$([ $side = left ] && echo 1 || echo 2)
	reaches on_$side 10.0.0.3
	no_loss on_$side ping -c 5 -i 0.1 10.0.0.3
	transfer "$address" on_$side on_far
	transfer 10.0.0.3 on_far on_$side
done
iperf_both on_far on_left 10.0.0.3
no_errors
for port in vduse0 vduse1; do
	grows $port tx_q0_gso_passed
	grows $port rx_q0_gso_software
	stays_zero $port rx_q0_gso_passed tx_q0_gso_software rx_q0_bad_offloads tx_q0_bad_offloads
done
stop_ovs
ok
