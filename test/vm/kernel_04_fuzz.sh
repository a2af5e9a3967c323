#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Random calls for a bounded time, under virtio_net: the kernel says nothing, nothing is left.
# A seed is printed: the calls of a run, though not their order between threads, follow from it.
. "$(dirname "$0")/guest.sh"
. "$(dirname "$0")/kernel_guest.sh"

seed=${SEED:-$RANDOM}
load_modules vduse virtio_vdpa virtio_net
step "seed $seed"
timeout 120 "$DPDK_VDUSE_BUILD/test/vm/kernel-fuzz" "${SECONDS_TO_RUN:-10}" "$seed" ||
	fail "kernel-fuzz: exit code $?"
check_nothing_left
modprobe -r virtio_vdpa
rmmod vduse
check_no_leaks
ok
