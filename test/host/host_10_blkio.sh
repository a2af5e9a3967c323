#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# libblkio at a vhost-user socket: an independent driver, which adds its memory region by region.
. "$(dirname "$0")/disk.sh"

tree=${DPDK_VDUSE_CACHE:-$DPDK_VDUSE_BUILD/cache}/blkio
"$(dirname "$0")/../../config/fetch-blkio" "$tree" || skip "*** no libblkio: nothing was tested"
serve_image backend=file
step "libblkio $(cat "$tree/version")"
timeout 60 "$(dirname "$0")/blkio_check.py" "$(echo "$tree"/usr/lib/*/libblkio.so.1)" "$sock" \
	"$image" 2>"$work/check.log" || fail "see the log"
summary >"$work/summary"
[ "$(counter bad-requests <"$work/summary")" = 0 ] || fail "$(cat "$work/summary")"
stop_blk
ok
