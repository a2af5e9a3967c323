#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# Packets in both directions between net_vduse at a socket and DPDK's virtio driver, which is
# stopped and started.
. "$(dirname "$0")/host.sh"

# with WHAT DEVARGS EAL_ARGS...
with()
{
	step "$1"
	shift
	start_driver virtio "$@"
	exchange virtio vduse
	stop_testpmd virtio
}

# agreed BIT WHAT: the driver that came last took a feature.
agreed()
{
	local features
	features=$(grep -ao 'driver is up, features 0x[0-9a-f]*' "$work/vduse.log" | tail -n 1)
	[ -n "$features" ] || fail "no features in the log"
	[ $((${features##* } >> $1 & 1)) = 1 ] || fail "$2 was not taken: $features"
}

# The worker of a testpmd by its thread id.
worker()
{
	# The second is that of DPDK 24.03 and later.
	grep -lxE '(rte-worker-|dpdk-worker).*' /proc/"${testpmd_pid[$1]}"/task/*/comm | cut -d/ -f5
}

# calls PID: system calls that a thread makes in 2 s.
calls()
{
	timeout -s INT 2 strace -q -o "$work/strace" -p "$1" || true
	[ -e "$work/strace" ] || fail "strace cannot be attached"
	grep -vc '^strace:\|^---\|^+++' "$work/strace" || true
}

silence()
{
	local made
	step "the polling lcore makes no system call"
	start_driver virtio ""
	testpmd_cmd virtio "set fwd txonly" >/dev/null
	testpmd_cmd vduse "set fwd rxonly" >/dev/null
	testpmd_cmd vduse start >/dev/null
	testpmd_cmd virtio start >/dev/null
	made=$(calls "$(worker vduse)")
	wait_for 5 received vduse 1000 || fail "nothing was received meanwhile"
	stop_testpmd virtio
	[ "$made" = 0 ] || fail "$made system calls: $(head -n 5 "$work/strace")"
	[ "$(calls "${testpmd_pid[vduse]}")" -gt 0 ] || fail "strace sees no calls at all"
}

need strace
start_backend vduse ""
[ "$(stat -c %a "$sock")" = 600 ] || fail "mode of the socket: $(stat -c %a "$sock")"
with "mergeable buffers" ""
with "no mergeable buffers" ",mrg_rxbuf=0"
with "in order" ",in_order=1,mrg_rxbuf=0"
with "in order, mergeable" ",in_order=1"
with "packed" ",packed_vq=1,in_order=0"
agreed 34 "the packed ring"
with "packed, no mergeable buffers" ",packed_vq=1,in_order=0,mrg_rxbuf=0"
with "packed, in order" ",packed_vq=1,in_order=1"
agreed 35 "in-order"
with "packed, in order, vectorized" ",packed_vq=1,in_order=1,mrg_rxbuf=0,vectorized=1"
with "no huge pages" "" --no-huge -m 256 --file-prefix=virtio
silence
step "a driver that is killed makes room for the next"
start_driver virtio ""
exchange virtio vduse
kill_testpmd virtio
start_driver virtio ""
exchange virtio vduse
stop_testpmd virtio
step "the socket goes with the port"
stop_testpmd vduse
[ ! -e "$sock" ] || fail "the socket is left"
ok
