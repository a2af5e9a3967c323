#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# An MTU of 9000: frames that span several mbufs and several ring buffers. Then the same without
# merged receive buffers: Linux posts a chain of pages for each packet.
. "$(dirname "$0")/guest.sh"

MRG_RXBUF=15

# start_jumbo DEVARGS: the MTU comes from the device, and merging is as the arguments say.
start_jumbo()
{
	local side mtu features merges=1
	[[ $1 != *mergeable=0* ]] || merges=0
	start_pair fwd ",mtu=9000$1" --max-pkt-len=9018 --enable-scatter
	for side in left right; do
		mtu=$(ip netns exec $side cat /sys/class/net/eth0/mtu)
		[ "$mtu" = 9000 ] || fail "$side: the MTU is $mtu, not 9000"
		features=$(ip netns exec $side cat /sys/class/net/eth0/device/features)
		[ "${features:MRG_RXBUF:1}" = $merges ] || fail "$side: merging is not $merges: $features"
	done
}

# every_size SIZE...: pings of the longest frame and of these sizes, both ways
# One at a time: ping waits 10 seconds for a first answer, but only twice the time of the slowest one
# for those after it, which is too short on a busy machine.
every_size()
{
	local size
	no_loss on_left ping -c 20 -i 0.05 -M do -s 8972 10.0.0.2
	no_loss on_right ping -c 20 -i 0.05 -M do -s 8972 10.0.0.1
	for size; do
		no_loss on_left ping -q -c 1 -M do -s "$size" 10.0.0.2
		no_loss on_right ping -q -c 1 -M do -s "$size" 10.0.0.1
	done
	no_loss on_left ping -f -q -c 1000 -M do -s 8972 10.0.0.2
}

tcp()
{
	on_right iperf3 -s -1 >"$work/server.log" 2>&1 &
	sleep 1
	on_left iperf3 -c 10.0.0.2 -t 3 | grep receiver || fail "iperf3"
}

nothing_bad()
{
	local name
	for name in bad_offloads oversize_dropped; do
		testpmd_cmd fwd "show port xstats 0" | grep -q "^rx_q0_$name: 0" || fail "port 0 counts $name"
	done
}

# Large packets of 9000-byte segments, which testpmd does not take.
tcp_segmented()
{
	local large
	tcp
	large=$(testpmd_cmd fwd "show port xstats 0" | sed -n 's/^rx_q0_gso_software: //p' | tail -n 1)
	echo "$large packets segmented"
	[ "${large:-0}" -gt 100 ] || fail "no large packets"
	nothing_bad
}

step "the kernel takes the MTU from the device"
start_jumbo ""
step "frames of every size up to 9000 bytes"
every_size 1473 2000 2035 2036 2037 4070 4071 4072 6000 8971
step "TCP with 9000-byte frames"
tcp
stop_testpmd fwd

step "large packets of 9000-byte segments"
start_jumbo ",tso=1"
tcp_segmented
stop_testpmd fwd

# The first page of a buffer takes 4,064 bytes of a frame, each other one 4,096. A frame of a ping has
# 42 bytes more than its payload.
edges=(1 18 1473 2036 4021 4022 4023 4054 8117 8118 8119 8150 8971)
step "frames of every size, without merging"
start_jumbo ",mergeable=0"
every_size "${edges[@]}"
nothing_bad
step "TCP, without merging"
tcp
stop_testpmd fwd

step "frames of every size, without merging, buffers for large packets"
start_jumbo ",mergeable=0,tso=1"
every_size "${edges[@]}"
nothing_bad
step "large packets of 9000-byte segments, without merging"
tcp_segmented
stop_testpmd fwd
check_nothing_left
ok
