#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# Open vSwitch with DPDK: a bridge with a net_vduse port, whose driver is this kernel, and a kernel
# port. No interface has its offloads switched off, and the bytes arrive as they were sent.
. "$(dirname "$0")/guest.sh"
. "$(dirname "$0")/transfer.sh"
. "$(dirname "$0")/ovs.sh"

head -c 4M /dev/urandom >"$work/sent"
load_modules vduse virtio_vdpa virtio_net veth tun

# Open vSwitch 3.1 passes packets on as they are and ignores RTE_MBUF_F_RX_L4_CKSUM_NONE. So the
# port has to compute what the driver left out, which it does as long as Open vSwitch does not
# enable Rx checksum offloads.
step "a kernel port that takes no packets without checksums"
start_ovs
vduse_port 0 left 10.0.0.1/24 ,csum=1
internal_port right 10.0.0.2/24
has left tx-checksumming on
bridge_traffic
no_loss on_left ping -f -q -c 1000 10.0.0.2
grows vduse0 rx_q0_csum_software
stays_zero vduse0 rx_q0_csum_passed
[ "$(received vduse0)" -ge 2000 ] || fail "vduse0 received too few"
stop_ovs
ok
