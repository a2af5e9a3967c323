#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# Open vSwitch with DPDK: a bridge with a net_vduse port, whose driver is this kernel, and a veth pair
# whose offloads stay on. The bytes arrive as they were sent.
. "$(dirname "$0")/guest.sh"
. "$(dirname "$0")/transfer.sh"
. "$(dirname "$0")/ovs.sh"

head -c 4M /dev/urandom >"$work/sent"
load_modules vduse virtio_vdpa virtio_net veth tun

# A veth pair hands over large packets without checksums. Open vSwitch 3.1 learns of that only with
# userspace-tso-enable, and then leaves both to the Tx offloads of the other port.
step "a kernel port that sends packets without checksums"
start_ovs userspace-tso-enable=true
vduse_port 0 left 10.0.0.1/24 ,csum=1
veth_port right 10.0.0.2/24
has left tx-checksumming on
has right tx-checksumming on
has right tcp-segmentation-offload on
bridge_traffic
grows vduse0 tx_q0_csum_passed
grows vduse0 tx_q0_gso_software
stays_zero vduse0 rx_q0_csum_passed tx_q0_gso_passed
[ "$(received veth0)" -ge 1000 ] || fail "veth0 received too few"
stop_ovs
ok
