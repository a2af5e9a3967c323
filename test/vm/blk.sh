# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
# shellcheck shell=bash
#
# What test scripts of block devices share: `. "$(dirname "$0")/blk.sh"` first, those of
# test/host behind host.sh.
declare -F step >/dev/null || . "$(dirname "$0")/guest.sh"

BLK=${BLK:-$DPDK_VDUSE_BUILD/app/blk/dpdk-vduse-blk}
blk_pid=''
EAL_ARGS=${EAL_ARGS:---file-prefix=blk}

# start_blk DEVARGS...: a process with these devices.
start_blk()
{
	local args=() device
	for device in "$@"; do
		args+=(--device "$device")
	done
	start_blk_with "${args[@]}"
}

# start_blk_with ARGUMENTS...: those that follow EAL's.
start_blk_with()
{
	[ -x "$BLK" ] || fail "no $BLK: build first"
	# The shell of the process does so too late for those who wait for a line of this process.
	: >"$work/blk.log"
	# shellcheck disable=SC2086
	stdbuf -oL taskset -c "$LCORES" "$BLK" -l "$LCORES" --no-pci --no-telemetry $EAL_ARGS \
		-- "$@" >"$work/blk.log" 2>&1 &
	blk_pid=$!
}

blk_alive()
{
	kill -0 "$blk_pid" 2>/dev/null
}

# Queues whose io_uring has the pages of the driver's memory.
pinned_queues()
{
	cat /proc/"$blk_pid"/fdinfo/* 2>/dev/null | grep -c '^UserBufs:[[:space:]]*1$'
}

# stop_blk: it ends by itself, with exit code 0.
stop_blk()
{
	local code=0
	kill -TERM "$blk_pid"
	wait_for 30 eval '! blk_alive' || fail "dpdk-vduse-blk does not end"
	wait "$blk_pid" || code=$?
	[ "$code" = 0 ] || fail "dpdk-vduse-blk: exit code $code"
	! grep -aE 'ERROR: |runtime error' "$work/blk.log" || fail "a sanitizer complained"
}

# disk_of NAME: the kernel's name for the disk of a device, such as vda.
disk_of()
{
	local dir
	for dir in /sys/bus/vdpa/devices/"$1"/virtio*/block/*; do
		[ -e "$dir" ] || return 1
		basename "$dir"
		return
	done
}

# wait_disk NAME: prints /dev/vdX when it is there.
wait_disk()
{
	wait_for 60 disk_of "$1" || fail "$1: no disk"
	wait_for 10 test -b "/dev/$(disk_of "$1")" || fail "$1: no device node"
	echo "/dev/$(disk_of "$1")"
}

queue_attr()
{
	cat "/sys/block/$(basename "$1")/queue/$2"
}

# first_summary LINE: the first of two summaries in the log from LINE on, once both are there.
first_summary()
{
	tail -n "+$1" "$work/blk.log" | awk '
		/^[^ ]+: backend [^ ]+, [0-9]+ sectors/ || /^  queue [0-9]+: / {
			line[++n] = $0
			if (n == 1)
				name = $1
			else if ($1 == name)
				nb = n - 1
		}
		END {
			for (i = 1; i <= nb; i++)
				print line[i]
			exit !(nb > 0 && n == 2 * nb)
		}'
}

# summary: what the process says that it did, on SIGUSR1. It ends where the next one begins.
summary()
{
	local line
	line=$(($(wc -l <"$work/blk.log") + 1))
	kill -USR1 "$blk_pid"
	# The signal is served: a second one is not lost.
	wait_for 5 eval "tail -n +$line $work/blk.log | grep -aq '^  queue'" || fail "no summary"
	kill -USR1 "$blk_pid"
	wait_for 5 first_summary "$line" || fail "no second summary"
	first_summary "$line"
}

# counter NAME: its sum over all queues, from a summary on the standard input.
counter()
{
	grep -o "$1 [0-9]*" | awk '{ sum += $NF } END { print sum + 0 }'
}

# finished DISK: its requests that the kernel has seen finish.
finished()
{
	awk '{ print $1 + $5 }' "/sys/block/$(basename "$1")/stat"
}

now_ms()
{
	echo $(($(date +%s%N) / 1000000))
}

# min_median_max: of numbers on the standard input, one a line.
min_median_max()
{
	sort -n | awk '{ v[NR] = $1 }
		END { print "min " v[1] ", median " v[int((NR + 1) / 2)] ", max " v[NR] }'
}
