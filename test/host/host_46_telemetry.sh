#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# The endpoints of DPDK's telemetry: a disk and a network device serve a known load, and each counter
# of each endpoint is compared with it. Then queries while drivers, and a network device, come and go.
. "$(dirname "$0")/disk.sh"

# socket_of PREFIX: the telemetry socket of a process.
socket_of()
{
	echo "${XDG_RUNTIME_DIR:-/var/run}/dpdk/$1/dpdk_telemetry.v2"
}
[ "$(id -u)" = 0 ] && unset XDG_RUNTIME_DIR

step "a disk"
truncate -s 1M "$image"
stdbuf -oL taskset -c "$LCORES" "$BLK" -l "$LCORES" --no-pci --file-prefix="telemetry-$$" --no-huge \
	-m 64 -- --device "disk0,backend=file,queues=2,path=$image,iface=$sock" >"$work/blk.log" 2>&1 &
blk_pid=$!
wait_for 20 grep -aq "listens at $sock" "$work/blk.log" || fail "no socket"
timeout 60 "$(dirname "$0")/telemetry.py" disk "$(socket_of "telemetry-$$")" "$sock" "$image" \
	"$DPDK_VDUSE_RUN_DIR" || fail "see above"
stop_blk

step "a network device"
sock=$work/net.sock
start_testpmd telemetry --no-huge -m 256 --vdev "net_vduse0,iface=$sock,queues=2" -- \
	--forward-mode=rxonly --rxq=2 --txq=2
mkfifo "$work/commands"
exec {commands}<>"$work/commands"
timeout 60 "$(dirname "$0")/telemetry.py" net "$(socket_of telemetry)" "$sock" \
	>"$work/commands" 2>"$work/net.err" &
client=$!
while read -r -t 60 command <&"$commands"; do
	[ "$command" != done ] || break
	case $command in
	--*) echo "$command" ;;
	*) testpmd_cmd telemetry "$command" >/dev/null ;;
	esac
done
wait "$client" || fail "$(cat "$work/net.err")"
stop_testpmd telemetry
ok
