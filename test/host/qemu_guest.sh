#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# The guest part of host_06_qemu: its two network devices reach each other through the host.
. "$(dirname "$0")/../vm/guest.sh"

join()
{
	ip netns add "$1"
	ip link set "$2" netns "$1" name eth0
	ip -n "$1" addr add "$3" dev eth0
	ip -n "$1" link set eth0 up
}

load_modules virtio_net
join left eth0 10.0.0.1/24
join right eth1 10.0.0.2/24
step "ping both ways"
no_loss on_left ping -c 10 -i 0.1 10.0.0.2
no_loss on_right ping -f -q -c 1000 -s 1472 -M do 10.0.0.1
step "checksums and segmentation are left to the device, and the bytes are right"
for side in left right; do
	for feature in tx-checksumming tcp-segmentation-offload; do
		ip netns exec $side ethtool -k eth0 | grep -q "^$feature: on" || fail "$side: no $feature"
	done
done
head -c 2M /dev/urandom >"$work/sent"
for way in "on_right on_left 10.0.0.2" "on_left on_right 10.0.0.1"; do
	read -r to from address <<<"$way"
	rm -f "$work/tcp.log"
	"$to" python3 "$(dirname "$0")/../vm/tcp_check.py" receive "$work/got" >"$work/tcp.log" 2>&1 &
	receiver=$!
	wait_for 60 grep -q ready "$work/tcp.log" || fail "the receiver does not start"
	"$from" python3 "$(dirname "$0")/../vm/tcp_check.py" send "$address" "$work/sent" || fail "cannot send"
	wait $receiver || fail "$(cat "$work/tcp.log")"
	cmp "$work/sent" "$work/got" || fail "the bytes differ"
done
step "iperf3"
on_right iperf3 -s -1 -D >/dev/null
wait_for 10 eval "on_right ss -Hltn | grep -q 5201" || fail "iperf3 does not listen"
on_left iperf3 -c 10.0.0.2 -t 3 | grep -E 'sender|receiver' || fail "iperf3"
step "down, up, and the driver away and back"
ip -n left link set eth0 down
ip -n left link set eth0 up
no_loss on_left ping -c 5 -i 0.1 -W 5 10.0.0.2
device=$(on_left readlink -f /sys/class/net/eth0/device)
driver=$(readlink -f "$device/driver")
device=$(basename "$device")
echo "$device" >"$driver/unbind"
echo "$device" >"$driver/bind"
wait_for 10 test -e /sys/class/net/eth0 || fail "the device did not come back"
ip link set eth0 netns left
ip -n left addr add 10.0.0.1/24 dev eth0
ip -n left link set eth0 up
no_loss on_left ping -c 10 -i 0.1 -W 5 10.0.0.2
ok
