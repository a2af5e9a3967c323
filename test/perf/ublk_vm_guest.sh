#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# What test/perf/ublk_vm runs in the VM: "figure WHO JOB VALUE UNIT" lines. A job is named
# BACKEND-WHAT-SIZE-DEPTH.
. "$VM_TOP/test/vm/guest.sh"
. "$VM_TOP/test/vm/blk_guest.sh"

ublk=$1 rounds=$2 seconds=$3
# A disk that moves no data, as a real one moves them without a processor.
image=/dev/nullb0

# start_side WHO BACKEND: sets disk
start_side()
{
	local null=backend=null,size=512M file=umem=1,backend=file,path=$image,direct=1
	case $1-$2 in
	dpdk-vduse-blk-null) start_blk_with --idle 0 --device "disk0,attach=virtio,$null" ;;
	dpdk-vduse-blk-file) start_blk_with --idle 0 --device "disk0,attach=virtio,$file" ;;
	sleeping-null) start_blk "disk0,attach=virtio,$null" ;;
	sleeping-file) start_blk "disk0,attach=virtio,$file" ;;
	ublk-null) taskset -c 0-1 "$ublk/ublk" add -t null -q 1 -d 128 >"$work/ublk.log" 2>&1 ;;
	ublk-file) taskset -c 0-1 "$ublk/ublk" add -t loop -q 1 -d 128 -f $image >"$work/ublk.log" 2>&1 ;;
	loop-file) disk=$(losetup --direct-io=on --show -f $image) ;;
	esac || fail "$1: $(cat "$work"/*.log)"
	case $1 in
	dpdk-vduse-blk | sleeping) disk=$(wait_disk disk0) ;;
	ublk)
		disk=/dev/ublkb0
		wait_for 20 test -b $disk || fail "no $disk: $(cat "$work/ublk.log")"
		;;
	esac
	echo none >"/sys/block/$(basename "$disk")/queue/scheduler"
}

stop_side()
{
	case $1 in
	dpdk-vduse-blk | sleeping) stop_blk ;;
	ublk) "$ublk/ublk" del -a >>"$work/ublk.log" 2>&1 || fail "ublk: $(cat "$work/ublk.log")" ;;
	loop) losetup -d "$disk" ;;
	esac
}

# job WHO BACKEND RW DEPTH: fields 8 and 49 are reads and writes per second. Percentiles of reads.
job()
{
	fio --name=job --filename="$disk" --ioengine=io_uring --fixedbufs --registerfiles --direct=1 \
		--rw="$3" --bs=4k --iodepth="$4" --runtime="$seconds" --ramp_time=1 --time_based \
		--output-format=terse --terse-version=3 >"$work/fio.out" 2>"$work/fio.log" ||
		fail "fio: $(cat "$work/fio.log")"
	echo "figure $1 $2-$3-4k-$4 $(awk -F';' '{ print $8 + $49 }' "$work/fio.out") IO/s"
	[ "$3-$4" = randread-1 ] || return 0
	echo "figure $1 $2-$3-4k-$4:p99 $(tr ';' '\n' <"$work/fio.out" |
		sed -n 's/^99\.000000%=//p' | head -n 1) us"
}

measure()
{
	local rw depth
	start_side "$1" "$2"
	for rw in randread randwrite; do
		for depth in 1 32 128; do
			job "$1" "$2" $rw $depth
		done
	done
	stop_side "$1"
}

load_modules vduse virtio_vdpa virtio_blk ublk_drv loop
modprobe null_blk nr_devices=1 irqmode=0 submit_queues=1 hw_queue_depth=256 || fail "modprobe null_blk"
wait_for 5 test -b $image || fail "no $image"
for round in $(seq "$rounds"); do
	sides=(dpdk-vduse-blk-null sleeping-null ublk-null dpdk-vduse-blk-file sleeping-file ublk-file loop-file)
	[ $((round % 2)) = 1 ] ||
		sides=(loop-file ublk-file sleeping-file dpdk-vduse-blk-file ublk-null sleeping-null dpdk-vduse-blk-null)
	for side in "${sides[@]}"; do
		measure "${side%-*}" "${side##*-}"
	done
done
ok
