#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
#   test/host/host_33_interrupt.sh SLEEPER
#
# An application that sleeps on receive interrupts: it is woken by packets and by nothing else,
# whatever drivers come and go. And what ethdev says of the queues of a port.
. "$(dirname "$0")/host.sh"
sleeper=$1

start_sleeper()
{
	mkfifo "$work/sleeper.in"
	taskset -c "$LCORES" "$sleeper" -l "$LCORES" --main-lcore 0 --no-pci -d "$PLUGIN" \
		"${memory[@]}" --vdev "net_vduse0,iface=$sock,mtu=65535" \
		<>"$work/sleeper.in" >"$work/sleeper.log" 2>&1 &
	testpmd_pid[sleeper]=$!
	exec {fd}>"$work/sleeper.in"
	testpmd_stdin[sleeper]=$fd
	wait_for 40 grep -q ready "$work/sleeper.log" || fail "the application does not start"
}

lines_exceed()
{
	[ "$(log_lines sleeper echoed)" -gt "$1" ]
}

# said WORD: the number that the application says of it now.
said()
{
	local before
	before=$(log_lines sleeper echoed)
	echo show >&"${testpmd_stdin[sleeper]}"
	wait_for 20 lines_exceed "$before" || fail "the application says nothing"
	sed -n "s/.*$1 \([0-9]*\).*/\1/p" "$work/sleeper.log" | tail -n 1
}

# ticks: processor time of the lcore that polls, hundredths of a second.
ticks()
{
	local task
	# The second is that of DPDK 24.03 and later.
	task=$(grep -lxE '(rte-worker-|dpdk-worker).*' \
		/proc/"${testpmd_pid[sleeper]}"/task/*/comm) || fail "no lcore"
	echo $(($(cut -d' ' -f14,15 "$(dirname "$task")/stat" | tr ' ' '+')))
}

sleeps()
{
	local before after
	before=$(ticks)
	sleep 1
	after=$(ticks)
	echo "processor time in a second: $((after - before)) ticks"
	[ $((after - before)) -le 5 ] || fail "the lcore does not sleep: $((after - before)) ticks"
}

# answers: one burst of the driver wakes the lcore, and each packet comes back.
answers()
{
	local before
	before=$(said slept)
	testpmd_cmd virtio "clear port stats all" >/dev/null
	testpmd_cmd virtio "start tx_first 1" >/dev/null
	wait_for 10 received virtio 32 || fail "$(count virtio RX-packets) of 32 packets came back"
	[ "$(said slept)" -gt "$before" ] || fail "the lcore was not woken"
	testpmd_cmd virtio stop >/dev/null
}

# events NB: so many times since the start a queue was enabled or disabled.
events()
{
	[ "$(said queue_events)" = "$1" ]
}

# with WHAT DEVARGS: a driver comes and goes.
with()
{
	local told
	step "$1"
	told=$(said queue_events)
	start_driver virtio "$2"
	wait_for 10 events $((told + 2)) || fail "$(said queue_events) events of queues, $told before"
	answers
	sleeps
	answers
	answers
	stop_testpmd virtio
	wait_for 10 events $((told + 4)) || fail "$(said queue_events) events of queues, $told before"
}

# shows COMMAND TEXT: what testpmd says of the port.
shows()
{
	local out
	out=$(testpmd_cmd vduse "show $1")
	case $out in
	*"$2"*) ;;
	*) fail "show $1: no \"$2\": $out" ;;
	esac
}

# running NB: both queues say so.
running()
{
	[ "$(testpmd_cmd vduse "show port xstats 0" | grep -ac "_q0_running: $1")" = 2 ]
}

# status QUEUE OFFSET TEXT
status()
{
	shows "port 0 $1 0 desc $2 status" "Desc status = $3"
}

start_sleeper
step "it sleeps while there is no driver"
sleeps
with "split ring" ""
with "packed ring" ",packed_vq=1,in_order=0"
step "a driver that is killed makes room for the next"
start_driver virtio ""
answers
kill_testpmd virtio
with "split ring, in order" ",in_order=1"
step "a driver that gives no kick descriptor: the lcore polls"
"$(dirname "$0")/no_kicks.py" "$sock" 200 || fail "see above"
logged_once sleeper "gave no kick descriptor for virtqueue 1"
step "it sleeps again"
sleeps
with "split ring after that" ""
stop_testpmd sleeper

step "burst modes and descriptors"
start_backend vduse ""
testpmd_cmd vduse stop >/dev/null
shows "rxq info 0 0" "Burst mode: Scalar, no driver"
status rxq 0 AVAILABLE
status txq 0 FULL
running 0 || fail "queues run without a driver"
start_driver virtio ",packed_vq=1,in_order=0"
testpmd_cmd virtio "start tx_first 1" >/dev/null
shows "rxq info 0 0" "Burst mode: Scalar, packed ring"
shows "txq info 0 0" "Burst mode: Scalar, packed ring"
status rxq 31 DONE
status rxq 32 AVAILABLE
status txq 255 DONE
running 1 || fail "queues do not run"
stop_testpmd virtio
stop_testpmd vduse
ok
