#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# iperf3 over TCP, and UDP whose every payload is checked.
. "$(dirname "$0")/guest.sh"

tcp()
{
	on_right iperf3 -s -1 >"$work/server.log" 2>&1 &
	wait_for 10 listening || fail "iperf3 does not listen"
	on_left iperf3 -c 10.0.0.2 -t 5 "$@" | tee "$work/client.log" | grep -E 'sender|receiver' ||
		fail "iperf3 $*"
	wait $!
}

listening()
{
	on_right ss -Hltn | grep -q 5201
}

start_pair fwd ""

step "TCP to the right, then to the left"
tcp
tcp -R

step "UDP: every datagram arrives as it was sent"
on_right python3 "$(dirname "$0")/udp_check.py" receive 5000 >"$work/udp.log" 2>&1 &
receiver=$!
wait_for 10 grep -q ready "$work/udp.log" || fail "the receiver does not start"
on_left python3 "$(dirname "$0")/udp_check.py" send 10.0.0.2 5000
wait $receiver || fail "datagrams lost or damaged"
tail -n 1 "$work/udp.log"
stop_testpmd fwd
ok
