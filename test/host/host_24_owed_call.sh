#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# A driver that sleeps until it is called reconnects after its process was killed between a used
# buffer and the call: it must be called. Disks and network devices, both ring formats, with and
# without event indices, in order and out of order.
. "$(dirname "$0")/host.sh"
need python3
export DPDK_VDUSE_RUN_DIR=$work/run
blk=$DPDK_VDUSE_BUILD/app/blk/dpdk-vduse-blk

# owed KIND COMMAND...
owed()
{
	step "$1"
	timeout 250 "$(dirname "$0")/owed_call.py" "$1" "$sock" "${@:2}" >"$work/$1.log" 2>&1 ||
		fail "see the log"
	grep -a '^-- ' "$work/$1.log"
}

truncate -s 1M "$work/disk.img"
owed disk "$blk" -l "$LCORES" --no-pci --no-telemetry --in-memory -m 128 -- --device \
	"disk0,transport=vhost-user,socket=$sock,backend=file,path=$work/disk.img,in-order=1"
# A packet may come before testpmd forwards: it is not to be flushed.
owed net "$TESTPMD" -l "$LCORES" --no-pci -d "$PLUGIN" "${memory[@]}" --main-lcore 0 \
	--vdev "net_vduse0,iface=$sock,in-order=1" -- -i --auto-start --disable-link-check \
	--total-num-mbufs=4096 --forward-mode=io --no-flush-rx
ok
