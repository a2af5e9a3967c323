#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# Invalid arguments: one line that names the device, the error and what to do, and an exit code
# other than 0. They are refused before the kernel is involved, so VDUSE is not needed;
# net_08_badinput has the cases that need it.
. "$(dirname "$0")/host.sh"
. "$(dirname "$0")/../vm/badinput.sh"

net=iface=/dev/vduse/net0

step "a path that is no VDUSE name"
for path in '' /dev/vduse /dev/vduse/ /dev/vduse/control /dev/vduse/a/b /dev/vduse/.. \
	net0 "/dev/vduse/$(printf '%0300d' 0)"; do
	refused iface "iface=$path"
done
refused iface queues=1

step "queues"
for queues in 0 65536 -1 x '' 99999999999999999999; do
	refused queues "$net,queues=$queues"
done

step "queue-size"
for size in 0 1 3 100 65536 -256 x; do
	refused queue-size "$net,queue-size=$size"
done

step "mac, mtu, attach, unknown keys"
for mac in zz 01:00:00:00:00:01 00:00:00:00:00:00; do
	refused mac "$net,mac=$mac"
done
for mtu in 10 0 -1 65536 x; do
	refused mtu "$net,mtu=$mtu"
done
refused attach "$net,attach=banana"
refused colour "$net,colour=red"
ok
