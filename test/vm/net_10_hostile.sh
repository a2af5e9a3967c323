#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# Malformed rings over vhost_vdpa: one queue stops and is counted, all else goes on; after a
# reset it works again.
. "$(dirname "$0")/guest.sh"

# xstat NAME
xstat()
{
	testpmd_cmd fwd "show port xstats 0" | sed -n "s/^$1: //p"
}

# The testpmd port calls queue 1 of the pair its Rx queue.
side()
{
	[ "$1" = 1 ] && echo rx_q0 || echo tx_q0
}

check_broken()
{
	local queue faults lines
	queue=$(side "$2")
	faults=$(xstat "${queue}_faults")
	lines=$(grep -ac '^VDUSE: net0: virtqueue' "$work/fwd.log" || true)
	[ "$faults" = $((broken[$2] + 1)) ] || fail "$1: $queue has $faults faults"
	[ "$lines" = $((told + 1)) ] || fail "$1: $((lines - told)) lines about it"
	grep -a '^VDUSE: net0: virtqueue' "$work/fwd.log" | tail -n 1
	broken[$2]=$faults
	told=$lines
	[ "$(xstat "${queue}_need_reset")" = 1 ] || fail "$1: $queue does not need a reset"
	[ "$(xstat "$(side $((1 - $2)))_need_reset")" = 0 ] || fail "$1: the other queue stopped"
}

check_mended()
{
	[ "$(xstat "$(side "$2")_need_reset")" = 0 ] || fail "$1: still needs a reset"
}

load_modules vduse vhost_vdpa
start_testpmd fwd --vdev net_vduse0,iface=/dev/vduse/net0,attach=vhost \
	--vdev net_vduse1,iface=/dev/vduse/net1,attach=vhost
wait_for 10 test -c /dev/vhost-vdpa-1 || fail "no /dev/vhost-vdpa-1"
first=/dev/$(basename /sys/bus/vdpa/devices/net0/vhost-vdpa-*)
second=/dev/$(basename /sys/bus/vdpa/devices/net1/vhost-vdpa-*)
broken=(0 0)
told=0
coproc driver { python3 "$(dirname "$0")/hostile_ring.py" "$first" "$second" 2>&1; }
# shellcheck disable=SC2154
pid=$driver_PID
while read -r -t 60 state way queue; do
	case $state in
	broken) step "$way, queue $queue"; check_broken "$way" "$queue" ;;
	mended) check_mended "$way" "$queue" ;;
	done) break ;;
	*) fail "$state $way $queue" ;;
	esac <&0
	echo >&"${driver[1]}"
done <&"${driver[0]}"
[ "$state" = done ] || fail "the driver says nothing"
wait "$pid" || fail "the driver's exit code is $?"
{ [ "${broken[0]}" = 9 ] && [ "${broken[1]}" = 9 ]; } || fail "not every way was tried"
stop_testpmd fwd
check_nothing_left
ok
