#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# Process 1 of the test VM once the root is mounted: sets up what tests expect,
# runs the job that `run` left in the log folder, sends its output to the first
# virtio port, the word that it begins and its exit code to the second, and switches the VM off.
# What programs built for coverage counted goes to the third, if there is one.
set -u
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root

argument()
{
	sed -n "s/.*$1=\([^ ]*\).*/\1/p" /proc/cmdline
}

mount_rest()
{
	mkdir -p /dev/pts /dev/shm /dev/hugepages
	mount -t devpts devpts /dev/pts
	mount -t tmpfs tmpfs /dev/shm
	mount -t tmpfs tmpfs /run
	# The kernel's threads, too, for tests that have a /proc of their own.
	mkdir /run/proc
	mount -t proc proc /run/proc
	mount -t cgroup2 cgroup2 /sys/fs/cgroup
	mount -t hugetlbfs -o pagesize=2M hugetlbfs /dev/hugepages
	mkdir -p "/lib/modules/$(uname -r)"
	mount --bind "$(argument vm_kernel)/lib/modules/$(uname -r)" "/lib/modules/$(uname -r)"
}

# EAL loads no driver from below a folder that everybody may write to, and a build
# folder may lie in /tmp: only the guest sees this.
protect_build_folder()
{
	local dir=$DPDK_VDUSE_BUILD
	while [ "$dir" != / ] && [ -n "$dir" ]; do
		dir=$(dirname "$dir")
		chmod o-w "$dir"
	done
}

# EAL loads each driver in DPDK's folder that is called NAME.so or NAME.so.MAJOR.MINOR, at each start:
# most of the time that a start takes in emulation. Here it finds those that scripts use. The dynamic
# linker, which looks for NAME.so.MAJOR, finds all of them.
choose_drivers()
{
	local dir all name
	for dir in /usr/lib/*/dpdk/pmds-*; do
		[ -d "$dir" ] || continue
		all=$dir.all
		mkdir "$all"
		mount --bind "$dir" "$all"
		mount -t tmpfs -o mode=755 drivers "$dir"
		ln -s "$all"/*.so.[0-9][0-9] "$dir"
		for name in bus_pci bus_vdev mempool_ring net_null net_ring net_vhost net_virtio; do
			ln -s "$all/librte_$name.so" "$dir"
		done
	done
}

# The host's tree is read-only, and a counter file found there would be added to. Here the paths
# begin below the build folder.
keep_counters()
{
	local slashes=${DPDK_VDUSE_BUILD//[^\/]/}
	export GCOV_PREFIX=/run/counters GCOV_PREFIX_STRIP=${#slashes}
	mkdir -m 1777 "$GCOV_PREFIX"
}

send_counters()
{
	tar -C "$GCOV_PREFIX" -cf - . >/dev/vport1p3 || echo "BUG: no counters" >/dev/kmsg
}

switch_off()
{
	sync
	exec busybox poweroff -f
}

mount_rest
hostname dpdk-vduse-vm
ip link set lo up
# shellcheck source=/dev/null
. "$(argument vm_job)"
export VM_TOP
protect_build_folder
choose_drivers
cd "$VM_TOP" || switch_off
# A kernel that finds fewer hides races.
[ "$(nproc)" = "$VM_CPUS" ] || echo "BUG: $(nproc) processors, not $VM_CPUS" >/dev/kmsg

if [ "$VM_INTERACTIVE" = 1 ]; then
	setsid -c bash -c '"$@"; echo "exit code $?; leave with ^D"; exec bash -i' job \
		"${VM_COMMAND[@]}" <>/dev/ttyS0 >&0 2>&1
	code=0
else
	echo begin >/dev/vport1p2
	[ "$VM_COUNTERS" = 0 ] || keep_counters
	"${VM_COMMAND[@]}" </dev/null >/dev/vport1p1 2>&1
	code=$?
	[ "$VM_COUNTERS" = 0 ] || send_counters
fi
echo "exit $code" >/dev/vport1p2
switch_off
