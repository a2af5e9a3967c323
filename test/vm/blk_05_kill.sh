#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# The process of a disk is killed at random moments while fio verifies data, and started again: fio
# sees no error and no wrong byte. Half of the kills use split rings, half packed rings. Prints how
# long the disk stopped each time. KILLS is the number of kills, default 10; blk_05_kill_100.sh uses
# 100.
. "$(dirname "$0")/blk.sh"

image=$work/disk.img
kills=${KILLS:-10}
processors=$(nproc --all)
[ "$processors" -ge 3 ] ||
	fail "$processors processors: fio needs one beside those that poll; use --cpus 3 or more"

# Kills it at a moment of its own and starts the next one; the disk goes on by itself.
kill_once()
{
	local before start
	sleep "$(awk -v seed=$RANDOM 'BEGIN { srand(seed); print 0.3 + rand() }')"
	kill -0 "$load" || fail "fio ended before the process was killed"
	start=$(now_ms)
	kill -9 "$blk_pid"
	wait "$blk_pid" 2>/dev/null || true
	before=$(finished "$disk")
	start_blk "$devargs"
	wait_for 60 eval "[ \$(finished $disk) -gt $before ]" || fail "the disk does not go on"
	stalls+=($(($(now_ms) - start)))
	grep -aq 'taken over' "$work/blk.log" || fail "not taken over: $(cat "$work/blk.log")"
	again+=("$(grep -ao '[0-9]* requests were in flight, taken again' "$work/blk.log" |
		awk '{ sum += $1 } END { print sum + 0 }')")
}

# killed_under_load PACKED TIMES
killed_under_load()
{
	stalls=()
	again=()
	step "packed=$1, $2 times"
	devargs="disk0,attach=virtio,queues=2,packed=$1,backend=fault,under=file,path=$image,delay=3000"
	truncate -s 64M "$image"
	start_blk "$devargs"
	disk=$(wait_disk disk0)
	taskset -c "0,2-$((processors - 1))" fio --name=kill --filename="$disk" --direct=1 \
		--ioengine=libaio --rw=randrw --bssplit=4k/60:16k/30:64k/10 --size=64M --iodepth=32 \
		--time_based --runtime=$((60 + $2 * 20)) \
		--verify=crc32c --verify_fatal=1 --verify_backlog=64 --randrepeat=0 \
		--output="$work/fio.out" &
	load=$!
	for _ in $(seq "$2"); do
		kill_once
	done
	kill -INT "$load"
	wait "$load" || true
	grep -q 'err= 0' "$work/fio.out" || fail "fio: $(cat "$work/fio.out")"
	grep -E 'READ:|WRITE:' "$work/fio.out" | sed 's/(.*//'
	echo "stood still for ms: ${stalls[*]}"
	echo "stood still for ms: $(printf '%s\n' "${stalls[@]}" | min_median_max)"
	echo "requests taken again: ${again[*]}"
	[ "$(summary | counter bad-descriptors)" = 0 ] || fail "bad descriptors"
	sync
	cmp "$image" "$disk" || fail "image and disk differ"
	stop_blk
	check_nothing_left
	[ ! -e /run/vduse/disk0.state ] || fail "the log was left behind"
	total=$((total + $(printf '%s\n' "${again[@]}" | awk '{ s += $1 } END { print s }')))
}

total=0
load_modules vduse virtio_vdpa virtio_blk
killed_under_load 0 $(((kills + 1) / 2))
killed_under_load 1 $((kills / 2))
# A test in which nothing ever was in flight has shown nothing.
[ "$total" -gt 0 ] || fail "no request was in flight at any kill"
ok
