#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# Trace points: a driver writes 4 KiB, and the trace that EAL saves has the whole way of that request,
# in order, and the driver's memory. The bursts of a network device have the packets that its port
# counts. With the argument "usdt", the library also has the USDT probes: notes without a semaphore, each
# at a nop; and the bpftrace program of doc/guides/tracing.md measures requests, if this machine has bpftrace.
. "$(dirname "$0")/disk.sh"
need babeltrace2
need readelf
lib=$DPDK_VDUSE_BUILD/lib/librte_vduse.so

step "the trace of one request"
truncate -s 1M "$image"
EAL_ARGS="$EAL_ARGS --trace=lib.vduse.* --trace=lib.virtio_blk.* --trace-dir=$work/trace"
start_blk "disk0,iface=$sock,backend=file,path=$image"
wait_for 20 grep -aq "listens at $sock" "$work/blk.log" || fail "no socket"
timeout 60 "$(dirname "$0")/trace.py" write "$sock" || fail "see above"
stop_blk
babeltrace2 "$work/trace" >"$work/trace.txt" 2>"$work/trace.err" || fail "$(cat "$work/trace.err")"
"$(dirname "$0")/trace.py" check <"$work/trace.txt" || fail "the trace is: $(cat "$work/trace.txt")"

step "a process that is not told to trace writes no trace"
EAL_ARGS="--in-memory -m 128 --trace-dir=$work/none"
start_blk "disk0,iface=$sock,backend=file,path=$image"
wait_for 20 grep -aq "listens at $sock" "$work/blk.log" || fail "no socket"
timeout 60 "$(dirname "$0")/trace.py" write "$sock" || fail "see above"
stop_blk
[ -z "$(find "$work/none" -type f 2>/dev/null)" ] || fail "there is a trace"

step "bursts of a network device, of a library that EAL loads itself"
sock=$work/net.sock
packets=1000
memory+=("--trace=lib.virtio_net.*" "--trace-dir=$work/net" --trace-bufsz=64M)
start_backend vduse ""
memory=("${memory[@]:0:4}")
start_driver virtio ""
exchange virtio vduse | tee "$work/exchange"
stop_testpmd virtio
stop_testpmd vduse
babeltrace2 "$work/net" >"$work/net.txt" 2>"$work/trace.err" || fail "$(cat "$work/trace.err")"
tail -n 1 "$work/net.txt"
# traced EVENT QUEUE: packets in all bursts.
traced()
{
	local nb sum=0
	while read -r nb; do
		sum=$((sum + nb))
	done < <(sed -n \
		"s/.* lib.virtio_net.$1: .*dev = \"net_vduse0\", vq = $2, nb = \(0x[0-9A-F]*\) .*/\1/p" "$work/net.txt")
	echo "$sum"
}
grep -qx "virtio to vduse: .*, $(traced rx 0x1) received" "$work/exchange" ||
	fail "events of $(traced rx 0x1) received packets"
grep -qx "vduse to virtio: $(traced tx 0x0) sent, .*" "$work/exchange" ||
	fail "events of $(traced tx 0x0) sent packets"
echo "-- events of $(traced rx 0x1) received and $(traced tx 0x0) sent packets"

# measured: the program prints a histogram of the disk that is written to.
measured()
{
	timeout 60 "$(dirname "$0")/trace.py" write "$sock" >/dev/null || fail "see above"
	grep -q '^@us\[disk0\]' "$work/bpftrace.log"
}

bpftrace_guide()
{
	local program tracer
	step "the bpftrace program of the guide"
	if ! bpftrace -e 'BEGIN { exit(); }' >"$work/bpftrace.log" 2>&1; then
		echo "*** no bpftrace, or a kernel that refuses it: the program was not run"
		return
	fi
	program=$(sed -n "/^    bpftrace -p PID -e '/,/'\$/p" "$(dirname "$0")/../../doc/guides/tracing.md" |
		sed "1d; s/'\$//; s#LIB#$(realpath "$lib")#")
	[ -n "$program" ] || fail "the guide has no program"
	sock=$work/disk.sock
	EAL_ARGS="--in-memory -m 128"
	start_blk "disk0,iface=$sock,backend=file,path=$image"
	wait_for 20 grep -aq "listens at $sock" "$work/blk.log" || fail "no socket"
	bpftrace -p "$blk_pid" -e "$program interval:s:1 { print(@us); }" >"$work/bpftrace.log" 2>&1 &
	tracer=$!
	wait_for 40 measured || { kill "$tracer" || true; fail "$(cat "$work/bpftrace.log")"; }
	kill -INT "$tracer"
	wait "$tracer" || fail "$(cat "$work/bpftrace.log")"
	stop_blk
	grep -A 3 '^@us\[disk0\]' "$work/bpftrace.log" | tail -n 4
}

if [ "${1:-}" = usdt ]; then
	step "USDT probes"
	readelf -nW "$lib" | awk '
		/Provider: / { provider = $NF }
		/ Name: / { name = $2 }
		/Location: / { print provider ":" name, $2, $6 }' | tr -d , >"$work/probes"
	# Every trace point has a probe of the same name.
	for event in vhost_user_msg vduse_msg status region_add region_remove iotlb_miss iotlb_update \
		vq_start vq_stop kick call blk_wake blk_take blk_submit blk_complete blk_used net_rx \
		net_tx; do
		grep -q "^dpdk_vduse:$event " "$work/probes" || fail "no probe $event"
	done
	while read -r name location semaphore; do
		((semaphore == 0)) || fail "$name has a semaphore"
		objdump -d --start-address="$location" --stop-address="$((location + 1))" "$lib" |
			grep -qw nop || fail "no nop at $location, the place of $name"
	done <"$work/probes"
	echo "-- $(wc -l <"$work/probes") places of $(cut -d ' ' -f 1 "$work/probes" | sort -u | wc -l) probes"
	bpftrace_guide
fi
ok
