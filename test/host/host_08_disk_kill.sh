#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# The project's own driver at a vhost-user socket, with both ring formats: the process of a disk is
# killed three times with requests in flight, and the next one continues with them. The ring is
# larger than the announced queue size, and more requests are in flight than that.
. "$(dirname "$0")/host.sh"
export DPDK_VDUSE_RUN_DIR=$work/run
blk=$DPDK_VDUSE_BUILD/app/blk/dpdk-vduse-blk

for ring in split packed; do
	step "$ring ring"
	rm -f "$work/disk.img"
	truncate -s 1M "$work/disk.img"
	timeout 100 "$(dirname "$0")/blk_kill.py" "$ring" "$sock" "$work/disk.img" \
		"$blk" -l "$LCORES" --no-pci --no-telemetry --in-memory -m 128 -- --device \
		"disk0,transport=vhost-user,socket=$sock,backend=fault,under=file,path=$work/disk.img,queue-size=16,delay=60000" \
		>"$work/$ring.log" 2>&1 || fail "$(cat "$work/$ring.log")"
	grep -a 'requests were out' "$work/$ring.log"
	# By the time that it is dead all may be finished, but not each time.
	[ "$(grep -ac 'were in flight, taken again' "$work/$ring.log")" -ge 2 ] ||
		fail "hardly anything was in flight: $(cat "$work/$ring.log")"
	[ "$(grep -ac 'brings back what we did not give' "$work/$ring.log")" = 5 ] ||
		fail "not a line for each stranger: $(cat "$work/$ring.log")"
	[ -z "$(ls "$work/run")" ] || fail "left behind: $(ls "$work/run")"
done
ok
