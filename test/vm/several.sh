#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# Guest scripts one after another in one boot of the VM, each with processes of its own, which
# end with it, and nothing loaded that an earlier one loaded.
#
#   test/vm/several.sh NAME:SECONDS...     names without .sh, each with its time limit
#
# A line "result: passed|failed|skipped NAME SECONDS" for each. Exit 1 when one failed, 77 when all
# were skipped.
set -u

here=$(dirname "$0")
code=77

result()
{
	echo "result: $*"
	case $1 in
	failed) code=1 ;;
	passed) [ $code = 1 ] || code=0 ;;
	esac
}

# The module of Linux 7.2 and 7.3 loses references to itself when vdpa adds a device again: it stays.
may_stay()
{
	[ "$1" = vduse ] && [ "${VDUSE_MODULE:-distribution}" = distribution ] &&
		[[ $(uname -r) = 7.* ]]
}

# Takes away what a script may leave. False: the next one would not begin as it should.
tidy()
{
	local module
	rm -rf /run/netns /run/dpdk /var/run/dpdk /dev/hugepages/*
	for module in virtio_vdpa vhost_vdpa virtio_net virtio_blk vduse; do
		if grep -q "^$module " /proc/modules; then
			modprobe -r "$module" 2>/dev/null || rmmod "$module" || may_stay "$module" ||
				return
		fi
	done
}

# What does not end may be the kernel's fault: its console gets who waits for what, and where the
# processors are.
tell_console()
{
	echo 7 >/proc/sys/kernel/printk
	echo w >/proc/sysrq-trigger
	echo l >/proc/sysrq-trigger
}

run_one()
{
	local name=$1 limit=$2 start=$SECONDS status=0 word=failed
	echo "=== $name"
	echo "test/vm: $name" >/dev/kmsg
	work=/run/test/$name timeout -k 5 $((limit * ${VM_PATIENCE:-1})) unshare --fork --pid --kill-child --mount-proc \
		"$here/$name.sh" || status=$?
	case $status in
	0) word=passed ;;
	77) word=skipped ;;
	124 | 137)
		echo "FAIL: stopped at the time limit of $limit s"
		tell_console
		;;
	esac
	result "$word" "$name" $((SECONDS - start))
}

while [ $# -gt 0 ]; do
	run_one "${1%:*}" "${1#*:}"
	shift
	tidy || break
done
for left; do
	echo "FAIL: ${left%:*}: not run, the one before it left a module in use"
	result failed "${left%:*}" 0
done
exit $code
