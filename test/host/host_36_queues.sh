#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# Several queue pairs between net_vduse at a socket and DPDK's virtio driver: packets on every queue in
# both directions, a driver with fewer pairs than the device, and one that changes their number.
. "$(dirname "$0")/host.sh"

# Packets of each queue.
few=200

# start_ports QUEUES DRIVER_QUEUES DEVARGS [POLLED]: a device, and a driver that asks for
# DRIVER_QUEUES. The device's application polls POLLED of its queues, or all.
start_ports()
{
	local polled=${4:-$1}
	start_testpmd vduse "${memory[@]}" --main-lcore 0 \
		--vdev "net_vduse0,iface=$sock,queues=$1" -- \
		--forward-mode=rxonly --rxq="$polled" --txq="$polled"
	launch_testpmd virtio -l "$LCORES" --main-lcore 1 --no-pci "${memory[@]}" \
		--file-prefix=virtio --vdev "net_virtio_user0,path=$sock,queues=$2$3" -- \
		-i --disable-link-check --total-num-mbufs=16384 --forward-mode=rxonly \
		--rxq="$2" --txq="$2"
	wait_prompt virtio 0
}

# queue_count NAME rx|tx QUEUE: packets, as the port of NAME counts them.
queue_count()
{
	sed -n "s/^$2_q$3_\(good_packets\|packets\): *\([0-9]*\).*/\2/p" "$work/$1.xstats" | tail -n 1
}

# counted NAME: reads the counters of a port.
counted()
{
	testpmd_cmd "$1" "show port xstats 0" >"$work/$1.xstats"
}

# each_queue_has NAME rx|tx FIRST LAST
each_queue_has()
{
	local i
	counted "$1"
	for ((i = $3; i <= $4; i++)); do
		[ "$(queue_count "$1" "$2" "$i")" -ge "$few" ] || return 1
	done
}

# both_count FROM TO QUEUES: what each queue sent has arrived on the same queue.
both_count()
{
	local i
	counted "$1"
	counted "$2"
	for ((i = 0; i < $3; i++)); do
		[ "$(queue_count "$1" tx "$i")" = "$(queue_count "$2" rx "$i")" ] || return 1
	done
}

# queues_one_way FROM TO QUEUES: packets from each of the first queues to the same queue.
queues_one_way()
{
	testpmd_cmd "$1" stop >/dev/null || true
	testpmd_cmd "$2" stop >/dev/null || true
	testpmd_cmd "$1" "clear port xstats 0" >/dev/null
	testpmd_cmd "$2" "clear port xstats 0" >/dev/null
	testpmd_cmd "$2" "set fwd rxonly" >/dev/null
	testpmd_cmd "$2" start >/dev/null
	testpmd_cmd "$1" "set fwd txonly" >/dev/null
	testpmd_cmd "$1" start >/dev/null
	wait_for 30 each_queue_has "$2" rx 0 $(($3 - 1)) ||
		fail "$1 to $2: $(grep -a "^rx_q.*packets: " "$work/$2.xstats" | tr '\n' ' ')"
	testpmd_cmd "$1" stop >/dev/null
	wait_for 5 both_count "$1" "$2" "$3" || fail "$1 to $2: $(
		grep -a "^tx_q.*packets: " "$work/$1.xstats" | tr '\n' ' '
		grep -a "^rx_q.*packets: " "$work/$2.xstats" | tr '\n' ' '
	)"
	testpmd_cmd "$2" stop >/dev/null
	echo "$1 to $2: $3 queues"
}

queues_exchange()
{
	queues_one_way virtio vduse "$1"
	queues_one_way vduse virtio "$1"
}

# with WHAT QUEUES DRIVER_QUEUES DEVARGS
with()
{
	step "$1"
	start_ports "$2" "$3" "$4"
	queues_exchange "$3"
	stop_testpmd virtio
	stop_testpmd vduse
}

# change_queues NUMBER: the driver uses so many pairs from now on, while the device sends to all.
change_queues()
{
	local command
	testpmd_cmd virtio stop >/dev/null || true
	testpmd_cmd vduse stop >/dev/null || true
	testpmd_cmd vduse "set fwd txonly" >/dev/null
	testpmd_cmd vduse start >/dev/null
	for command in "port stop 0" "port config all rxq $1" "port config all txq $1" "port start 0"; do
		testpmd_cmd virtio "$command" >/dev/null
	done
	testpmd_cmd virtio "show port info 0" | grep -q "Current number of RX queues: $1\$" ||
		fail "the driver does not use $1 queues"
}

# changes WHAT DEVARGS
changes()
{
	local queues
	step "$1"
	start_ports 8 8 "$2"
	testpmd_cmd vduse "show port info 0" >"$work/info"
	grep -q 'Max possible RX queues: 8$' "$work/info" || fail "$(grep RX "$work/info")"
	grep -q 'Max possible TX queues: 8$' "$work/info" || fail "$(grep TX "$work/info")"
	for queues in 2 8 1 5; do
		change_queues "$queues"
		queues_exchange "$queues"
	done
	stop_testpmd virtio
	stop_testpmd vduse
}

with "two pairs" 2 2 ""
with "eight pairs" 8 8 ""
with "two pairs, packed" 2 2 ",packed_vq=1,in_order=0"
with "eight pairs, packed" 8 8 ",packed_vq=1"
with "a device with eight pairs, a driver with two" 8 2 ""
changes "the driver changes the number of its pairs" ""
changes "the same, packed" ",packed_vq=1,in_order=0"
step "an application that polls two queues of eight is told so, once"
start_ports 8 8 "" 2
wait_for 30 grep -aq "not polled" "$work/vduse.log" || fail "not one line says so"
logged_once vduse "net_vduse0: 6 queue pairs of the driver are not polled, the first is pair 2: "
queues_exchange 2
logged_once vduse "not polled"
stop_testpmd virtio
stop_testpmd vduse
ok
