#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# A port at a vhost-user socket is handed over to a newer process while frames come and go: the driver
# keeps its connection, and no byte is wrong.
. "$(dirname "$0")/host.sh"
need python3
export DPDK_VDUSE_RUN_DIR=$work/run
times=${NET_HANDOVERS:-3}

# start_port NAME: sends back what it receives. testpmd would drop what waits when it starts.
start_port()
{
	start_testpmd "$1" "${memory[@]}" --main-lcore 0 \
		--vdev "net_vduse0,iface=$sock,mtu=65535,handover=$work/over.sock" -- \
		--mbuf-size=2176 --forward-mode=io --no-flush-rx
}

for ring in split packed; do
	step "$ring ring"
	rm -f "$work/end"
	dropped=0
	start_port p0
	"$(dirname "$0")/net_handover.py" "$sock" "$ring" "$work/end" \
		"${NET_HANDOVER_STALL_MS:-5000}" >"$work/driver.log" 2>&1 &
	driver=$!
	testpmd_pid[driver]=$driver
	sleep 1
	for ((i = 1; i <= times; i++)); do
		start_port "p$i"
		logged_once "p$((i - 1))" "handed over to another process"
		logged_once "p$i" "taken over from another process"
		stop_testpmd "p$((i - 1))"
		in_hand=$(sed -n 's/.*TX-dropped: *\([0-9]*\).*/\1/p' "$work/p$((i - 1)).log" | head -n 1)
		dropped=$((dropped + in_hand))
		sleep 1
	done
	touch "$work/end"
	wait "$driver" || fail "$(cat "$work/driver.log" "$work/p$times.log")"
	cat "$work/driver.log"
	grep -q ", $dropped lost," "$work/driver.log" ||
		fail "testpmd had $dropped frames in hand that it could not send"
	stop_testpmd "p$times"
	[ ! -e "$work/over.sock" ] || fail "the path is left behind"
done
ok
