#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# The process of a disk is replaced by a new one, again and again, while fio verifies data: fio sees
# no error and no wrong byte, and the disk stands still for a short time only. UPGRADES times, default
# 2, half of them with split and half with packed rings; blk_11_upgrade_50.sh uses 50.
. "$(dirname "$0")/blk.sh"

upgrades=${UPGRADES:-2}
image=$work/disk.img
control=$work/control.sock
# Two processes at once, each with its own memory.
EAL_ARGS=${UPGRADE_EAL_ARGS:---in-memory -m 64}
processors=$(nproc --all)
[ "$processors" -ge 3 ] ||
	fail "$processors processors: fio needs one beside those that poll; use --cpus 3 or more"

start_next()
{
	start_blk_with --control "$control" "$@" --device "$devargs"
}

# The next process takes the disk and the control socket over; the one before ends by itself.
upgrade()
{
	local before=$blk_pid code=0
	kill -0 "$load" || fail "fio ended before the upgrade"
	start_next --take-over "$control"
	wait_for 60 eval "! kill -0 $before 2>/dev/null" || fail "the process before stays"
	wait "$before" || code=$?
	[ "$code" = 0 ] || fail "the process before: exit code $code"
	grep -aq 'taken over from another process' "$work/blk.log" ||
		fail "not taken over: $(cat "$work/blk.log")"
	sleep 1
}

# The longest latencies of the log that fio wrote, in milliseconds, one for each second.
longest()
{
	awk -F, '{ s = int($1 / 1000); if ($2 > m[s]) m[s] = $2 }
		END { for (s in m) print m[s] / 1000000 }' "$work"/lat_clat.*.log | sort -n |
		awk '{ v[NR] = $1 } END { printf "median %.1f, p99 %.1f, longest %.1f\n",
			v[int((NR + 1) / 2)], v[int(NR * 0.99 + 0.5)], v[NR] }'
}

# under_load PACKED TIMES
under_load()
{
	step "packed=$1, $2 times"
	devargs="disk0,attach=virtio,queues=2,packed=$1,backend=file,path=$image"
	truncate -s 64M "$image"
	start_next
	disk=$(wait_disk disk0)
	rm -f "$work"/lat_*
	taskset -c "0,2-$((processors - 1))" fio --name=upgrade --filename="$disk" --direct=1 \
		--ioengine=libaio --rw=randrw --bssplit=4k/60:16k/30:64k/10 --size=64M --iodepth=8 \
		--time_based --runtime=$((60 + $2 * 20)) --write_lat_log="$work/lat" \
		--verify=crc32c --verify_fatal=1 --verify_backlog=64 --randrepeat=0 \
		--output="$work/fio.out" &
	load=$!
	sleep 2
	for _ in $(seq "$2"); do
		upgrade
	done
	kill -INT "$load"
	wait "$load" || true
	grep -q 'err= 0' "$work/fio.out" || fail "fio: $(cat "$work/fio.out")"
	grep -E 'READ:|WRITE:' "$work/fio.out" | sed 's/(.*//'
	echo "the longest request of each second took, in ms: $(longest)"
	sync
	cmp "$image" "$disk" || fail "image and disk differ"
	stop_blk
	check_nothing_left
	[ ! -e /run/vduse/disk0.state ] || fail "the state file was left behind"
	[ ! -e "$control" ] || fail "the control socket was left behind"
}

load_modules vduse virtio_vdpa virtio_blk
under_load 0 $(((upgrades + 1) / 2))
under_load 1 $((upgrades / 2))
ok
