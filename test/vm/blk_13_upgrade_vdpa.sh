#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# The process of a disk at /dev/vhost-vdpa-0 is replaced by a new one while a driver verifies every
# byte, HANDOVERS times with each ring, default 2.
. "$(dirname "$0")/blk.sh"

here=$(dirname "$0")
export HANDOVERS=${HANDOVERS:-2} HANDOVER_KILLS=0 HANDOVER_STALL_MS=1000
load_modules vduse vhost_vdpa
for ring in split packed; do
	step "$ring ring"
	rm -f "$work/disk.img"
	truncate -s 1M "$work/disk.img"
	PYTHONPATH=$here/../host timeout $((60 + 20 * HANDOVERS)) "$here/blk_upgrade_vdpa.py" \
		/dev/vhost-vdpa-0 "$ring" "$work" "$BLK" -l "$LCORES" --no-pci --no-telemetry --in-memory \
		-m 64 -- --device "disk0,attach=vhost,packed=1,backend=file,path=$work/disk.img" \
		>"$work/$ring.log" 2>&1 || fail "$(cat "$work/$ring.log")"
	tail -n 2 "$work/$ring.log"
	check_nothing_left
done
ok
