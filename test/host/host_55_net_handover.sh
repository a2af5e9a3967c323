#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# A port at a vhost-user socket is handed over to a newer process while frames come and go: the driver
# keeps its connection, and no byte is wrong. Then one of the two is killed meanwhile: the other one
# serves, or a third one that is started, and no byte is wrong.
. "$(dirname "$0")/host.sh"
need python3
export DPDK_VDUSE_RUN_DIR=$work/run
times=${NET_HANDOVERS:-3}
kills=${NET_HANDOVER_KILLS:-2}

# launch_port NAME: sends back what it receives. testpmd would drop what waits when it starts.
launch_port()
{
	launch_testpmd "$1" -l "$LCORES" --no-pci --file-prefix="$1" -d "$PLUGIN" "${memory[@]}" \
		--main-lcore 0 \
		--vdev "net_vduse0,iface=$sock,mtu=65535,handover=$work/over.sock" -- \
		-i --auto-start --disable-link-check --total-num-mbufs=16384 --mbuf-size=2176 \
		--forward-mode=io --no-flush-rx
}

start_port()
{
	launch_port "$1"
	wait_prompt "$1" 0
}

# Frames that came back since the driver began.
frames()
{
	cat "$work/frames" 2>/dev/null || echo 0
}

more_than()
{
	[ "$(frames)" -gt "$1" ]
}

# serves NAME: frames come back. Not if it has ended, or is without a port.
serves()
{
	local before end=$((SECONDS + 30 * ${VM_PATIENCE:-1}))
	before=$(frames)
	until more_than $((before + 20)); do
		testpmd_alive "$1" || return 1
		[ $SECONDS -lt $end ] || return 1
		sleep 0.1
	done
}

# kill_one OLD NEW THIRD VICTIM MOMENT: sets serving. Another process is needed only if the one that is
# left has handed the port over, or had begun to take it over.
kill_one()
{
	local victim=$2 left=$1
	launch_port "$2"
	wait_for 40 grep -q "EAL: " "$work/$2.log" || fail "$2 does not start"
	sleep "$5"
	[ "$4" = new ] || { victim=$1 left=$2; }
	kill_testpmd "$victim"
	if serves "$left"; then
		serving=$left
		return
	fi
	if [ "$4" = new ]; then
		grep -q "handed over to another process" "$work/$left.log" ||
			fail "$left serves nothing, and has not handed it over"
	else
		grep -q "not taken over" "$work/$left.log" || fail "$left serves nothing"
	fi
	if testpmd_alive "$left"; then
		stop_testpmd "$left"
	else
		reap_testpmd "$left" || true
	fi
	start_port "$3"
	serves "$3" || fail "$3 serves nothing"
	serving=$3
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

step "the old one dies before it begins"
python3 -c 'import socket, sys
listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
listener.bind(sys.argv[1])
listener.listen()
peer = listener.accept()[0]
listener.close()
peer.close()' "$work/over.sock" &
wait_for 10 test -S "$work/over.sock" || fail "nobody listens"
start_port d0
logged_once d0 "has ended: starts without it"
[ -S "$sock" ] || fail "d0 serves no socket"
stop_testpmd d0

for ring in split packed; do
	step "$ring ring, $kills kills"
	rm -f "$work/end" "$work/frames"
	serving=q0
	start_port q0
	"$(dirname "$0")/net_handover_kill.py" "$sock" "$ring" "$work/end" "$work/frames" \
		>"$work/driver.log" 2>&1 &
	driver=$!
	testpmd_pid[driver]=$driver
	serves q0 || fail "nothing comes back"
	for ((i = 1; i <= kills; i++)); do
		victim=new
		[ $((i % 2)) = 0 ] || victim=old
		moment=0.$((RANDOM % 10))$((RANDOM % 10))
		echo "-- the $victim one is killed after $moment s"
		kill_one "$serving" "q$i" "r$i" "$victim" "$moment"
		testpmd_alive driver || fail "$(cat "$work/driver.log")"
	done
	touch "$work/end"
	wait "$driver" || fail "$(cat "$work/driver.log" "$work/$serving.log")"
	cat "$work/driver.log"
	stop_testpmd "$serving"
	[ ! -e "$work/over.sock" ] || fail "the path is left behind"
done
ok
