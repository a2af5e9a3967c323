#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# The process of a disk at a vhost-user socket is replaced by a new one under load, and one of the two
# is killed meanwhile: no request fails, and no byte is wrong.
. "$(dirname "$0")/host.sh"
export DPDK_VDUSE_RUN_DIR=$work/run
blk=$DPDK_VDUSE_BUILD/app/blk/dpdk-vduse-blk

for ring in split packed; do
	step "$ring ring"
	rm -f "$work/disk.img"
	truncate -s 1M "$work/disk.img"
	timeout $((140 + 3 * ${HANDOVERS:-4} + 5 * ${HANDOVER_KILLS:-4})) "$(dirname "$0")/blk_handover.py" "$ring" "$work" \
		"$blk" -l "$LCORES" --no-pci --no-telemetry --in-memory -m 64 -- \
		--device "disk0,iface=$sock,backend=file,path=$work/disk.img" \
		>"$work/$ring.log" 2>&1 || fail "$(cat "$work/$ring.log")"
	tail -n 2 "$work/$ring.log"
	[ -z "$(ls "$work/run")" ] || fail "left behind: $(ls "$work/run")"
done
ok
