#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# A disk with --stop leave, stopped with SIGTERM and started again, again and again, while fio verifies
# data: each process ends by itself with exit code 0 and without a request in flight, and fio sees no
# error and no wrong byte. SIGINT removes the disk. RESTARTS times, default 6, half of them with split
# and half with packed rings; blk_10_restart_50.sh uses 50. Prints how long the disk stood still.
. "$(dirname "$0")/blk.sh"

image=$work/disk.img
restarts=${RESTARTS:-6}
processors=$(nproc --all)
[ "$processors" -ge 3 ] ||
	fail "$processors processors: fio needs one beside those that poll; use --cpus 3 or more"

# stopped_by SIGNAL: it ends by itself, with exit code 0.
stopped_by()
{
	local code=0
	kill "-$1" "$blk_pid"
	wait_for 30 eval '! blk_alive' || fail "does not end after SIG$1"
	wait "$blk_pid" || code=$?
	[ "$code" = 0 ] || fail "exit code $code after SIG$1"
	! grep -aE 'ERROR: |runtime error' "$work/blk.log" || fail "a sanitizer complained"
}

restart()
{
	local before start
	sleep "$(awk -v seed=$RANDOM 'BEGIN { srand(seed); print 0.3 + rand() }')"
	kill -0 "$load" || fail "fio ended before the process was stopped"
	start=$(now_ms)
	stopped_by TERM
	grep -aq 'disk0: left to the next process' "$work/blk.log" ||
		fail "not left: $(cat "$work/blk.log")"
	[ -e "$disk" ] || fail "the disk is gone"
	[ -e /dev/vduse/disk0 ] || fail "the device is gone"
	before=$(finished "$disk")
	start_blk_with --stop leave --device "$devargs"
	wait_for 60 eval "[ \$(finished $disk) -gt $before ]" || fail "the disk does not go on"
	stalls+=($(($(now_ms) - start)))
	grep -aq 'taken over' "$work/blk.log" || fail "not taken over: $(cat "$work/blk.log")"
	! grep -a 'taken again' "$work/blk.log" || fail "requests were in flight when it was left"
}

# restarted_under_load PACKED TIMES
restarted_under_load()
{
	stalls=()
	step "packed=$1, $2 times"
	# The delay keeps requests in flight at any moment.
	devargs="disk0,attach=virtio,queues=2,packed=$1,backend=fault,under=file,path=$image,delay=3000"
	truncate -s 64M "$image"
	start_blk_with --stop leave --device "$devargs"
	disk=$(wait_disk disk0)
	taskset -c "0,2-$((processors - 1))" fio --name=restart --filename="$disk" --direct=1 \
		--ioengine=libaio --rw=randrw --bssplit=4k/60:16k/30:64k/10 --size=64M --iodepth=32 \
		--time_based --runtime=$((60 + $2 * 20)) \
		--verify=crc32c --verify_fatal=1 --verify_backlog=64 --randrepeat=0 \
		--output="$work/fio.out" &
	load=$!
	for _ in $(seq "$2"); do
		restart
	done
	kill -INT "$load"
	wait "$load" || true
	grep -q 'err= 0' "$work/fio.out" || fail "fio: $(cat "$work/fio.out")"
	grep -E 'READ:|WRITE:' "$work/fio.out" | sed 's/(.*//'
	echo "stood still for ms: ${stalls[*]}"
	echo "stood still for ms: $(printf '%s\n' "${stalls[@]}" | min_median_max)"
	[ "$(summary | counter bad-descriptors)" = 0 ] || fail "bad descriptors"
	sync
	cmp "$image" "$disk" || fail "image and disk differ"
	stopped_by INT
	check_nothing_left
	[ ! -e /run/vduse/disk0.state ] || fail "the state file was left behind"
}

load_modules vduse virtio_vdpa virtio_blk
restarted_under_load 0 $(((restarts + 1) / 2))
restarted_under_load 1 $((restarts / 2))
ok
