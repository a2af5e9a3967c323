#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# Open vSwitch with DPDK: a bridge with a net_vduse port, whose driver is this kernel, and a
# kernel port. Ping and iperf3 go through it.
. "$(dirname "$0")/guest.sh"

ovs=$DPDK_VDUSE_CACHE/ovs
export OVS_RUNDIR=$work OVS_DBDIR=$work OVS_SYSCONFDIR=$work OVS_LOGDIR=$work
export OVS_PKGDATADIR=$ovs/usr/share/openvswitch
PATH=$ovs/usr/bin:$ovs/usr/sbin:$ovs/usr/lib/openvswitch-switch-dpdk:$PATH
vsctl="ovs-vsctl --timeout=40"

start_ovs()
{
	ovsdb-tool create "$work/conf.db" "$OVS_PKGDATADIR/vswitch.ovsschema"
	ovsdb-server "$work/conf.db" --remote="punix:$work/db.sock" --pidfile --detach \
		--no-chdir --log-file="$work/ovsdb.log"
	$vsctl --no-wait init
	$vsctl --no-wait set Open_vSwitch . other_config:dpdk-init=true \
		other_config:dpdk-socket-mem=256 other_config:pmd-cpu-mask=0x2 \
		"other_config:dpdk-extra=--no-pci -d $PLUGIN"
	ovs-vswitchd-dpdk "unix:$work/db.sock" --pidfile --detach --no-chdir \
		--log-file="$work/vswitchd.log" >"$work/vswitchd.out" 2>&1
}

# Nothing went wrong at a port.
port_is_up()
{
	[ -z "$($vsctl get Interface "$1" error | tr -d '[]"')" ] ||
		fail "port $1: $($vsctl get Interface "$1" error)"
	[ "$($vsctl get Interface "$1" link_state)" = up ]
}

received()
{
	$vsctl get Interface "$1" statistics:rx_packets
}

load_modules vduse virtio_vdpa virtio_net veth tun

step "a bridge with a net_vduse port and a kernel port"
start_ovs
$vsctl add-br br0 -- set bridge br0 datapath_type=netdev
$vsctl add-port br0 vduse0 -- set Interface vduse0 type=dpdk \
	"options:dpdk-devargs=net_vduse0,iface=/dev/vduse/net0,attach=virtio"
ip netns add right
ip link add veth0 type veth peer name eth0 netns right
ip link set veth0 up
ip -n right addr add 10.0.0.2/24 dev eth0
ip -n right link set eth0 up
# Packets that never left the kernel have no checksums, which OVS 3.1 does not make up for.
ip netns exec right ethtool -K eth0 tx off >/dev/null
$vsctl add-port br0 veth0
in_netns left net0 10.0.0.1/24
wait_for 10 port_is_up vduse0 || fail "vduse0 is not up"
wait_for 10 port_is_up veth0 || fail "veth0 is not up"

step "ping both ways"
no_loss on_left ping -c 10 -i 0.1 10.0.0.2
no_loss on_right ping -c 10 -i 0.1 10.0.0.1
no_loss on_left ping -f -q -c 1000 10.0.0.2

step "iperf3 both ways"
for way in "" -R; do
	on_right iperf3 -s -1 -D >/dev/null
	wait_for 10 eval "on_right ss -Hltn | grep -q 5201" || fail "iperf3 does not listen"
	# shellcheck disable=SC2086
	on_left iperf3 -c 10.0.0.2 -t 3 $way | grep -E 'sender|receiver' || fail "iperf3 $way"
done

step "the switch saw them"
[ "$(received vduse0)" -ge 1020 ] || fail "vduse0 received too few"
[ "$(received veth0)" -ge 1020 ] || fail "veth0 received too few"

step "the port goes, and its device with it"
$vsctl del-port br0 vduse0
check_nothing_left
ovs-appctl -t ovs-vswitchd-dpdk exit --cleanup
ovs-appctl -t ovsdb-server exit
ok
