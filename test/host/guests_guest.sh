#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# The guest part of host_39_guests, guest 1 or 2: exchanges pings and files with the other guest, whose
# contents both make, with the offloads that Linux switches on, and then without segmentation in guest 1.
#
#   guests_guest.sh NUMBER PAIRS
. "$(dirname "$0")/../vm/guest.sh"

me=$1 pairs=$2
peer=$((3 - me))
address=10.0.0.$peer
tcp_check=$(dirname "$0")/../vm/tcp_check.py
lines=600000
# Packets of a file when each holds no more than the MTU allows; a line has 8 bytes.
small_packets=$((lines * 8 / 1448))

# has FEATURE on|off
has()
{
	ethtool -k eth0 | grep -q "^$1: $2" || fail "$1 is not $2: $(ethtool -k eth0 | grep "$1")"
}

# content SENDER ROUND: what it sends then, so that no other file passes for it.
content()
{
	local first=$((1000000 * (2 * $1 + $2)))
	seq $first $((first + lines - 1))
}

sent_packets()
{
	cat /sys/class/net/eth0/statistics/tx_packets
}

# no_connection: the peer has acknowledged all that this guest sent, the end too.
no_connection()
{
	! ss -Htan | grep -qvE '^(TIME-WAIT|LISTEN)'
}

all_acknowledged()
{
	wait_for 300 no_connection || fail "not everything is acknowledged: $(ss -tan)"
}

# send_file ROUND: when the peer listens; before, it refuses the connection. `packets` is how many
# packets Linux gave to the device.
send_file()
{
	content "$me" "$1" >"$work/sent"
	packets=$(sent_packets)
	wait_for 300 python3 "$tcp_check" send "$address" "$work/sent" || fail "cannot send"
	all_acknowledged
	packets=$(($(sent_packets) - packets))
	echo "sent $packets packets"
}

# receive_file ROUND
receive_file()
{
	content "$peer" "$1" >"$work/expected"
	python3 "$tcp_check" receive "$work/got" >"$work/tcp.log" 2>&1 || fail "cannot receive"
	cmp "$work/expected" "$work/got" || fail "the bytes differ"
}

# exchange ROUND: 1 sends to 2, then 2 to 1.
exchange()
{
	if [ "$me" = 1 ]; then
		send_file "$1"
		receive_file "$1"
	else
		receive_file "$1"
		send_file "$1"
	fi
}

# No packet was thrown away for its checksum.
no_errors()
{
	[ "$(nstat -az TcpInCsumErrors IpInHdrErrors | awk '!/^#/ { sum += $2 } END { print sum + 0 }')" = 0 ] ||
		fail "$(nstat -az | grep -iE 'csum|HdrErrors')"
}

load_modules virtio_net
wait_for 30 test -e /sys/class/net/eth0 || fail "no interface"
ethtool -L eth0 combined "$pairs"
ip addr add "10.0.0.$me/24" dev eth0
ip link set eth0 up
has tx-checksumming on
has tcp-segmentation-offload on

step "the other guest is there"
wait_for 500 ping -c 1 -W 1 "$address" || fail "no answer from $address"
no_loss ping -c 10 -i 0.2 "$address"
no_loss ping -c 10 -i 0.2 -s 1472 -M do "$address"

step "a file each way, checksums and segmentation left to the device"
exchange 0
[ "$packets" -lt "$small_packets" ] || fail "$packets packets: Linux segmented"

step "a file each way, segmentation switched off in guest 1"
if [ "$me" = 1 ]; then
	ethtool -K eth0 tso off gso off gro off
	has tcp-segmentation-offload off
fi
exchange 1
if [ "$me" = 1 ]; then
	[ "$packets" -ge "$small_packets" ] || fail "$packets packets: Linux did not segment"
else
	[ "$packets" -lt "$small_packets" ] || fail "$packets packets: Linux segmented"
fi
no_errors
# The peer may still need an acknowledgement.
all_acknowledged
ok
