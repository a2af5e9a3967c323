#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
#   test/host/host_38_matrix.sh EXCHANGE
#
# Frames of up to 65,535 bytes of IP with each combination of what a driver may choose: split or
# packed rings, merged receive buffers, indirect descriptors, event indices, use in order, and 1, 2
# or 8 queue pairs. The device sends each frame back; every byte is compared. The driver of
# matrix.py runs all 96 combinations. DPDK's driver runs the 48 without event indices, which it
# does not have. MATRIX_FRAMES for each pair of matrix.py, default 40; DPDK's driver sends ten times
# as many.
. "$(dirname "$0")/host.sh"
need python3
exchange=$1
frames=${MATRIX_FRAMES:-40}
INDIRECT_DESC=0x10000000

# start_echo DEVARGS: a device with eight pairs that sends back what it receives.
start_echo()
{
	start_testpmd vduse "${memory[@]}" --main-lcore 0 \
		--vdev "net_vduse0,iface=$sock,queues=8,mtu=65535$1" -- \
		--forward-mode=io --rxq=8 --txq=8 --enable-scatter --max-pkt-len=65549
}

# The same device without indirect descriptors.
start_masked()
{
	"$(dirname "$0")/mask_features.py" "$sock.masked" "$sock" "$INDIRECT_DESC" \
		>"$work/masked.log" 2>&1 &
	testpmd_pid[masked]=$!
	wait_for 20 grep -q ready "$work/masked.log" || fail "no socket without indirect descriptors"
}

# virtio_user SEGMENTS DEVARGS...: DPDK's driver with each of these.
virtio_user()
{
	local segments=$1
	shift
	taskset -c 0 "$exchange" -l 0 --no-pci "${memory[@]}" -- $((10 * frames)) "$segments" "$@" \
		>"$work/exchange.log" 2>&1 || fail "see exchange.log"
	grep -A 1 --no-group-separator '^path=' "$work/exchange.log" | sed "s,path=$work/,," |
		paste -d ' ' - -
	echo "-- $# combinations, DPDK's driver"
}

# combinations PATH PAIRS...: arguments of DPDK's driver for each of them.
combinations()
{
	local packed mergeable in_order pairs path=$1
	shift
	for packed in 0 1; do
		for mergeable in 0 1; do
			for in_order in 0 1; do
				for pairs; do
					echo "path=$path,packed_vq=$packed,mrg_rxbuf=$mergeable,in_order=$in_order,queues=$pairs"
				done
			done
		done
	done
}

start_echo ""
step "a driver with every feature of the rings"
"$(dirname "$0")/matrix.py" "$sock" "$frames" 1,2,8 || fail "see above"
step "DPDK's driver, with indirect descriptors (x.sock) and without"
start_masked
mapfile -t each < <(combinations "$sock" 1 2 8; combinations "$sock.masked" 1 2 8)
virtio_user 7 "${each[@]}"
# Packets of more than 7 segments are chains in the ring even with indirect descriptors. DPDK's
# driver (22.11 and later) writes no id for a table in a packed ring that is not in order. Once a
# chain of several descriptors came before, the table has the id of another packet, which the driver
# then frees twice or never.
step "the same with chains beside tables, but for packed rings with tables that are not in order"
mapfile -t each < <(printf '%s\n' "${each[@]}" | grep -v "$sock,packed_vq=1,.*in_order=0")
virtio_user 12 "${each[@]}"
step "DPDK's driver, vector instructions where this processor has them"
virtio_user 12 "path=$sock,mrg_rxbuf=0,in_order=0,vectorized=1,queues=2" \
	"path=$sock,mrg_rxbuf=0,packed_vq=1,vectorized=1,queues=2"
stop_testpmd vduse

step "offloads are offered, and not taken"
start_echo ",csum=1,tso=1"
"$(dirname "$0")/matrix.py" "$sock" "$frames" 2 || fail "see above"
mapfile -t each < <(combinations "$sock" 2)
virtio_user 7 "${each[@]}"
stop_testpmd vduse
ok
