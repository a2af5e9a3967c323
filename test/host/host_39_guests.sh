#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# Two Linux guests of QEMU, one with split rings and one with packed rings, reach each other through one
# testpmd with two net_vduse ports. Both leave checksums and segmentation to the device, and testpmd
# passes large packets on whole.
. "$(dirname "$0")/host.sh"
need_qemu
need ethtool

run=$(dirname "$0")/../vm/run
pairs=4
declare -A guest_pid guest_log

# begun_or_ended NUMBER: QEMU runs, or the guest will not start.
begun_or_ended()
{
	[ -s "${guest_log[$1]}/qemu.pid" ] || ! kill -0 "${guest_pid[$1]}" 2>/dev/null
}

# start_guest NUMBER PROPERTIES: returns when QEMU runs, because two runs cannot make the initramfs at
# the same time.
start_guest()
{
	local log=$DPDK_VDUSE_BUILD/vm/host_39_guests_$1
	rm -f "$log/qemu.pid"
	guest_log[$1]=$log
	"$run" --timeout 900 --mem 1G --cpus 2 --hugepages 0 --log "$log" \
		--nic "$work/$1.sock,queues=$pairs,mac=52:54:00:00:00:0$1$2" \
		"$(dirname "$0")/guests_guest.sh" "$1" $pairs >"$work/guest_$1.out" 2>&1 &
	guest_pid[$1]=$!
	wait_for 300 begun_or_ended "$1" || fail "guest $1 does not start"
}

# stop_guests: those that still run.
stop_guests()
{
	local number
	for number in "${!guest_pid[@]}"; do
		! kill -0 "${guest_pid[$number]}" 2>/dev/null ||
			kill "$(cat "${guest_log[$number]}/qemu.pid")" 2>/dev/null || true
	done
}
trap 'stop_guests; at_exit' EXIT

# end_guests: the exit code of the first that ended, if it is not 0, or of the other. Without its peer
# a guest only waits, so one that failed ends both.
end_guests()
{
	local code=0 number
	wait -n "${guest_pid[@]}" || code=$?
	[ $code = 0 ] || stop_guests
	for number in 1 2; do
		wait "${guest_pid[$number]}" || [ $code != 0 ] || code=$?
		sed "s/^/guest $number: /" "$work/guest_$number.out"
	done
	return $code
}

# total PORT rx|tx COUNTER: over all queues; nothing unless each queue has it.
total()
{
	testpmd_cmd vduse "show port xstats $1" |
		awk -v name="^$2_q[0-9]+_$3:" -v pairs=$pairs \
			'$1 ~ name { sum += $2; queues++ } END { if (queues == pairs) print sum }'
}

step "two sockets, and testpmd passes large packets on between them"
start_testpmd vduse "${memory[@]}" --main-lcore 0 \
	--vdev "net_vduse0,iface=$work/1.sock,tso=1,uso=1,queues=$pairs" \
	--vdev "net_vduse1,iface=$work/2.sock,tso=1,uso=1,queues=$pairs" -- \
	--rxq=$pairs --txq=$pairs
# What is no longer than a packet without segmentation offload is not marked as large.
pass_on vduse 1448 0 1

step "a guest at each"
start_guest 1 ""
start_guest 2 ,packed=on
code=0
end_guests || code=$?
[ "$code" != 77 ] || skip "no virtual machine"
[ "$code" = 0 ] || fail "in a virtual machine: exit code $code"

step "large packets were passed on whole, both ways"
for port in 0 1; do
	for way in rx tx; do
		passed=$(total $port $way gso_passed)
		echo "port $port $way: ${passed:-no} large packets passed on whole"
		[ "${passed:-0}" -ge 10 ] || fail "port $port $way: too few"
		for name in gso_software bad_offloads; do
			got=$(total $port $way $name)
			[ "$got" = 0 ] || fail "port $port $way: $name is ${got:-not there}"
		done
	done
done
[ "$(log_lines vduse 'not polled')" = 0 ] || fail "a queue is said not to be polled"
stop_testpmd vduse
ok
