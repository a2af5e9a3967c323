#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# The README's commands for sockets, exactly as printed there, on a machine without a mounted
# hugetlbfs. They run in a mount namespace with its own /run and /srv.
. "$(dirname "$0")/host.sh"
need qemu-system-x86_64
need unshare
top=$(realpath "$(dirname "$0")/../..")
[ "$DPDK_VDUSE_BUILD" = "$top/build" ] || skip "*** the README's commands are for build/: not run"

# command_of FIRST TEXT: the README's command that begins so and holds TEXT.
command_of()
{
	awk -v first="    $1" -v text="$2" '
		index($0, first) == 1 && !on { on = 1; all = "" }
		on { all = all substr($0, 5) "\n"; if (!/\\$/) { on = 0
			if (index(all, text)) { printf "%s", all; exit } } }' "$top/README.md" \
		>"$work/command"
	[ -s "$work/command" ] || fail "README.md has no command $1 with $2"
	cat "$work/command"
}

# run_in NAME FIRST TEXT: the command in the background, in the namespace.
run_in()
{
	command_of "$2" "$3"
	sed '1s/^/exec /' "$work/command" >"$work/$1.sh"
	mkfifo "$work/$1.in"
	exec {fd}<>"$work/$1.in"
	nsenter -t "$namespace" -m --wd="$top" bash "$work/$1.sh" <&"$fd" >"$work/$1.log" 2>&1 &
	testpmd_pid[$1]=$!
	commands+=("$1")
}
commands=()

inside()
{
	nsenter -t "$namespace" -m "$@"
}

end_commands()
{
	local name
	for name in "${commands[@]}"; do
		kill "${testpmd_pid[$name]}" 2>/dev/null || true
		wait "${testpmd_pid[$name]}" 2>/dev/null || true
	done
	commands=()
}

unshare -m sh -c "while umount -t hugetlbfs -a 2>/dev/null && grep -q ' hugetlbfs ' /proc/mounts; do :; done
	mount -t tmpfs -o mode=755 run /run && mount -t tmpfs srv /srv && exec sleep 600" &
namespace=$!
trap 'end_commands; kill "$namespace" 2>/dev/null || true; at_exit' EXIT
wait_for 10 eval "inside grep -q ' /srv tmpfs ' /proc/mounts" || fail "no namespace"
! inside grep ' hugetlbfs ' /proc/mounts || fail "hugetlbfs is mounted"

step "a disk over a socket, and QEMU whose firmware reads it"
command_of "truncate" /srv/disk0.img
inside bash "$work/command"
run_in blk build/app/blk/dpdk-vduse-blk iface=/run/disk0.sock
wait_for 30 grep -aq "listens at /run/disk0.sock" "$work/blk.log" || fail "no socket"
run_in qemu qemu-system-x86_64 /run/disk0.sock
wait_for 120 grep -aq "disk0: driver is up" "$work/blk.log" || fail "no driver came"
end_commands

step "a network device over a socket, and virtio_user"
run_in device dpdk-testpmd iface=/run/net0.sock
wait_for 60 grep -aq "testpmd> " "$work/device.log" || fail "no device"
run_in driver dpdk-testpmd path=/run/net0.sock
wait_for 60 grep -aq "driver is up" "$work/device.log" || fail "no driver came"
# testpmd misses a signal that comes just before its prompt.
wait_for 60 grep -aq "testpmd> " "$work/driver.log" || fail "no prompt of the driver"
end_commands
ok
