#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# RSS, interrupt coalescing and device statistics over VDUSE API 1, as Linux sets and reads them with
# ethtool; then 4 queue pairs with a control queue go down and up under traffic.
. "$(dirname "$0")/guest.sh"
. "$(dirname "$0")/transfer.sh"

# Linux's own key is random. With this one, the flows that testpmd sends use all entries.
key=6d:5a:56:da:25:5b:0e:c2:41:67:25:3d:43:a3:8f:b0:d0:ca:2b:cb:ae:7b:30:b4:77:cb:2d:a3:80:30:f2:0c
key+=:6a:42:b7:3b:be:ac:01:fa

# Packets that Linux counted on each receive queue of the left.
driver_rx()
{
	on_left python3 "$(dirname "$0")/queue_stats.py" eth0 >"$work/queues" || fail "no statistics of queues"
	sort -n "$work/queues" | awk '{ print $2 }' | xargs
}

# device_stat NAME: of the left, as ethtool -S prints it
device_stat()
{
	on_left ethtool -S eth0 | sed -n "s/^ *$1: //p"
}

# gained: sets $got, how many packets each queue received since $before
gained()
{
	got=$(driver_rx | awk -v before="$before" \
		'{ split(before, old); for (q = 1; q <= NF; q++) print $q - old[q] }' | xargs)
}

# arrived NB: NB packets since $before
arrived()
{
	gained
	[ "$(echo "$got" | awk '{ for (q = 1; q <= NF; q++) sum += $q; print sum }')" -ge "$1" ]
}

all_gained()
{
	gained
	[[ ! " $got " == *" 0 "* ]]
}

# lands_on QUEUE...: 256 packets of 256 flows to the left arrive, on exactly these queues
lands_on()
{
	local sent queues
	before=$(driver_rx)
	testpmd_cmd fwd "clear port stats 0" >/dev/null
	testpmd_cmd fwd "start tx_first 2" >/dev/null
	testpmd_cmd fwd stop >/dev/null
	sent=$(count fwd TX-packets)
	[ "$sent" -ge 128 ] || fail "testpmd sent $sent packets only"
	wait_for 60 arrived "$sent" || fail "$sent sent, received: $got"
	queues=$(echo "$got" | awk '{ for (q = 1; q <= NF; q++) if ($q > 0) print q - 1 }' | xargs)
	echo "packets on each queue: $got"
	[ "$queues" = "$*" ] || fail "packets on the queues $queues, not on $*"
}

# table: queues that the table of the left names, in its order without repetitions
table()
{
	on_left ethtool -x eth0 | sed -n 's/^ \+[0-9]\+: \+\([0-9]\)/\1/p' | tr -s ' ' '\n' | grep . | uniq | xargs
}

# interrupts_of_pings rx|tx: how many 50 pings to the left cost that arrive or are answered
interrupts_of_pings()
{
	local first
	first=$(device_stat "$1_hw_interrupts")
	no_loss on_right ping -f -q -c 50 -W 30 10.0.0.1 >"$work/ping.log" || fail "$(cat "$work/ping.log")"
	interrupts=$(($(device_stat "$1_hw_interrupts") - first))
	echo "$interrupts $1 interrupts"
}

load_modules vduse
echo 1 >/sys/module/vduse/parameters/virtio_ctrl_vq
start_pair fwd ",queues=4,steer=rss,hash-report=1" --rxq=4 --txq=4 --txonly-multi-flow
for netns in left right; do
	# Linux begins with a pair for each CPU.
	ip netns exec $netns ethtool -L eth0 combined 4 || fail "no 4 queue pairs"
done

step "the table and the key"
on_left ethtool -x eth0 | grep -q 'indirection table for eth0 with 4 RX ring' || fail "$(on_left ethtool -x eth0)"
[ "$(table)" = "$(printf '0 1 2 3 %.0s' {1..32} | xargs)" ] || fail "$(on_left ethtool -x eth0)"
on_left ethtool -X eth0 hkey "$key"
on_left ethtool -x eth0 | grep -q "^$key\$" || fail "$(on_left ethtool -x eth0)"

step "flows land where the table says"
testpmd_cmd fwd stop >/dev/null
testpmd_cmd fwd "set fwd rxonly" >/dev/null
testpmd_cmd fwd "set eth-peer 0 $(on_left cat /sys/class/net/eth0/address)" >/dev/null
lands_on 0 1 2 3
on_left ethtool -X eth0 equal 1
[ "$(table)" = 0 ] || fail "$(on_left ethtool -x eth0)"
lands_on 0
on_left ethtool -X eth0 weight 0 1 0 3
[ "$(table)" = "1 3" ] || fail "$(on_left ethtool -x eth0)"
lands_on 1 3

step "another key"
on_left ethtool -X eth0 weight 0 0 1 1
# Each hash is 0 then.
on_left ethtool -X eth0 hkey "$(printf '00:%.0s' {1..39})00"
lands_on 2
on_left ethtool -X eth0 hkey "$key"
lands_on 2 3

step "without hashes all packets go to the queue of those that have none"
on_left ethtool -K eth0 rxhash on
on_left ethtool -K eth0 rxhash off
lands_on 0
on_left ethtool -K eth0 rxhash on
on_left ethtool -X eth0 equal 4
lands_on 0 1 2 3

step "statistics of the device"
# Since they were cleared before the last packets.
read -ra received <<<"$got"
for q in 0 1 2 3; do
	[ "$(device_stat "rx${q}_hw_packets")" = "${received[q]}" ] ||
		fail "queue $q: Linux received ${received[q]}, $(on_left ethtool -S eth0 | grep "rx${q}_hw")"
done
on_left ethtool -S eth0 >"$work/stats"
commands=$(sed -n 's/^ *cq_hw_command_num: //p' "$work/stats")
[ "$commands" -gt 10 ] || fail "$commands commands"
[ "$(sed -n 's/^ *cq_hw_ok_num: //p' "$work/stats")" = "$commands" ] || fail "$(grep cq_ "$work/stats")"

step "interrupt coalescing"
testpmd_cmd fwd "set fwd io" >/dev/null
testpmd_cmd fwd start >/dev/null
no_loss on_right ping -c 2 -i 0.1 -W 10 10.0.0.1
for type in rx tx; do
	interrupts_of_pings $type
	before=$interrupts
	on_left ethtool -C eth0 $type-usecs 1000000 $type-frames 25
	on_left ethtool -c eth0 | grep -q "^$type-usecs: 1000000" || fail "$(on_left ethtool -c eth0)"
	on_left ethtool -c eth0 | grep -q "^$type-frames: 25" || fail "$(on_left ethtool -c eth0)"
	interrupts_of_pings $type
	[ $((2 * interrupts)) -lt "$before" ] || fail "$interrupts interrupts, $before without coalescing"
	if [ $type = rx ]; then
		# One packet alone waits for its time.
		on_right ping -c 1 -W 60 10.0.0.1 >"$work/ping.log" || fail "$(cat "$work/ping.log")"
		rtt=$(sed -n 's/.*time=\([0-9]*\).*/\1/p' "$work/ping.log")
		[ "$rtt" -ge 900 ] || fail "the interrupt came after $rtt ms"
	fi
	on_left ethtool -C eth0 $type-usecs 0 $type-frames 1
done

step "interrupt coalescing of one queue pair"
on_left ethtool -Q eth0 queue_mask 0x4 --coalesce rx-usecs 500 rx-frames 8
frames=$(on_left ethtool -Q eth0 queue_mask 0xf --show-coalesce | sed -n 's/^rx-frames: //p' | xargs)
[ "$frames" = "1 1 8 1" ] || fail "rx-frames of each queue: $frames"

step "down and up, 50 times under traffic"
pings=()
for i in {0..7}; do
	on_left ip addr add "10.0.0.1$i/24" dev eth0
	on_right ping -q -i 0.25 "10.0.0.1$i" >/dev/null 2>&1 &
	pings+=($!)
done
before=$(driver_rx)
for ((i = 0; i < 50; i++)); do
	if [ $i = 25 ]; then
		wait_for 60 all_gained || fail "a queue without packets: $got"
		on_left ethtool -X eth0 weight 0 0 1 1
	fi
	ip -n left link set eth0 down
	ip -n left link set eth0 up
done
gained
echo "packets on each queue meanwhile: $got"
kill "${pings[@]}"
wait "${pings[@]}" || true
no_loss on_left ping -c 5 -i 0.1 -W 10 10.0.0.2
# The queues and the table are as they were.
[ "$(on_left ethtool -l eth0 | sed -n 's/^Combined:\s*//p' | tail -n 1)" = 4 ] || fail "$(on_left ethtool -l eth0)"
testpmd_cmd fwd stop >/dev/null
testpmd_cmd fwd "set fwd rxonly" >/dev/null
lands_on 2 3
testpmd_cmd fwd "set fwd io" >/dev/null
testpmd_cmd fwd start >/dev/null
no_loss on_right ping -c 5 -i 0.1 -W 10 10.0.0.1
stop_testpmd fwd
check_nothing_left
ok
