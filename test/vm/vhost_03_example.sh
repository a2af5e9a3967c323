#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# DPDK's examples/vhost, built against our library, switches packets between two VDUSE devices.
# (Its --builtin-net-driver serves drivers older than VIRTIO 1.0 only: VDUSE has none.)
. "$(dirname "$0")/vhost.sh"

example=$DPDK_VDUSE_BUILD/test/vm/dpdk-vhost
nic=$DPDK_VDUSE_BUILD/test/vm/libvmdq_nic.so
[ -x "$example" ] || skip "no $example: config/dpdk-examples, then meson and ninja"

# switch_on ARGS...: the example with two devices.
switch_on()
{
	LD_PRELOAD=$nic TESTPMD=$example launch_testpmd switch -l "$LCORES" --no-pci \
		--file-prefix=switch --vdev net_null0,no-rx=1 -- -p 1 --vm2vm 1 \
		--total-num-mbufs 16384 --socket-file /dev/vduse/net0 \
		--socket-file /dev/vduse/net1 "$@"
	vdpa_add net0
	vdpa_add net1
	join_pair
}

switch_off()
{
	kill -INT "${testpmd_pid[switch]}"
	reap_testpmd switch || fail "switch: exit code $?"
	check_nothing_left
}

load_modules vduse virtio_vdpa virtio_net
step "two devices, switched by their MAC addresses"
switch_on
no_loss on_left ping -c 10 -i 0.1 -W 10 10.0.0.2
no_loss on_right ping -f -q -c 1000 -s 1400 10.0.0.1
tcp

step "a driver goes and comes back"
vdpa dev del net1
vdpa_add net1
in_netns right net1 10.0.0.2/24
ip -n left neigh flush dev eth0
no_loss on_left ping -c 5 -i 0.1 -W 10 10.0.0.2

step "buffers that are not merged"
switch_off
switch_on --mergeable 0
no_loss on_left ping -c 10 -i 0.1 -W 10 10.0.0.2
switch_off
ok
