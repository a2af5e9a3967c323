#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# The process of a disk is replaced by a new one under a verifying fio, and one of the two is killed at
# each step of the handover; kill_step.c says what the steps are. A first handover without a kill lists
# them. Unless the disk was handed over already, the old process serves on when the new one dies; when
# the old one dies, the new one takes over. Otherwise the next process does, as after any kill. fio
# sees no error and no wrong byte, and nothing is left over.
# Prints for each step and victim how long the longest request took. RINGS: split, packed. DRIVERS:
# virtio, a disk of this kernel; vhost, /dev/vhost-vdpa-0 under blk_upgrade_kill_vdpa.py instead of fio.
# VICTIMS: old, new. EVERY: 1 for all steps, 2 for every second one, and so on.
. "$(dirname "$0")/blk.sh"

here=$(dirname "$0")
image=$work/disk.img
control=$work/control.sock
export VICTIMS=${VICTIMS:-new old} EVERY=${EVERY:-1}
program=$BLK
log_of='' # the process whose log blk.log is
# Two processes at once, each with its own memory.
EAL_ARGS=${UPGRADE_EAL_ARGS:---in-memory -m 64}
processors=$(nproc --all)
[ "$processors" -ge 3 ] ||
	fail "$processors processors: fio needs one beside those that poll; use --cpus 3 or more"

use_kill_step()
{
	BLK=$work/blk_kill_step
	cat >"$BLK" <<-END
		#!/bin/sh
		export KILL_STEP_DIR=$work
		LD_PRELOAD="$DPDK_VDUSE_BUILD/test/vm/libkill-step.so:\$LD_PRELOAD" exec "$program" "\$@"
	END
	chmod +x "$BLK"
}

# start_next ARGUMENTS...: with a log of its own.
start_next()
{
	[ -z "$log_of" ] || mv "$work/blk.log" "$work/blk.$log_of.log"
	start_blk_with --control "$control" "$@" --device "$devargs"
	log_of=$blk_pid
}

# More requests have finished than were in flight.
has_gone_on()
{
	[ "$(finished "$disk")" -gt $(($1 + 64)) ]
}

goes_on()
{
	wait_for "$1" has_gone_on "$(finished "$disk")"
}

# ended PID: reaps it, and sets code.
ended()
{
	code=0
	wait_for 60 eval "! kill -0 $1 2>/dev/null" || fail "process $1 does not end"
	wait "$1" 2>/dev/null || code=$?
}

# A handover in which nobody is killed: what its steps are, in `steps`.
list_steps()
{
	local old=$blk_pid code
	rm -f "$work"/kill.old "$work"/kill.new "$work/steps"
	start_next --take-over "$control"
	ended "$old"
	[ "$code" = 0 ] || fail "the old process: exit code $code"
	wait_for 20 grep -q 'after bind' "$work/steps" || fail "no control socket"
	sort -k 1,1 -k 2,2n "$work/steps" >"$work/steps.sorted"
	[ "$(wc -l <"$work/steps.sorted")" -gt 30 ] || fail "steps of a handover: $(cat "$work/steps")"
	ready=$(awk '/^new .* after send READY/ { print $2 }' "$work/steps.sorted")
	awk -v victims=" $VICTIMS " -v every="$EVERY" '
		index(victims, " " $1 " ") && $2 % every == 0' "$work/steps.sorted" >"$work/steps.chosen"
	mapfile -t steps <"$work/steps.chosen"
}

# lost VICTIM OLD OTHER: nobody has the disk after the kill.
lost()
{
	! kill -0 "$3" 2>/dev/null ||
		{ [ "$1" = new ] && grep -aq 'handed over to another process' "$work/blk.$2.log"; }
}

# The one that was not killed serves, or the next one does. Sets result.
survive()
{
	local victim=$1 old=$2 new=$3 other=$2 before
	[ "$victim" = new ] || other=$new
	before=$(finished "$disk")
	wait_for 30 eval "has_gone_on $before || lost $victim $old $other" ||
		fail "$victim was killed, and the other process does not serve"
	blk_pid=$other
	result="the other one serves"
	lost "$victim" "$old" "$other" || return 0
	result="the next one serves"
	start_next --take-over "$control"
	ended "$other"
	goes_on 30 || fail "the disk does not go on"
}

# kill_at VICTIM NUMBER WHAT...
kill_at()
{
	local victim=$1 old=$blk_pid new begin code result
	rm -f "$work"/kill.old "$work"/kill.new "$work/steps"
	echo "$2" >"$work/kill.$victim"
	kill -0 "$load" || fail "fio ended before"
	begin=$(now_ms)
	start_next --take-over "$control"
	new=$blk_pid
	ended "${!victim}"
	[ "$code" = 137 ] || fail "$*: $victim ended with $code, not killed"
	rm -f "$work"/kill.old "$work"/kill.new
	survive "$victim" "$old" "$new"
	# Until the new process says that it is ready, nothing changes hands.
	[ "$victim" = old ] || [ "$2" -ge "$ready" ] || [ "$blk_pid" = "$old" ] ||
		fail "$*: the old process does not serve on"
	wait_for 20 test -S "$control" || fail "no control socket"
	printf '%s,%s,%s,%s,%s\n' "$begin" "$(now_ms)" "$victim" "$2 ${*:3}" "$result" >>"$work/kills"
	tail -n 1 "$work/kills"
}

# For each line of `kills` the longest request that ended meanwhile, from the log that fio wrote.
table()
{
	cat "$work"/lat_clat.*.log | awk -F, '
		FNR == NR { from[++n] = $1; to[n] = $2; victim[n] = $3; at[n] = $4; result[n] = $5; next }
		{
			for (i = 1; i <= n; i++)
				if ($1 >= from[i] && $1 < to[i] && $2 > most[i])
					most[i] = $2
		}
		END {
			printf "%-6s %-32s %8s  %s\n", "victim", "step", "stall ms", "result"
			for (i = 1; i <= n; i++)
				printf "%-6s %-32s %8.0f  %s\n", victim[i], at[i], most[i] / 1000000, result[i]
		}' "$work/kills" -
}

# under_virtio RING
under_virtio()
{
	local steps step ready packed=0
	[ "$1" = split ] || packed=1
	step "$1 ring, a disk of this kernel"
	devargs="disk0,attach=virtio,queues=2,packed=$packed,backend=file,path=$image"
	truncate -s 64M "$image"
	start_next
	disk=$(wait_disk disk0)
	rm -f "$work"/lat_* "$work/kills"
	taskset -c "0,2-$((processors - 1))" fio --name=upgrade --filename="$disk" --direct=1 \
		--ioengine=libaio --rw=randrw --bssplit=4k/60:16k/30:64k/10 --size=64M --iodepth=8 \
		--time_based --runtime=1000 --write_lat_log="$work/lat" --log_unix_epoch=1 \
		--verify=crc32c --verify_fatal=1 --verify_backlog=64 --randrepeat=0 \
		--output="$work/fio.out" &
	load=$!
	goes_on 30 || fail "fio does not begin"
	list_steps
	for step in "${steps[@]}"; do
		# shellcheck disable=SC2086
		kill_at $step
	done
	kill -INT "$load"
	wait "$load" || true
	grep -q 'err= 0' "$work/fio.out" || fail "fio: $(cat "$work/fio.out")"
	table
	sync
	cmp "$image" "$disk" || fail "image and disk differ"
	stop_blk
	nothing_at_all
}

nothing_at_all()
{
	check_nothing_left
	[ -z "$(ls /run/vduse 2>/dev/null)" ] || fail "left behind: $(ls /run/vduse)"
	[ ! -e "$control" ] || fail "the control socket was left behind"
	[ -z "$(pidof dpdk-vduse-blk)" ] || fail "a process was left behind"
}

# under_vhost RING
under_vhost()
{
	local args
	step "$1 ring, vhost-vdpa"
	rm -f "$image"
	truncate -s 1M "$image"
	read -ra args <<<"$EAL_ARGS"
	PYTHONPATH=$here/../host "$here/blk_upgrade_kill_vdpa.py" /dev/vhost-vdpa-0 "$1" "$work" \
		"$BLK" -l "$LCORES" --no-pci --no-telemetry "${args[@]}" -- \
		--device "disk0,attach=vhost,packed=1,backend=file,path=$image" 2>&1 ||
		fail "the driver of vhost-vdpa failed"
	nothing_at_all
}

use_kill_step
load_modules vduse
for driver in ${DRIVERS:-virtio vhost}; do
	load_modules "${driver}_vdpa"
	[ "$driver" = vhost ] || load_modules virtio_blk
	for ring in ${RINGS:-split packed}; do
		"under_$driver" "$ring"
	done
done
ok
