#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# dpdk-vduse-perf --mode block serves a disk of this kernel: its counters match what fio did, and
# the disk is usable until it is removed.
. "$(dirname "$0")/blk.sh"

PERF=$DPDK_VDUSE_BUILD/app/perf/dpdk-vduse-perf
json=$work/perf.json

# figure WAY NAME: one of the figures.
figure()
{
	python3 -c 'import json, sys
print(int(json.load(open(sys.argv[1]))[sys.argv[2]][sys.argv[3]]))' "$json" "$1" "$2"
}

load_modules vduse virtio_vdpa virtio_blk

step "a measurement that waits for its driver, and serves it"
taskset -c "$LCORES" "$PERF" -l "$LCORES" --file-prefix=perf --no-pci --no-telemetry -- \
	--mode block --device /dev/vduse/perf0 --attach virtio --backend ram,size=64M \
	--warmup 0 --duration 3600 --json "$json" >"$work/perf.log" 2>&1 &
perf_pid=$!
disk=$(wait_disk perf0)
fio --name=some --filename="$disk" --direct=1 --ioengine=libaio --rw=randrw --rwmixread=50 --bs=4k \
	--size=16M --iodepth=8 --verify=crc32c --verify_fatal=1 --output="$work/fio.out" ||
	fail "fio: $(cat "$work/fio.out")"

step "it ends when it is told to, and has counted"
kill -INT "$perf_pid"
wait_for 60 eval "! kill -0 $perf_pid 2>/dev/null" || fail "it does not end"
wait "$perf_pid" || fail "exit code $?: $(cat "$work/perf.log")"
grep -E 'IOPS|^(read|write)' "$work/perf.log"
# fio reads what it wrote once more.
for way in read write; do
	requests=$(figure "$way" requests)
	[ "$requests" -gt 1000 ] || fail "$way: $requests requests"
	[ "$(figure "$way" bytes)" -ge $((requests * 512)) ] || fail "$way: too few bytes"
done
check_nothing_left
ok
