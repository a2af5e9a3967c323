#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# A guest with an IOMMU, which maps each buffer for one use only: two network devices that reach each
# other through net_vduse, and two disks, one with packed rings each.
disk_memory=256
. "$(dirname "$0")/disk.sh"

need "$TESTPMD"
run=$(dirname "$0")/../vm/run
truncate -s 64M "$image"

step "two ports and two disks, and a virtual machine with an IOMMU"
start_blk \
	"disk0,transport=vhost-user,socket=$work/2.sock,iommu=1,backend=ram,size=64M,packed=1" \
	"disk1,transport=vhost-user,socket=$work/3.sock,iommu=1,backend=file,path=$image"
wait_for 20 test -S "$work/3.sock" || fail "no socket"
start_testpmd vduse "${memory[@]}" --main-lcore 0 --vdev "net_vduse0,iface=$work/0.sock,iommu=1" \
	--vdev "net_vduse1,iface=$work/1.sock,iommu=1,tso=1" -- --forward-mode=io
code=0
"$run" --timeout 280 --mem 1G --hugepages 8 --log "$DPDK_VDUSE_BUILD/vm/host_42_viommu" --iommu \
	--nic "$work/0.sock" --nic "$work/1.sock,packed=on" \
	--disk "$work/2.sock,num-queues=1,packed=on" --disk "$work/3.sock,num-queues=1" \
	"$(dirname "$0")/viommu_guest.sh" || code=$?
[ "$code" != 77 ] || skip "no virtual machine"
[ "$code" = 0 ] || fail "in the virtual machine: exit code $code"

step "VIRTIO_F_ACCESS_PLATFORM was taken, and addresses were asked for"
for log in vduse blk; do
	features=$(sed -n 's/.*driver is up, features \(0x[0-9a-f]*\),.*/\1/p' "$work/$log.log" | tail -n 1)
	((features >> 33 & 1)) || fail "$log: features ${features:-(none)}"
	! grep -a "does not map the address" "$work/$log.log" || fail "$log: an address was not mapped"
done
# In either direction: how often the control thread asks ahead of an lcore depends on the machine.
misses=$(testpmd_cmd vduse "show port xstats 1" | tr -d '\r' |
	awk '/^[rt]x_q0_iotlb_misses: / { n[$1] = $2 } END { for (i in n) sum += n[i]; print sum + 0 }')
[ "$misses" -ge 100 ] || fail "$misses misses"
summary >"$work/summary"
for kind in io-errors bad-requests bad-descriptors 'in flight'; do
	[ "$(counter "$kind" <"$work/summary")" = 0 ] || fail "$kind: $(cat "$work/summary")"
done
stop_testpmd vduse
stop_blk
ok
