#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# The guest part of host_37_qemu_mq: its two network devices reach each other through the host, from
# each processor by a queue of its own.
. "$(dirname "$0")/../vm/guest.sh"

pairs=$1

join()
{
	ip netns add "$1"
	ip link set "$2" netns "$1" name eth0
	ip -n "$1" addr add "$3" dev eth0
	ip -n "$1" link set eth0 up
}

# Both ways from each processor.
from_each()
{
	local cpu
	for ((cpu = 0; cpu < pairs; cpu++)); do
		no_loss on_left taskset -c "$cpu" ping -f -q -c 50 10.0.0.2
		no_loss on_right taskset -c "$cpu" ping -f -q -c 50 10.0.0.1
	done
}

load_modules virtio_net
join left eth0 10.0.0.1/24
join right eth1 10.0.0.2/24
for side in left right; do
	queues=$(ip netns exec $side sh -c 'ls -d /sys/class/net/eth0/queues/tx-*' | wc -l)
	[ "$queues" = "$pairs" ] || fail "$side has $queues queues"
done
step "packets from each processor"
from_each
if command -v ethtool >/dev/null; then
	for nb in 1 "$pairs"; do
		step "$nb pairs, while packets flow"
		on_left ping -f -q -w 1 10.0.0.2 &
		flow=$!
		on_left ethtool -L eth0 combined "$nb"
		on_right ethtool -L eth0 combined "$nb"
		wait "$flow" || fail "no packets came meanwhile"
		from_each
	done
else
	echo "*** no ethtool: the number of pairs was not changed"
fi
ok
