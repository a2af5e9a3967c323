#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# What test/perf/kernel_vm runs in the VM: "figure MODULE JOB VALUE UNIT" lines.
. "$VM_TOP/test/vm/guest.sh"
. "$VM_TOP/test/vm/blk_guest.sh"

rounds=$1 seconds=$2

# job MODULE DISK RW BLOCK_SIZE DEPTH: fields 8 and 49 are reads and writes per second
job()
{
	local iops
	iops=$(fio --name=job --filename="/dev/$2" --ioengine=libaio --direct=1 --rw="$3" \
		--bs="$4" --iodepth="$5" --runtime="$seconds" --ramp_time=1 --time_based \
		--output-format=terse --terse-version=3 2>/dev/null |
		awk -F';' '{ print $8 + $49 }') || fail "fio"
	echo "figure $1 $3-$4-$5 $iops IO/s"
}

measure()
{
	local module=$1 disk
	VDUSE_MODULE=$module load_modules vduse
	load_modules virtio_vdpa virtio_blk
	start_qsd disk0 driver=null-co,size=1073741824,read-zeroes=off
	disk=$(attach disk0)
	job "$module" "$disk" read 128k 8
	job "$module" "$disk" write 128k 8
	job "$module" "$disk" randread 4k 32
	job "$module" "$disk" randwrite 4k 32
	job "$module" "$disk" randread 4k 1
	detach disk0
	stop_qsd
	modprobe -r virtio_vdpa
	rmmod vduse
}

# Both sides may use both CPUs.
taskset -pc 0-1 $$ >/dev/null
for round in $(seq "$rounds"); do
	if [ $((round % 2)) = 1 ]; then
		measure distribution
		measure ours
	else
		measure ours
		measure distribution
	fi
done
