#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# Both ports of a testpmd are handed over to a newer one, HANDOVERS times, while a ping goes through
# them: the interfaces stay as they are, and keep their carrier. Then the process is killed, which is
# no dead end either.
. "$(dirname "$0")/guest.sh"

times=${HANDOVERS:-10}

start_port()
{
	start_testpmd "$1" --vdev "net_vduse0,iface=/dev/vduse/net0,attach=virtio,handover=$work/over0" \
		--vdev "net_vduse1,iface=/dev/vduse/net1,attach=virtio,handover=$work/over1" -- \
		--total-num-mbufs=4096 --no-flush-rx
}

# state NETNS: what stays as long as the interface and its carrier do.
state()
{
	local carrier
	carrier=$(ip netns exec "$1" cat /sys/class/net/eth0/{ifindex,carrier,carrier_changes,address})
	echo "$carrier" | tr '\n' ' '
}

handed_over()
{
	[ "$(grep -c "$2" "$work/$1.log")" = 2 ]
}

load_modules vduse virtio_vdpa virtio_net
step "started"
start_port p0
join_pair
no_loss on_left ping -q -c 5 -i 0.1 10.0.0.2
before="$(state left)/ $(state right)"
echo "$before"

step "handed over $times times"
# Not by on_left: its shell would get the signal, and ignore it.
ip netns exec left ping -i 0.05 10.0.0.2 >"$work/ping.out" 2>&1 &
ping=$!
for ((i = 1; i <= times; i++)); do
	start_port "p$i"
	wait_for 20 handed_over "p$((i - 1))" "handed over to another process" ||
		fail "p$((i - 1)) has not handed over"
	wait_for 20 handed_over "p$i" "taken over from another process" ||
		fail "p$i has not taken over"
	# On a thread of its own: testpmd may hang if it ends meanwhile.
	wait_for 20 grep -q "Now total ports is 0" "$work/p$((i - 1)).log" ||
		fail "p$((i - 1)) has not removed its ports"
	stop_testpmd "p$((i - 1))"
	sleep 1
	[ "$(state left)/ $(state right)" = "$before" ] ||
		fail "the interfaces changed: $(state left)/ $(state right)"
done
kill -INT "$ping"
wait "$ping" || fail "ping: $(tail -n 3 "$work/ping.out")"
tail -n 2 "$work/ping.out"
# What testpmd had in hand is lost.
lost=$(sed -n 's/^\([0-9]*\) packets transmitted, \([0-9]*\) received.*/\1 \2/p' "$work/ping.out")
[ $((${lost% *} - ${lost#* })) -le $((2 * times)) ] || fail "sent and received: $lost"
! grep -q DUP "$work/ping.out" || fail "$(grep DUP "$work/ping.out")"
no_loss on_left ping -q -c 5 -i 0.1 10.0.0.2

step "killed and started: its path is no dead end"
kill_testpmd "p$times"
start_port last
no_loss on_left ping -q -c 5 -i 0.1 -w 10 10.0.0.2
stop_testpmd last
check_nothing_left
[ -z "$(ls "$work"/over* 2>/dev/null)" ] || fail "a path is left behind"
ok
