#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# libblkio at a vhost-user socket: a driver that is nobody's of ours, and adds its memory region
# by region.
. "$(dirname "$0")/host.sh"
EAL_ARGS="--in-memory -m 128"
# shellcheck source=test/vm/blk.sh
. "$(dirname "$0")/../vm/blk.sh"
trap '[ -z "$blk_pid" ] || kill -9 "$blk_pid" 2>/dev/null || true; at_exit' EXIT
export DPDK_VDUSE_RUN_DIR=$work/run

tree=${DPDK_VDUSE_CACHE:-$DPDK_VDUSE_BUILD/cache}/blkio
"$(dirname "$0")/../../config/fetch-blkio" "$tree" || skip "*** no libblkio: nothing was tested"
truncate -s 1M "$work/disk.img"
start_blk "disk0,transport=vhost-user,socket=$sock,backend=file,path=$work/disk.img"
wait_for 20 test -S "$sock" || fail "no socket"
step "libblkio $(cat "$tree/version")"
timeout 60 "$(dirname "$0")/blkio_check.py" "$(echo "$tree"/usr/lib/*/libblkio.so.1)" "$sock" \
	"$work/disk.img" 2>"$work/check.log" || fail "see the log"
summary >"$work/summary"
[ "$(counter bad-requests <"$work/summary")" = 0 ] || fail "$(cat "$work/summary")"
stop_blk
ok
