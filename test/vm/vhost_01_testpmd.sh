#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# Debian's dpdk-testpmd and DPDK's own net_vhost driver, neither changed nor rebuilt, serve
# VDUSE devices with our library loaded before librte_vhost.
. "$(dirname "$0")/vhost.sh"

load_modules vduse virtio_vdpa virtio_net
step "net_vhost on two VDUSE paths"
start_vhost fwd --vdev net_vhost0,iface=/dev/vduse/net0 --vdev net_vhost1,iface=/dev/vduse/net1 --
vdpa_add net0
vdpa_add net1
join_pair

step "ping both ways"
no_loss on_left ping -c 10 -i 0.1 10.0.0.2
no_loss on_right ping -c 10 -i 0.1 10.0.0.1
no_loss on_left ping -f -q -c 1000 -s 1472 -M do 10.0.0.2

step "TCP both ways"
tcp
tcp -R

step "testpmd counted them, and its links are up"
[ "$(port_count fwd 0 RX-packets)" -ge 1020 ] || fail "port 0 received too few"
testpmd_cmd fwd "show port info 0" | grep "Link status: up" || fail "port 0: no link"

step "the driver goes and comes back"
ip -n right link set eth0 down
ip -n right link set eth0 up
no_loss on_left ping -c 5 -i 0.1 10.0.0.2
vdpa dev del net1
wait_for 10 link_is fwd 1 down || fail "port 1: the link stays up"
vdpa_add net1
in_netns right net1 10.0.0.2/24
ip -n left neigh flush dev eth0
no_loss on_left ping -c 5 -i 0.1 -W 10 10.0.0.2

step "nothing is left after quit"
stop_testpmd fwd
check_nothing_left
ok
