#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# QEMU's announce_self: its firmware iPXE, which does not announce itself, sends on the virtio-net
# device, and the port receives a RARP packet with the guest's address.
. "$(dirname "$0")/host.sh"
need_qemu

rarp_packets()
{
	grep -ac "src=52:54:00:12:34:56 - dst=FF:FF:FF:FF:FF:FF .*type=0x8035" "$work/vduse.log" || true
}

more_rarp_packets()
{
	[ "$(rarp_packets)" -gt "$1" ]
}

step "the guest runs"
start_backend vduse ""
testpmd_cmd vduse "set verbose 1" >/dev/null
mkfifo "$work/monitor"
timeout 200 "$qemu_program" -display none -boot n -m 256 -monitor stdio \
	-object memory-backend-memfd,id=m,size=256M,share=on -machine q35,memory-backend=m \
	-chardev "socket,id=c0,path=$sock" -netdev vhost-user,id=n0,chardev=c0 \
	-device virtio-net-pci,netdev=n0,mac=52:54:00:12:34:56 \
	<>"$work/monitor" >"$work/qemu.log" 2>&1 &
qemu_pid=$!
testpmd_pid[qemu]=$qemu_pid
if ! wait_for 60 grep -aq "driver is up" "$work/vduse.log"; then
	! grep -aq romfile "$work/qemu.log" || skip "*** QEMU has no iPXE: nothing was tested"
	fail "no driver: $(tail -n 5 "$work/qemu.log")"
fi

step "QEMU announces it"
before=$(rarp_packets)
echo announce_self >"$work/monitor"
wait_for 20 more_rarp_packets "$before" || fail "no RARP packet"

step "the guest goes"
echo quit >"$work/monitor"
wait "$qemu_pid" || fail "QEMU: exit code $?"
unset "testpmd_pid[qemu]"
stop_testpmd vduse
ok
