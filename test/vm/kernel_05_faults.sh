#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# Every allocation that a call makes fails once, on a kernel that can do that (config/debug-kernel):
# each call says so, and leaves nothing in the way of the next one, nor in memory.
. "$(dirname "$0")/guest.sh"
. "$(dirname "$0")/kernel_guest.sh"

faults=$DPDK_VDUSE_BUILD/test/vm/kernel-faults
[ -e /proc/self/fail-nth ] || skip "no fault injection in this kernel: DPDK_VDUSE_KERNEL names" \
	"none that config/debug-kernel made. NOTHING OF THIS TEST RAN"

# Nothing fails by chance; what fails says nothing in the kernel's log.
for kind in failslab fail_page_alloc fail_usercopy; do
	echo 0 >/sys/kernel/debug/$kind/probability
	echo 0 >/sys/kernel/debug/$kind/verbose
done
for kind in failslab fail_page_alloc; do
	echo N >/sys/kernel/debug/$kind/ignore-gfp-wait
done
echo 0 >/sys/kernel/debug/fail_page_alloc/min-order

# part DRIVER MODULES...
part()
{
	local code=0
	load_modules vduse "$@"
	"$faults" "${1%_vdpa}" >"$work/$1.log" 2>&1 || code=$?
	cat "$work/$1.log"
	[ $code = 0 ] || fail "$1: exit code $code"
	check_no_leaks vduse
	modprobe -r "$1"
	rmmod vduse
}

step "under vhost_vdpa"
part vhost_vdpa
step "under virtio_vdpa and virtio_net"
part virtio_vdpa virtio_net
check_nothing_left
ok
