#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# An MTU of 9000: frames that span several mbufs and several ring buffers.
. "$(dirname "$0")/guest.sh"

step "the kernel takes the MTU from the device"
start_pair fwd ",mtu=9000" --max-pkt-len=9018 --enable-scatter
for side in left right; do
	mtu=$(ip netns exec $side cat /sys/class/net/eth0/mtu)
	[ "$mtu" = 9000 ] || fail "$side: the MTU is $mtu, not 9000"
done

step "frames of every size up to 9000 bytes"
no_loss on_left ping -c 20 -i 0.05 -M do -s 8972 10.0.0.2
no_loss on_right ping -c 20 -i 0.05 -M do -s 8972 10.0.0.1
for size in 1473 2000 2035 2036 2037 4070 4071 4072 6000 8971; do
	no_loss on_left ping -q -c 2 -i 0.05 -M do -s $size 10.0.0.2
done
no_loss on_left ping -f -q -c 1000 -M do -s 8972 10.0.0.2

step "TCP with 9000-byte frames"
on_right iperf3 -s -1 >"$work/server.log" 2>&1 &
sleep 1
on_left iperf3 -c 10.0.0.2 -t 3 | grep receiver || fail "iperf3"
stop_testpmd fwd

step "large packets of 9000-byte segments"
start_pair fwd ",mtu=9000,tso=1" --max-pkt-len=9018 --enable-scatter
on_right iperf3 -s -1 >"$work/server.log" 2>&1 &
sleep 1
on_left iperf3 -c 10.0.0.2 -t 3 | grep receiver || fail "iperf3"
large=$(testpmd_cmd fwd "show port xstats 0" | sed -n 's/^rx_q0_gso_software: //p' | tail -n 1)
echo "$large packets segmented"
[ "${large:-0}" -gt 100 ] || fail "no large packets"
for name in bad_offloads oversize_dropped; do
	testpmd_cmd fwd "show port xstats 0" | grep -q "^rx_q0_$name: 0" || fail "port 0 counts $name"
done
stop_testpmd fwd
ok
