#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# Worker lcores sleep while the drivers of their disks are silent: with 1 disk and with 100 the process
# takes less than 0.5 % of a processor. Then a driver makes pauses, in both ring formats, and one
# that sleeps until it is called: nothing is lost, nor while another disk keeps their lcore busy, which polls
# them no more. With --idle 0 lcores poll always.
. "$(dirname "$0")/disk.sh"
need python3
most=50 # milliseconds of processor time in ten seconds
disks=100

# cpu_ms: processor time of the process so far.
cpu_ms()
{
	awk -v hz="$(getconf CLK_TCK)" '{ print int(($14 + $15) * 1000 / hz) }' "/proc/$blk_pid/stat"
}

# cpu_of SECONDS: milliseconds of processor time that it takes meanwhile.
cpu_of()
{
	local before
	before=$(cpu_ms)
	sleep "$1"
	echo $(($(cpu_ms) - before))
}

# start_disks NUMBER ARGUMENTS...: disks in memory at sockets, and one in a file at $sock.
start_disks()
{
	local args=() i
	for ((i = 1; i < $1; i++)); do
		args+=(--device "disk$i,iface=$work/d$i.sock,backend=ram,size=1M")
	done
	start_blk_with --device "disk0,iface=$sock,backend=file,path=$image,in-order=1" "${args[@]}" "${@:2}"
	wait_for 20 grep -aq "listens at $sock" "$work/blk.log" || fail "no socket"
	[ "$1" = 1 ] || wait_for 60 test -S "$work/d$(($1 - 1)).sock" || fail "no last socket"
}

# connect NUMBER: drivers that are silent once they are up, until their standard input ends.
connect()
{
	local sockets=("$sock") i
	for ((i = 1; i < $1; i++)); do
		sockets+=("$work/d$i.sock")
	done
	mkfifo "$work/go"
	"$(dirname "$0")/idle_drivers.py" "${sockets[@]}" <"$work/go" >"$work/drivers.log" 2>&1 &
	drivers=$!
	exec 9>"$work/go"
	rm "$work/go"
	wait_for 60 grep -q "connected" "$work/drivers.log" || fail "$(cat "$work/drivers.log")"
}

# A driver that polls and always has requests in flight, for SECONDS.
keep_busy()
{
	taskset -c 0 "$DPDK_VDUSE_BUILD/test/perf/client/blk_client" busy null "$work/busy.sock" randread 4096 2 \
		"$1" >"$work/busy.log" 2>&1 9>&- &
	busy=$!
}

# check_drivers NUMBER: see above.
check_drivers()
{
	step "$1 disks, one driver with pauses"
	exec 9>&-
	wait "$drivers" || fail "$(cat "$work/drivers.log")"
	cat "$work/drivers.log"
	step "$1 disks, one request at a time"
	"$(dirname "$0")/depth_1.py" "$sock" 1 || fail "see above"
}

# check NUMBER
check()
{
	local cpu
	step "$1 disks, silent drivers"
	start_disks "$1"
	connect "$1"
	sleep 1
	cpu=$(cpu_of 10)
	echo "-- $1 disks: $cpu ms of processor time in 10 s"
	[ "$cpu" -lt "$most" ] || fail "$cpu ms of processor time in 10 s"
	check_drivers "$1"
	stop_blk
}

truncate -s 1M "$image"
check 1
check "$disks"

step "$disks disks beside a busy one"
start_disks "$disks" --device "busy,iface=$work/busy.sock,backend=null,size=1G"
connect "$disks"
keep_busy 300
check_drivers "$disks"
kill -0 "$busy" 2>/dev/null || fail "$(cat "$work/busy.log")"
kill -KILL "$busy"
wait "$busy" || true
stop_blk

step "--idle 0"
start_disks 1 --idle 0
cpu=$(cpu_of 2)
echo "-- polling: $cpu ms of processor time in 2 s"
[ "$cpu" -gt 100 ] || fail "it does not poll"
stop_blk
ok
