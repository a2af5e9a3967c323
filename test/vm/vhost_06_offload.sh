#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# Offloads of the vhost API: Linux leaves checksums and segmentation to DPDK's net_vhost, and the bytes
# arrive as they were sent, with flags of received packets and with flags of packets to transmit.
. "$(dirname "$0")/vhost.sh"
. "$(dirname "$0")/transfer.sh"

# start_forward ARGS: two ports with these arguments of net_vhost.
start_forward()
{
	start_vhost fwd --vdev "net_vhost0,iface=/dev/vduse/net0$1" \
		--vdev "net_vhost1,iface=/dev/vduse/net1$1" --
	vdpa_add net0
	vdpa_add net1
	join_pair
	addresses
}

# above NAME LEAST: that counter of both ports.
above()
{
	local port
	for port in 0 1; do
		[ "$(counter $port "$1")" -gt "$2" ] || fail "port $port: $1 is $(counter $port "$1")"
	done
}

# none NAME...: those counters of both ports are 0.
none()
{
	local port name
	for port in 0 1; do
		for name; do
			[ "$(counter $port "$name")" = 0 ] ||
				fail "port $port: $name is $(counter $port "$name")"
		done
	done
}

zero_errors()
{
	none rx_q0_bad_offloads tx_q0_bad_offloads rx_q0_oversize_dropped
}

load_modules vduse virtio_vdpa virtio_net
head -c 4M /dev/urandom >"$work/sent"

step "net_vhost as it is by default: it completes checksums, and disables segmentation"
start_forward ""
has left tx-checksumming on
has left tcp-segmentation-offload off
traffic
above rx_q0_csum_passed 100
none rx_q0_gso_passed rx_q0_gso_software
zero_errors
stop_testpmd fwd
check_nothing_left

step "flags of packets to transmit: checksums and large packets pass from driver to driver"
start_forward ",tso=1,legacy-ol-flags=1"
has left tx-checksumming on
has left tcp-segmentation-offload on
traffic
above rx_q0_gso_passed 10
above tx_q0_gso_passed 10
above tx_q0_csum_passed 10
none rx_q0_gso_software rx_q0_csum_software tx_q0_csum_software
zero_errors
stop_testpmd fwd
check_nothing_left
ok
