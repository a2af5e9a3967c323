# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
# shellcheck shell=bash disable=SC2154
#
# Files and datagrams between the namespaces of a pair, compared where they arrive. To be sourced
# after guest.sh. The file is $work/sent.

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
	# The ready of the last one is not this one's.
	rm -f "$work/tcp.log"
	"$2" python3 "$(dirname "$0")/tcp_check.py" receive "$work/got" >"$work/tcp.log" 2>&1 &
	local receiver=$!
	wait_for 60 grep -q ready "$work/tcp.log" || fail "the receiver does not start: $(cat "$work"/[tu]?p.log)"
	"$3" python3 "$(dirname "$0")/tcp_check.py" send "$1" "$work/sent" || fail "cannot send"
	wait $receiver || fail "cannot receive: $(cat "$work/tcp.log")"
	cmp "$work/sent" "$work/got" || fail "the bytes differ"
	echo "to $1: $(stat -c %s "$work/got") bytes as they were sent"
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

# What counts packets that are lost between the left and the right.
drops()
{
	local netns port
	for netns in left right; do
		echo "--- $netns"
		ip netns exec "$netns" tc -s qdisc show dev eth0 || true
		ip netns exec "$netns" ip -s -s link show dev eth0 || true
		ip netns exec "$netns" nstat -asz 'Ip*' 'Udp*' | awk '$2 > 0' || true
	done
	[ -n "${testpmd_pid[fwd]:-}" ] || return 0
	testpmd_cmd fwd "show fwd stats all"
	for port in 0 1; do
		testpmd_cmd fwd "show port xstats $port" | grep -v ': 0$' || true
	done
}

# datagrams HOW: 500 of one kind of udp_check.py to the right. All of them arrive undamaged.
datagrams()
{
	local receiver lost=0
	rm -f "$work/udp.log"
	on_right python3 "$(dirname "$0")/udp_check.py" receive 500 >"$work/udp.log" 2>&1 &
	receiver=$!
	wait_for 60 grep -q ready "$work/udp.log" || fail "the receiver does not start: $(cat "$work"/[tu]?p.log)"
	on_left python3 "$(dirname "$0")/udp_check.py" "$1" 10.0.0.2 500 || lost=1
	wait $receiver || lost=1
	[ $lost = 0 ] || { drops; fail "datagrams lost or damaged"; }
}

traffic()
{
	no_loss on_left ping -c 5 -i 0.1 10.0.0.2
	transfer 10.0.0.2 on_right on_left
	transfer 10.0.0.1 on_left on_right
	transfer fd00::2 on_right on_left
	transfer fd00::1 on_left on_right
	datagrams send
	no_errors
}

addresses()
{
	on_left ip addr add fd00::1/64 dev eth0 nodad
	on_right ip addr add fd00::2/64 dev eth0 nodad
}
