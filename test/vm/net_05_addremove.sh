#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# Devices come and go 20 times while the process goes on: by its own doing, and by hand.
. "$(dirname "$0")/guest.sh"

gone()
{
	[ ! -e "/sys/bus/vdpa/devices/$1" ]
}

detach()
{
	testpmd_cmd fwd "port stop $1" >/dev/null
	testpmd_cmd fwd "port close $1" >/dev/null
	testpmd_cmd fwd "device detach net_vduse$1" >/dev/null
	wait_for 10 gone "net$1" || fail "net$1 is still there"
}

attach()
{
	testpmd_cmd fwd "port attach net_vduse$1,iface=/dev/vduse/net$1,attach=virtio" >/dev/null
	testpmd_cmd fwd "port start all" >/dev/null
}

# The interface is new, and so may its address be: the neighbour asks again.
rejoin()
{
	in_netns right net1 10.0.0.2/24
	ip -n left neigh flush dev eth0
	no_loss on_left ping -q -c 2 -i 0.1 -w 5 10.0.0.2 >/dev/null
}

start_pair fwd ""
no_loss on_left ping -c 3 -i 0.1 10.0.0.2

step "a port is closed, detached and attached again, 15 times"
for _ in $(seq 15); do
	testpmd_cmd fwd stop >/dev/null
	detach 1
	[ ! -e /dev/vduse/net1 ] || fail "/dev/vduse/net1 left behind"
	attach 1
	testpmd_cmd fwd start >/dev/null
	rejoin
done

step "the vdpa device is deleted under the driver, by hand, and added again, 5 times"
for _ in 1 2 3 4 5; do
	vdpa dev del net1
	gone net1 || fail "net1 is still there"
	vdpa dev add name net1 mgmtdev vduse
	rejoin
done

step "nothing is left"
stop_testpmd fwd
check_nothing_left
ok
