#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# The guest part of host_21_qemu_rings: writes of scattered pages.
. "$(dirname "$0")/../vm/guest.sh"

# disk SERIAL: its node
disk()
{
	local dir
	for dir in /sys/block/vd*; do
		[ "$(cat "$dir/serial")" != "$1" ] || basename "$dir"
	done
}

load_modules virtio_blk
wait_for 10 test -b /dev/vdb || fail "no disks"
for nb in 0 1; do
	name=$(disk "disk$nb")
	step "disk$nb, no indirect descriptors: pages that are scattered"
	grep . "/sys/block/$name/queue/max_segments" "/sys/block/$name/queue/max_sectors_kb"
	timeout $((60 * VM_PATIENCE)) python3 "$(dirname "$0")/scattered.py" "/dev/$name" 130 ||
		fail "exit code $?"
done
ok
