#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# A driver suspends a disk at random moments of full load, and goes on with the same rings at the
# position that it counted itself. Every request is done once, and nothing happens between SUSPEND
# and the reset. Needs this project's module or Linux 7.3. CYCLES is how often for each ring format,
# with three backends in turn, default 96; blk_09_suspend_1000.sh does it 1,000 times.
. "$(dirname "$0")/blk.sh"

cycles=$(((${CYCLES:-96} + 2) / 3))
driver=$DPDK_VDUSE_BUILD/test/vm/vdpa-suspend

# suspended_under_load FORMAT BACKEND: the disk counts as many requests as its driver.
suspended_under_load()
{
	local seed=$((RANDOM)) requests counted kind
	step "$1 ring, backend $2, $cycles cycles, seed $seed"
	rm -f "$work/disk.img"
	truncate -s 1M "$work/disk.img"
	start_blk "disk0,attach=vhost,packed=1,backend=$2"
	wait_for 30 test -c /dev/vhost-vdpa-0 || fail "no /dev/vhost-vdpa-0"
	"$driver" disk "$1" "$cycles" "$seed" 2>&1 | tee "$work/driver.log" ||
		fail "see the last lines of driver.log"
	summary >"$work/summary.log"
	for kind in read write; do
		requests=$(grep '^requests:' "$work/driver.log" | counter "$kind")
		counted=$(counter "$kind" <"$work/summary.log")
		[ "$counted" = "$requests" ] || fail "$kind: $requests requests, $counted done"
	done
	[ "$(counter bad-descriptors <"$work/summary.log")" = 0 ] || fail "bad descriptors"
	stop_blk
	check_nothing_left
	total=$((total + cycles))
}

set -o pipefail
total=0
can_suspend || skip "this kernel's VDUSE cannot suspend"
load_modules vduse vhost_vdpa
for format in split packed; do
	suspended_under_load $format ram,size=1M
	suspended_under_load $format "file,path=$work/disk.img"
	suspended_under_load $format "fault,under=file,path=$work/disk.img,delay=500"
done
ok "$(basename "$0"): $total cycles"
