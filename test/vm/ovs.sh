# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
# shellcheck shell=bash disable=SC2154
#
# Debian's Open vSwitch with DPDK, its ports and their counters. To be sourced after guest.sh.

ovs=$DPDK_VDUSE_CACHE/ovs
export OVS_RUNDIR=$work OVS_DBDIR=$work OVS_SYSCONFDIR=$work OVS_LOGDIR=$work
export OVS_PKGDATADIR=$ovs/usr/share/openvswitch
PATH=$ovs/usr/bin:$ovs/usr/sbin:$ovs/usr/lib/openvswitch-switch-dpdk:$PATH
vsctl="ovs-vsctl --timeout=180"

# start_ovs OPTION...: with other_config:OPTION, and an empty bridge.
start_ovs()
{
	rm -f "$work/conf.db"
	ovsdb-tool create "$work/conf.db" "$OVS_PKGDATADIR/vswitch.ovsschema"
	ovsdb-server "$work/conf.db" --remote="punix:$work/db.sock" --pidfile --detach \
		--no-chdir --log-file="$work/ovsdb.log"
	$vsctl --no-wait init
	$vsctl --no-wait set Open_vSwitch . other_config:dpdk-init=true \
		other_config:dpdk-socket-mem=256 other_config:pmd-cpu-mask=0x2 \
		"other_config:dpdk-extra=--no-pci -d $PLUGIN" "${@/#/other_config:}"
	ovs-vswitchd-dpdk "unix:$work/db.sock" --pidfile --detach --no-chdir \
		--log-file="$work/vswitchd.log" >"$work/vswitchd.out" 2>&1
	$vsctl add-br br0 -- set bridge br0 datapath_type=netdev
}

# The ports go, and their devices with them.
stop_ovs()
{
	local pid
	pid=$(cat "$work/ovs-vswitchd-dpdk.pid")
	$vsctl del-br br0
	wait_for 180 nothing_left || check_nothing_left
	ovs-appctl -t ovs-vswitchd-dpdk exit --cleanup
	wait_for 180 eval "! kill -0 $pid" || fail "ovs-vswitchd does not end"
	pid=$(cat "$work/ovsdb-server.pid")
	ovs-appctl -t ovsdb-server exit
	wait_for 180 eval "! kill -0 $pid" || fail "ovsdb-server does not end"
}

# Nothing went wrong at a port.
port_is_up()
{
	[ -z "$($vsctl get Interface "$1" error | tr -d '[]"')" ] ||
		fail "port $1: $($vsctl get Interface "$1" error)"
	[ "$($vsctl get Interface "$1" link_state)" = up ]
}

# vduse_port N NETNS ADDRESS/PREFIX ARGS: a net_vduse port vduseN, whose interface is eth0 there.
vduse_port()
{
	local devargs=net_vduse$1,iface=/dev/vduse/net$1,attach=virtio$4
	$vsctl add-port br0 "vduse$1" -- set Interface "vduse$1" type=dpdk \
		"options:dpdk-devargs=$devargs"
	wait_for 180 port_is_up "vduse$1" || fail "vduse$1 is not up"
	in_netns "$2" "net$1" "$3"
}

# veth_port NETNS ADDRESS/PREFIX: a port veth0, whose peer is eth0 there.
veth_port()
{
	ip netns add "$1" 2>/dev/null || true
	ip link add veth0 type veth peer name eth0 netns "$1"
	ip link set veth0 up
	ip -n "$1" addr add "$2" dev eth0
	ip -n "$1" link set eth0 up
	$vsctl add-port br0 veth0
	wait_for 180 port_is_up veth0 || fail "veth0 is not up"
}

# internal_port NETNS ADDRESS/PREFIX: a tap device of the switch, which is eth0 there.
internal_port()
{
	ip netns add "$1" 2>/dev/null || true
	$vsctl add-port br0 internal0 -- set Interface internal0 type=internal
	ip link set internal0 netns "$1" name eth0
	ip -n "$1" addr add "$2" dev eth0
	ip -n "$1" link set lo up
	ip -n "$1" link set eth0 up
}

# reaches FROM ADDRESS: the switch has taken the ports into use, and the addresses are resolved.
reaches()
{
	wait_for 180 "$1" ping -c 1 -W 2 "$2" || fail "$1: $2 does not answer"
}

received()
{
	$vsctl get Interface "$1" statistics:rx_packets
}

# xstats INTERFACE: NAME VALUE in each line. ovs-vsctl shows few of them.
xstats()
{
	local port
	port=$($vsctl get Interface "$1" status:port_no | tr -d '"')
	echo "/ethdev/xstats,$port" | dpdk-telemetry.py |
		grep -o '"[a-z0-9_]*": [0-9]*' | tr -d '":'
}

# value_of NAME: from what xstats printed.
value_of()
{
	sed -n "s/^$1 //p"
}

# grows INTERFACE NAME: since the last call for it, or from zero.
declare -A xstat_last=()
grows()
{
	local now
	now=$(xstats "$1" | value_of "$2")
	echo "$1: $2 is ${now:-unknown}, was ${xstat_last[$1 $2]:-0}"
	[ "${now:-0}" -gt "${xstat_last[$1 $2]:-0}" ] || fail "$1: $2 is ${now:-unknown}"
	xstat_last[$1 $2]=$now
}

# stays_zero INTERFACE NAME...
stays_zero()
{
	local name now all interface=$1
	shift
	all=$(xstats "$interface")
	for name; do
		now=$(value_of "$name" <<<"$all")
		[ "$now" = 0 ] || fail "$interface: $name is ${now:-unknown}"
	done
}

# iperf_both SERVER CLIENT ADDRESS: the first two say where, such as on_right.
iperf_both()
{
	local way
	for way in "" -R; do
		"$1" iperf3 -s -1 -D >/dev/null
		wait_for 180 eval "$1 ss -Hltn | grep -q 5201" || fail "iperf3 does not listen"
		# shellcheck disable=SC2086
		"$2" iperf3 -c "$3" -t 3 $way | grep -E 'sender|receiver' || fail "iperf3 $way"
	done
}

# bridge_traffic: between the port vduse0, whose driver is on the left, and the right; compared.
bridge_traffic()
{
	addresses
	reaches on_left 10.0.0.2
	no_loss on_right ping -c 10 -i 0.1 10.0.0.1
	traffic
	iperf_both on_right on_left 10.0.0.2
	no_errors
	stays_zero vduse0 rx_q0_bad_offloads tx_q0_bad_offloads
}
