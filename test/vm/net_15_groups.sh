#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# A device with two groups of virtqueues, driven over vhost_vdpa with an address space for each, also
# by a process that takes it over. The distribution's modules refuse it with one line.
. "$(dirname "$0")/guest.sh"

declare -A device_pid

# start_device NAME
start_device()
{
	taskset -c 1 "$DPDK_VDUSE_BUILD/test/vm/echo-groups" -l 1 --no-pci --file-prefix="$1" -- \
		/dev/vduse/net0 >"$work/$1.log" 2>&1 &
	device_pid[$1]=$!
}

load_modules vduse vhost_vdpa
if [ "${VDUSE_MODULE:-distribution}" != ours ]; then
	step "the kernel refuses the device"
	start_device refused
	wait "${device_pid[refused]}" && fail "the device was created"
	grep -aE 'which VDUSE API 0 does not have|has API 1 and refuses' "$work/refused.log" ||
		fail "no line says why"
	check_nothing_left
	ok
fi

step "a device with two groups"
start_device first
wait_for 30 test -c /dev/vhost-vdpa-0 || fail "no /dev/vhost-vdpa-0"
coproc driver { python3 "$(dirname "$0")/groups.py" /dev/vhost-vdpa-0 2>&1; }
# shellcheck disable=SC2154
pid=$driver_PID
while read -r -t 120 line; do
	echo "$line"
	case $line in
	up)
		step "killed, and taken over"
		kill -9 "${device_pid[first]}"
		wait "${device_pid[first]}" || true
		start_device second
		wait_for 30 grep -aq 'its driver goes on' "$work/second.log" ||
			fail "it was not taken over"
		echo >&"${driver[1]}"
		;;
	done) break ;;
	failed*) fail "$line" ;;
	esac
done <&"${driver[0]}"
[ "$line" = done ] || fail "the driver did not get to its end"
wait "$pid" || fail "the driver failed"

step "nothing is left"
kill "${device_pid[second]}"
wait "${device_pid[second]}" || fail "exit code $?"
[ ! -e /run/vduse/net0.state ] || fail "its state file is left"
check_nothing_left
ok
