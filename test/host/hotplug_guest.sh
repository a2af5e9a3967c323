#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# The guest part of host_29_hotplug: verified I/O until all memory is plugged, and some more
# afterwards.
. "$(dirname "$0")/../vm/guest.sh"

nb_blocks()
{
	find /sys/devices/system/memory -maxdepth 1 -name 'memory[0-9]*' | wc -l
}

load_modules virtio_blk
wait_for 10 test -b /dev/vda || fail "no disk"
before=$(nb_blocks)
step "traffic"
rounds=0
plugged=0
# The last one is plugged when the host has counted the others.
# The host bounds the time: the guest's clock runs fast on a machine that is busy when it boots.
until [ "$plugged" -gt 40 ]; do
	plugged=$(($(nb_blocks) - before))
	fio --name=check --filename=/dev/vda --direct=1 --ioengine=libaio --rw=randrw --iodepth=32 \
		--bssplit=512/20:4k/60:64k/20 --size=48M --io_size=4M --verify=crc32c \
		--verify_fatal=1 --randrepeat=0 --output="$work/fio.out" || fail "$(cat "$work/fio.out")"
	rounds=$((rounds + 1))
done
echo "$rounds rounds of verified I/O, $plugged blocks of memory were plugged"
ok
