#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# Checksum offload: Linux leaves its checksums to the port, and the bytes arrive as they were sent,
# over IPv4 and IPv6, with an application that knows nothing of it and with one that passes it on.
. "$(dirname "$0")/guest.sh"

# has NETNS FEATURE on|off
has()
{
	ip netns exec "$1" ethtool -k eth0 | grep -q "^$2: $3" ||
		fail "$1: $2 is not $3: $(ip netns exec "$1" ethtool -k eth0 | grep "$2")"
}

counter()
{
	testpmd_cmd fwd "show port xstats $1" | sed -n "s/^$2: //p" | tail -n 1
}

# transfer ADDRESS TO FROM: a file, compared on the other side.
transfer()
{
	"$2" python3 "$(dirname "$0")/tcp_check.py" receive "$work/got" >"$work/tcp.log" 2>&1 &
	local receiver=$!
	wait_for 10 grep -q ready "$work/tcp.log" || fail "the receiver does not start"
	"$3" python3 "$(dirname "$0")/tcp_check.py" send "$1" "$work/sent" || fail "cannot send"
	wait $receiver || fail "cannot receive: $(cat "$work/tcp.log")"
	cmp "$work/sent" "$work/got" || fail "the bytes differ"
}

# No packet was thrown away for its checksum.
no_errors()
{
	local netns
	for netns in left right; do
		[ "$(ip netns exec "$netns" nstat -az TcpInCsumErrors UdpInCsumErrors IpInHdrErrors |
			awk '!/^#/ { sum += $2 } END { print sum + 0 }')" = 0 ] ||
			fail "$netns: $(ip netns exec "$netns" nstat -az | grep -i csum)"
	done
}

traffic()
{
	no_loss on_left ping -c 5 -i 0.1 10.0.0.2
	transfer 10.0.0.2 on_right on_left
	transfer 10.0.0.1 on_left on_right
	transfer fd00::2 on_right on_left
	transfer fd00::1 on_left on_right
	on_right python3 "$(dirname "$0")/udp_check.py" receive 500 >"$work/udp.log" 2>&1 &
	local receiver=$!
	wait_for 10 grep -q ready "$work/udp.log" || fail "the receiver does not start"
	on_left python3 "$(dirname "$0")/udp_check.py" send 10.0.0.2 500
	wait $receiver || fail "datagrams lost or damaged"
	no_errors
}

addresses()
{
	on_left ip addr add fd00::1/64 dev eth0 nodad
	on_right ip addr add fd00::2/64 dev eth0 nodad
}

head -c 4M /dev/urandom >"$work/sent"

step "without csum=1 Linux computes them"
start_pair fwd ""
has left tx-checksumming off
stop_testpmd fwd

step "testpmd forwards, and the port computes them"
start_pair fwd ",csum=1"
addresses
has left tx-checksumming on
traffic
[ "$(counter 0 rx_q0_csum_software)" -gt 2000 ] || fail "port 0 computed too few"
[ "$(counter 1 tx_q0_csum_passed)" = 0 ] || fail "testpmd asked for some"
stop_testpmd fwd

step "testpmd passes them on"
start_pair fwd ",csum=1"
addresses
testpmd_cmd fwd stop >/dev/null
testpmd_cmd fwd "port stop all" >/dev/null
for port in 0 1; do
	for proto in tcp udp; do
		testpmd_cmd fwd "port config $port rx_offload ${proto}_cksum on" >/dev/null
		testpmd_cmd fwd "csum set $proto hw $port" >/dev/null
	done
	testpmd_cmd fwd "csum set ip hw $port" >/dev/null
	testpmd_cmd fwd "csum mac-swap off $port" >/dev/null
done
testpmd_cmd fwd "port start all" >/dev/null
testpmd_cmd fwd "set fwd csum" >/dev/null
testpmd_cmd fwd start >/dev/null
wait_for 10 has_carrier left || fail "no carrier"
wait_for 10 has_carrier right || fail "no carrier"
traffic
[ "$(counter 0 rx_q0_csum_passed)" -gt 2000 ] || fail "port 0 passed on too few"
[ "$(counter 1 tx_q0_csum_passed)" -gt 2000 ] || fail "port 1 passed on too few"
[ "$(counter 1 tx_q0_bad_offloads)" = 0 ] || fail "port 1 refused some"
stop_testpmd fwd
check_nothing_left
ok
