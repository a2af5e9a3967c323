#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# QEMU's vhost-user network device: a Linux guest has two, and net_vduse forwards packets between
# them. One has split rings, the other the format that the driver chooses. The guest leaves checksums
# and segmentation to them.
. "$(dirname "$0")/host.sh"

run=$(dirname "$0")/../vm/run
step "two sockets, and a virtual machine with a device at each"
start_testpmd vduse "${memory[@]}" --main-lcore 0 --vdev "net_vduse0,iface=$work/0.sock,tso=1" \
	--vdev "net_vduse1,iface=$work/1.sock,tso=1" -- --forward-mode=io
code=0
"$run" --timeout 200 --mem 2G --log "$DPDK_VDUSE_BUILD/vm/host_06_qemu" --nic "$work/0.sock" \
	--nic "$work/1.sock,packed=on" "$(dirname "$0")/qemu_guest.sh" || code=$?
[ "$code" != 77 ] || skip "no virtual machine"
[ "$code" = 0 ] || fail "in the virtual machine: exit code $code"
[ "$(port_count vduse 0 RX-packets)" -ge 1000 ] || fail "port 0 received too few"
for port in 0 1; do
	large=$(testpmd_cmd vduse "show port xstats $port" | sed -n 's/^rx_q0_gso_software: //p' | tail -n 1)
	[ "${large:-0}" -ge 10 ] || fail "port $port received ${large:-no} large packets"
done
# VIRTIO_NET_F_GUEST_ANNOUNCE, which depends on QEMU's control queue.
features=$(sed -n 's/.*driver is up, features \(0x[0-9a-f]*\),.*/\1/p' "$work/vduse.log" | tail -n 1)
((features & 1 << 21)) || fail "the guest took features ${features:-(none)}: it does not announce itself"

step "the ports go"
stop_testpmd vduse
ok
