#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# An older build of dpdk-vduse-blk, see older_build.sh, hands a disk under load over to this one, and
# back: no request fails, no byte is wrong, and the driver keeps its features. What the older one does
# not have it refuses, and this one serves on. TWO_BUILDS times each, by default 10, with
# TWO_BUILDS_KILLS kills, by default 8.
DPDK_VDUSE_BUILD=${DPDK_VDUSE_BUILD:-$(realpath "$(dirname "$0")/../..")/build}
code=0
older=$("$(dirname "$0")/older_build.sh" "$DPDK_VDUSE_BUILD") || code=$?
[ "$code" = 0 ] || exit "$code"
. "$(dirname "$0")/host.sh"
export DPDK_VDUSE_RUN_DIR=$work/run
# meson test names the library of this build in it, and each program has to have its own.
unset LD_LIBRARY_PATH
ldd "$older" | grep -qF "librte_vduse.so.0 => $(dirname "$older")/" ||
	fail "$older runs with another library: $(ldd "$older")"
newer=$DPDK_VDUSE_BUILD/app/blk/dpdk-vduse-blk
rounds=${TWO_BUILDS:-10}

for ring in split packed; do
	step "$ring ring"
	rm -f "$work/disk.img"
	truncate -s 1M "$work/disk.img"
	timeout $((100 + 15 * rounds + 10 * ${TWO_BUILDS_KILLS:-8})) "$(dirname "$0")/two_builds.py" \
		"$ring" "$work" "$older" "$newer" -l "$LCORES" --no-pci --no-telemetry --in-memory -m 64 -- \
		--device "disk0,iface=$sock,backend=file,path=$work/disk.img" \
		>"$work/$ring.log" 2>&1 || fail "$(cat "$work/$ring.log")"
	grep -E '^(kills|[0-9]+ (upgrades|downgrades|refusals))' "$work/$ring.log"
	# Each refusal, and the start of the older build after the kill, says which feature it lacks.
	lines=$(log_lines "$ring" "its driver has features 0x4000")
	[ "$lines" = $((rounds + 1)) ] || fail "$lines lines name the feature, not $((rounds + 1))"
	[ -z "$(ls "$work/run")" ] || fail "left behind: $(ls "$work/run")"
done
ok
