#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# Back ends come, go and die: 100 cycles of a block device, a back end killed under load, and the
# module loaded and unloaded with nothing left in memory.
. "$(dirname "$0")/guest.sh"
. "$(dirname "$0")/kernel_guest.sh"
. "$(dirname "$0")/blk_guest.sh"

# KiB in use that cannot be reclaimed. Pages in the per-CPU lists are free.
kernel_memory()
{
	sync
	echo 3 >/proc/sys/vm/drop_caches
	awk '/^MemTotal:/ { used += $2 }
		/^(MemFree|Buffers|Cached|SReclaimable|AnonPages):/ { used -= $2 }
		$1 == "count:" { used -= $2 * 4 }
		END { print used }' /proc/meminfo /proc/zoneinfo
}

# check_memory KIB WHAT: since `before`. Not where kmemleak looks: such a kernel keeps what was
# freed.
check_memory()
{
	local after
	after=$(kernel_memory)
	echo "$before KiB before, $after KiB after"
	[ -e /sys/kernel/debug/kmemleak ] || [ $((after - before)) -lt "$1" ] ||
		fail "$2 left $((after - before)) KiB"
}

times()
{
	seq $(($1 / ${VM_PATIENCE:-1}))
}

load_modules vduse virtio_vdpa virtio_blk
step "100 cycles of create, attach, detach, destroy"
cycle()
{
	start_qsd disk0 driver=null-co,size=16777216,read-zeroes=on
	attach disk0 >/dev/null
	detach disk0
	stop_qsd
}
for _ in $(times 10); do cycle; done
before=$(kernel_memory)
for _ in $(times 100); do cycle; done
# A leaked domain in each cycle would be 100 times 64 MiB.
check_memory 4096 "100 cycles"

step "detached and attached 20 times under the same back end"
start_qsd disk0 driver=null-co,size=16777216,read-zeroes=on
before=$(kernel_memory)
for _ in $(times 20); do
	attach disk0 >/dev/null
	detach disk0
done
check_memory 98304 "20 attaches"
stop_qsd

step "a back end that is killed under verified I/O and started again, 3 times"
truncate -s 16M "$work/disk.img"
start_qsd disk0 "driver=file,filename=$work/disk.img"
disk=$(attach disk0)
fio_verify "$disk" --rw=randwrite --bs=4k --iodepth=16 --size=16M --rate_iops=500 &
load=$!
for _ in 1 2 3; do
	sleep 2
	kill -0 "$load" || fail "fio ended before the back end was killed"
	kill -9 "$qsd_pid"
	wait "$qsd_pid" 2>/dev/null || true
	[ -d /sys/class/vduse/disk0 ] || fail "the device went with its process"
	start_qsd disk0 "driver=file,filename=$work/disk.img"
done
wait "$load" || fail "fio: exit code $?"
detach disk0
stop_qsd

step "a process that opens and one that destroys, 2 s"
"$DPDK_VDUSE_BUILD/test/vm/kernel-life" race 2 || fail "race"

step "a device of 1024 virtqueues, and the most that may be asked for"
"$DPDK_VDUSE_BUILD/test/vm/kernel-life" maxima || fail "maxima"

step "every attribute is read, of the control device too"
"$DPDK_VDUSE_BUILD/test/vm/kernel-life" create disk0
find /sys/class/vduse/ -follow -maxdepth 3 -type f -readable -exec cat {} + >/dev/null 2>&1 || true
grep -qx work /sys/class/vduse/disk0/vq1/irq_mode || fail "no vq1/irq_mode"
"$DPDK_VDUSE_BUILD/test/vm/kernel-life" destroy disk0

step "loaded and unloaded 100 times, with a device in between"
check_nothing_left
modprobe -r virtio_vdpa
rmmod vduse
before=$(kernel_memory)
for _ in $(times 100); do
	load_modules vduse
	"$DPDK_VDUSE_BUILD/test/vm/kernel-life" create disk0
	"$DPDK_VDUSE_BUILD/test/vm/kernel-life" destroy disk0
	rmmod vduse
done
check_memory 4096 "100 loads"
check_no_leaks
ok
