#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# The guest part of host_30_examples: reads random bytes from the device and from no other source.
. "$(dirname "$0")/../vm/guest.sh"

load_modules virtio_rng
current=/sys/class/misc/hw_random/rng_current
wait_for 10 grep -q '^virtio_rng' $current || fail "the current one is $(cat $current)"
dd if=/dev/hwrng of="$work/random" bs=4096 count=16 iflag=fullblock status=none
[ "$(stat -c %s "$work/random")" = 65536 ] || fail "not all was read"
# 64 KiB that are random do not get any smaller.
size=$(gzip -c "$work/random" | wc -c)
echo "65536 bytes, $size compressed"
[ "$size" -gt 65000 ] || fail "they are not random"
ok
