#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# The commands of the systemd unit as systemd runs them: start, and reload under load, which replaces
# the process and adds a disk. No request fails, and systemd hears of the new main process before
# the old one ends.
. "$(dirname "$0")/host.sh"
export DPDK_VDUSE_RUN_DIR=$work/run
unit=$DPDK_VDUSE_BUILD/config/systemd/dpdk-vduse-blk@.service

mkdir -p "$work/dpdk-vduse/blk-test"
truncate -s 1M "$work/disk.img"
timeout 100 "$(dirname "$0")/reload.py" "$unit" "$DPDK_VDUSE_BUILD/app/blk/dpdk-vduse-blk" "$work" \
	"-l $LCORES --no-telemetry -m 64" \
	"--device disk0,iface=$sock,backend=file,path=$work/disk.img" \
	>"$work/reload.log" 2>&1 || fail "$(cat "$work/reload.log")"
tail -n 3 "$work/reload.log"
[ -z "$(ls "$work/run")" ] || fail "left behind: $(ls "$work/run")"
ok
