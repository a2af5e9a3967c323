#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# Random calls for a bounded time, under virtio_net and vhost_vdpa: the kernel says nothing, nothing
# is left. A seed is printed: the calls of a run, though not their order between threads, follow
# from it.
. "$(dirname "$0")/guest.sh"
. "$(dirname "$0")/kernel_guest.sh"

fuzz=$DPDK_VDUSE_BUILD/test/vm/kernel-fuzz
seed=${SEED:-$RANDOM}
seconds=$((${SECONDS_TO_RUN:-6} * ${VM_PATIENCE:-1}))

# part DRIVER MODULES...
part()
{
	step "under $1, seed $seed"
	load_modules vduse "$@"
	timeout $((seconds * 10)) taskset -c 0,1 "$fuzz" "$seconds" "$seed" ||
		fail "kernel-fuzz: exit code $?"
	check_nothing_left
	modprobe -r "$1"
	rmmod vduse
	check_no_leaks
}

part virtio_vdpa virtio_net
part vhost_vdpa
ok
