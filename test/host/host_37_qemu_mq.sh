#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# A Linux guest of QEMU with two devices of four queue pairs: net_vduse forwards packets between them,
# queue by queue. The guest sends from each of its processors, and changes the number of pairs.
. "$(dirname "$0")/host.sh"
need_qemu

run=$(dirname "$0")/../vm/run
pairs=4

# queue_count PORT rx|tx QUEUE
queue_count()
{
	testpmd_cmd vduse "show port xstats $1" | sed -n "s/^$2_q$3_good_packets: *\([0-9]*\).*/\1/p"
}

step "two sockets, and a virtual machine with four pairs at each"
start_testpmd vduse "${memory[@]}" --main-lcore 0 \
	--vdev "net_vduse0,iface=$work/0.sock,queues=$pairs" \
	--vdev "net_vduse1,iface=$work/1.sock,queues=$pairs" -- \
	--forward-mode=io --rxq=$pairs --txq=$pairs
code=0
"$run" --timeout 200 --mem 2G --cpus $pairs --log "$DPDK_VDUSE_BUILD/vm/host_37_qemu_mq" \
	--nic "$work/0.sock,queues=$pairs" --nic "$work/1.sock,queues=$pairs,packed=on" \
	"$(dirname "$0")/qemu_mq_guest.sh" $pairs || code=$?
[ "$code" != 77 ] || skip "no virtual machine"
[ "$code" = 0 ] || fail "in the virtual machine: exit code $code"

# The guest sent from each processor on a queue of its own, both ways.
for ((i = 0; i < pairs; i++)); do
	for port in 0 1; do
		for way in rx tx; do
			got=$(queue_count $port $way "$i")
			echo "port $port $way queue $i: $got packets"
			[ "${got:-0}" -ge 50 ] || fail "port $port $way queue $i: ${got:-no} packets"
		done
	done
done
[ "$(log_lines vduse 'not polled')" = 0 ] || fail "a queue is said not to be polled"
stop_testpmd vduse
ok
