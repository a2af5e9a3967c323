#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# What test/perf/blk_vm runs in the VM: "figure WHO JOB VALUE UNIT" lines.
. "$VM_TOP/test/vm/guest.sh"
. "$VM_TOP/test/vm/blk.sh"
. "$VM_TOP/test/vm/blk_guest.sh"

rounds=$1 seconds=$2 only=$3 asking=("--ioengine=$4")
[ "$4" != io_uring ] || asking+=(--fixedbufs --registerfiles)
size_mb=512
# A disk in memory: the file system that the VM has, tmpfs, knows no asynchronous I/O.
image=/dev/ram0

# job WHO BACKEND RW BLOCK_SIZE DEPTH: fields 8 and 49 are reads and writes per second
job()
{
	local name=$2-$3-$4-$5
	[[ $name =~ $only ]] || return 0
	fio --name=job --filename="$disk" "${asking[@]}" --direct=1 --rw="$3" --bs="$4" \
		--iodepth="$5" --runtime="$seconds" --ramp_time=1 --time_based \
		--output-format=terse --terse-version=3 >"$work/fio.out" 2>"$work/fio.log" || fail "fio $name"
	echo "figure $1 $name $(awk -F';' '{ print $8 + $49 }' "$work/fio.out") IO/s"
	[ "$5" = 1 ] && [ "$1" != null_blk ] || return 0
	echo "figure $1 $name:p99 $(tr ';' '\n' <"$work/fio.out" |
		sed -n 's/^99\.000000%=//p' | head -n 1) us"
}

# use_module WHO: which vduse.ko serves a side
use_module()
{
	[ "$VDUSE_MODULE" = both ] || return 0
	[ ! -e /sys/module/vduse ] || rmmod virtio_vdpa vduse
	case $1 in
	qemu) VDUSE_MODULE=distribution load_modules vduse virtio_vdpa ;;
	*) VDUSE_MODULE=ours load_modules vduse virtio_vdpa ;;
	esac
}

# start_side WHO BACKEND: sets disk. The peer may run on any CPU; ours polls on CPU 1.
start_side()
{
	case $1-$2 in
	dpdk-vduse-blk-null) start_blk "disk0,attach=virtio,backend=null,size=${size_mb}M" ;;
	dpdk-vduse-blk-file)
		start_blk "disk0,attach=virtio,umem=1,backend=file,path=$image,direct=1"
		;;
	qemu-null) start_qsd disk0 "driver=null-co,size=$((size_mb << 20)),read-zeroes=off" ;;
	qemu-file) start_qsd disk0 "driver=host_device,filename=$image,cache.direct=on,aio=io_uring" ;;
	esac
	if [ "$1" = qemu ]; then
		taskset -apc 0-1 "$qsd_pid" >/dev/null
		disk=/dev/$(attach disk0)
	else
		disk=$(wait_disk disk0)
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

# jobs WHO BACKEND
jobs()
{
	echo none >"/sys/block/$(basename "$disk")/queue/scheduler"
	job "$1" "$2" randread 4k 1
	job "$1" "$2" randread 4k 64
	job "$1" "$2" randwrite 4k 64
	job "$1" "$2" read 128k 8
	job "$1" "$2" write 128k 8
}

measure()
{
	local backend
	use_module "$1"
	for backend in null file; do
		[[ $backend =~ ${only%%-*} ]] || continue
		start_side "$1" $backend
		jobs "$1" $backend
		stop_side "$1"
	done
}

# What fio and the block layer can do here: the kernel's own disk that does nothing.
measure_ceiling()
{
	[[ null =~ ${only%%-*} ]] || return 0
	disk=/dev/nullb0
	jobs null_blk null
}

[ "$VDUSE_MODULE" = both ] || load_modules vduse virtio_vdpa
load_modules virtio_blk
modprobe brd rd_nr=1 rd_size=$((size_mb << 10)) || fail "modprobe brd"
wait_for 5 test -b $image || fail "no $image"
# No interrupts, and as many requests as a virtqueue holds.
modprobe null_blk nr_devices=1 irqmode=0 submit_queues=1 hw_queue_depth=256 ||
	fail "modprobe null_blk"
dd if=/dev/urandom of=$image bs=1M count=$size_mb status=none
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
