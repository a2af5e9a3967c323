#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# What test/perf/blk_vm runs in the VM: "figure WHO JOB VALUE UNIT" lines. A job is named
# DRIVER-BACKEND-WHAT-SIZE-DEPTH.
. "$VM_TOP/test/vm/guest.sh"
. "$VM_TOP/test/vm/blk_guest.sh"

rounds=$1 seconds=$2 only=$3 asking=("--ioengine=$4")
[ "$4" != io_uring ] || asking+=(--fixedbufs --registerfiles)
client=$DPDK_VDUSE_BUILD/test/perf/client/blk_client
size_mb=512
# The file: a disk that moves no data, as a real one moves them without a processor.
image=/dev/nullb1

# jobs DRIVER-BACKEND: those of its jobs that were asked for
jobs()
{
	local what
	for what in randread-4k-1 randread-4k-64 randwrite-4k-64 read-128k-8 write-128k-8; do
		[[ ! $1-$what =~ $only ]] || echo "$1-$what"
	done
}

# ask_kernel WHO JOB WHAT SIZE DEPTH: fields 8 and 49 are reads and writes per second
ask_kernel()
{
	fio --name=job --filename="$disk" "${asking[@]}" --direct=1 --rw="$3" --bs="$4" \
		--iodepth="$5" --runtime="$seconds" --ramp_time=1 --time_based \
		--output-format=terse --terse-version=3 >"$work/fio.out" 2>"$work/fio.log" || fail "fio $2"
	echo "figure $1 $2 $(awk -F';' '{ print $8 + $49 }' "$work/fio.out") IO/s"
	[ "$5" = 1 ] && [ "$1" != null_blk ] || return 0
	echo "figure $1 $2:p99 $(tr ';' '\n' <"$work/fio.out" |
		sed -n 's/^99\.000000%=//p' | head -n 1) us"
}

# ask WHO JOB
ask()
{
	local driver what size depth
	IFS=- read -r driver _ what size depth <<<"$2"
	case $driver in
	virtio) ask_kernel "$1" "$2" "$what" "$size" "$depth" ;;
	vhost)
		"$client" "$1" "$2" "$disk" "$what" $((${size%k} * 1024)) "$depth" "$seconds" ||
			fail "client $2"
		;;
	esac
}

# use_modules WHO DRIVER: which vduse.ko serves a side, and the bus driver of its devices
use_modules()
{
	local module=$VDUSE_MODULE
	if [ "$module" = both ]; then
		module=ours
		[ "$1" != qemu ] || module=distribution
	fi
	modprobe -r virtio_vdpa vhost_vdpa || fail "modprobe -r"
	[ "$VDUSE_MODULE" != both ] || [ ! -e /sys/module/vduse ] || rmmod vduse
	VDUSE_MODULE=$module load_modules vduse "$2_vdpa"
}

# start_side WHO DRIVER BACKEND: sets disk. The peer may run on any CPU; ours polls on CPU 1.
start_side()
{
	# Only the kernel's driver has bounce memory.
	local memory=''
	[ "$2" = vhost ] || memory=,umem=1
	case $1-$3 in
	dpdk-vduse-blk-null) start_blk "disk0,attach=$2,backend=null,size=${size_mb}M" ;;
	dpdk-vduse-blk-file)
		start_blk "disk0,attach=$2$memory,backend=file,path=$image,direct=1"
		;;
	qemu-null) start_qsd disk0 "driver=null-co,size=$((size_mb << 20)),read-zeroes=off" ;;
	qemu-file) start_qsd disk0 "driver=host_device,filename=$image,cache.direct=on,aio=io_uring" ;;
	esac
	if [ "$1" = qemu ]; then
		taskset -apc 0-1 "$qsd_pid" >/dev/null
		vdpa dev add name disk0 mgmtdev vduse || fail "vdpa dev add"
	fi
	if [ "$2" = virtio ]; then
		disk=$(wait_disk disk0)
		echo none >"/sys/block/$(basename "$disk")/queue/scheduler"
	else
		disk=/dev/vhost-vdpa-0
		wait_for 60 test -c $disk || fail "no $disk"
	fi
}

stop_side()
{
	if [ "$1" = qemu ]; then
		detach disk0
		stop_qsd
	else
		stop_blk
	fi
}

measure()
{
	local driver backend asked job
	for driver in virtio vhost; do
		for backend in null file; do
			asked=$(jobs "$driver-$backend")
			[ -n "$asked" ] || continue
			use_modules "$1" "$driver"
			start_side "$1" "$driver" "$backend"
			for job in $asked; do
				ask "$1" "$job"
			done
			stop_side "$1"
		done
	done
}

# What fio and the block layer can do here: the kernel's own disk that does nothing.
measure_ceiling()
{
	local job
	disk=/dev/nullb0
	echo none >/sys/block/nullb0/queue/scheduler
	for job in $(jobs virtio-null); do
		ask null_blk "$job"
	done
}

load_modules virtio_blk
# No interrupts, as many requests as a virtqueue holds, and none is split.
modprobe null_blk nr_devices=2 irqmode=0 submit_queues=1 hw_queue_depth=256 max_sectors=2048 ||
	fail "modprobe null_blk"
wait_for 5 test -b $image || fail "no $image"
for round in $(seq "$rounds"); do
	measure_ceiling
	if [ $((round % 2)) = 1 ]; then
		measure dpdk-vduse-blk
		measure qemu
	else
		measure qemu
		measure dpdk-vduse-blk
	fi
done
