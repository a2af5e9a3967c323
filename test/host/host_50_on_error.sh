#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# The file system of a disk's image is full. With on-error=wait the driver sees no error, also not when
# the process is killed meanwhile, and after go-on every byte is there.
. "$(dirname "$0")/host.sh"
export DPDK_VDUSE_RUN_DIR=$work/run
blk=$DPDK_VDUSE_BUILD/app/blk/dpdk-vduse-blk
small=$work/small

at_exit_unmount()
{
	umount "$small" 2>/dev/null || true
	at_exit
}
trap at_exit_unmount EXIT

[ "$(id -u)" = 0 ] || skip "*** root is needed to mount a file system: nothing was tested"
mkdir "$small"
for ring in split packed; do
	step "$ring ring"
	mount -t tmpfs -o size=1M none "$small" || skip "*** no tmpfs: nothing was tested"
	truncate -s 4M "$small/disk.img"
	timeout 140 "$(dirname "$0")/on_error.py" "$ring" "$work" "$small" \
		"$DPDK_VDUSE_BUILD/app/ctl/dpdk-vduse-ctl" \
		"$blk" -l "$LCORES" --no-pci --no-telemetry --in-memory -m 64 -- \
		--device "disk0,iface=$sock,backend=file,direct=0,path=$small/disk.img,on-error=wait" \
		>"$work/$ring.log" 2>&1 || fail "$(cat "$work/$ring.log")"
	[ "$(grep -c "its backend failed (No space left on device)" "$work/$ring.log")" -ge 3 ] ||
		fail "not a line for each time: $(cat "$work/$ring.log")"
	tail -n 1 "$work/$ring.log"
	umount "$small"
	[ -z "$(ls "$work/run")" ] || fail "left behind: $(ls "$work/run")"
done
ok
