#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# QEMU's vhost-user block device as a Linux guest sees it without indirect descriptors, where a
# request must fit a ring of 128 that QEMU makes; both ring formats.
disk_memory=256
. "$(dirname "$0")/disk.sh"

run=$(dirname "$0")/../vm/run
disks=() devices=()
for properties in indirect_desc=off indirect_desc=off,packed=on; do
	nb=${#devices[@]}
	devices+=("disk$nb,transport=vhost-user,socket=$work/$nb.sock,backend=ram,size=64M,serial=disk$nb")
	disks+=(--disk "$work/$nb.sock,num-queues=1,$properties")
done

step "a virtual machine with a disk at each socket"
start_blk "${devices[@]}"
wait_for 20 test -S "$work/1.sock" || fail "no socket"
code=0
"$run" --timeout 200 --mem 2G --log "$DPDK_VDUSE_BUILD/vm/host_21_qemu_rings" \
	"${disks[@]}" "$(dirname "$0")/qemu_rings_guest.sh" || code=$?
[ "$code" != 77 ] || skip "no virtual machine"
[ "$code" = 0 ] || fail "in the virtual machine: exit code $code"

# What the guest took: event indexes (29) or not, indirect descriptors (28) or not, packed (34).
nb=0
for want in '0 1 0' '0 1 1'; do
	features=$(sed -n "s/.*disk$nb: driver is up, features \(0x[0-9a-f]*\).*/\1/p" "$work/blk.log" | tail -n 1)
	got="$((features >> 28 & 1)) $((features >> 29 & 1)) $((features >> 34 & 1))"
	[ "$got" = "$want" ] || fail "disk$nb: indirect, event, packed are $got ($features), not $want"
	nb=$((nb + 1))
done
summary >"$work/summary"
for kind in io-errors bad-requests bad-descriptors 'in flight'; do
	! counter "$kind" <"$work/summary" | grep -v '^0$' || fail "$kind: $(cat "$work/summary")"
done
stop_blk
ok
