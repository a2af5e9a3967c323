#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# DPDK's driver over vhost_vdpa with each combination of split or packed rings, merged receive
# buffers, and use in order: frames of 60 up to 65,535 bytes of IP (9,600 bytes without merging) come
# back, and every byte is compared. Devices of 1, 2 and 8 queue pairs; of 1 with a kernel whose VDUSE
# has API 0.
#
# DPDK 22.11 uses one pair of them. Its vhost_vdpa_get_features() takes VIRTIO_NET_F_MQ away
# (drivers/net/virtio/virtio_user/vhost_vdpa.c: "Multiqueue not supported for now"), so that the
# driver makes one pair of rings. With queues=2, virtio_user_kick_queue() describes the rings of the
# second pair nevertheless, and the kernel refuses their size 0 (VHOST_SET_VRING_NUM: EINVAL).
. "$(dirname "$0")/guest.sh"

exchange=$DPDK_VDUSE_BUILD/test/host/exchange
frames=400
device_pairs=(1)
[ "${VDUSE_MODULE:-distribution}" != ours ] || device_pairs=(1 2 8)

# start_echo PAIRS: a device that sends back what it receives
start_echo()
{
	start_testpmd vduse --single-file-segments \
		--vdev "net_vduse0,iface=/dev/vduse/net0,attach=vhost,packed=1,mtu=65535,queues=$1" -- \
		--forward-mode=io --rxq="$1" --txq="$1" --enable-scatter --max-pkt-len=65549
	wait_for 10 test -c /dev/vhost-vdpa-0 || fail "no /dev/vhost-vdpa-0"
}

# drive SEGMENTS DEVARGS...: DPDK's driver with each of these; false if one did not work
drive()
{
	local segments=$1
	shift
	timeout $((60 * ${VM_PATIENCE:-1})) taskset -c 0 "$exchange" -l 0 --no-pci \
		--file-prefix=exchange --iova-mode=va --single-file-segments -- $frames "$segments" \
		"${@/#/path=/dev/vhost-vdpa-0,}" >"$work/exchange.log" 2>&1
}

# combinations PAIRS: sets $each; $ordered are those whose rings are split or in order
combinations()
{
	local packed mergeable in_order args
	each=() ordered=()
	for packed in 0 1; do
		for mergeable in 0 1; do
			for in_order in 0 1; do
				args=packed_vq=$packed,mrg_rxbuf=$mergeable,in_order=$in_order,queues=$1
				each+=("$args")
				[ $packed$in_order = 10 ] || ordered+=("$args")
			done
		done
	done
}

# all_bytes SEGMENTS DEVARGS...: each of them works
all_bytes()
{
	drive "$@" || fail "see exchange.log"
	grep -A 1 --no-group-separator '^path=' "$work/exchange.log" |
		sed 's,path=/dev/vhost-vdpa-0\,,,' | paste -d ' ' - -
	[ "$(grep -c '^-- [1-9]' "$work/exchange.log")" = $(($# - 1)) ] || fail "not all of them ran"
}

load_modules vduse vhost_vdpa
for pairs in "${device_pairs[@]}"; do
	start_echo "$pairs"
	step "a device of $pairs queue pairs, a driver with one"
	combinations 1
	all_bytes 7 "${each[@]}"
	if [ "$pairs" = 1 ]; then
		# As in test/host/host_38_matrix.sh: DPDK's driver mixes chains and tables up if rings are
		# packed and not in order.
		step "with chains beside tables"
		all_bytes 12 "${ordered[@]}"
	else
		step "a driver with $pairs queue pairs"
		combinations "$pairs"
		if drive 7 "${each[0]}"; then
			all_bytes 7 "${each[@]}"
		else
			grep "Failed to kick queue" "$work/exchange.log" || fail "refused for another reason"
			echo "refused by this DPDK"
		fi
	fi
	stop_testpmd vduse
	check_nothing_left
done
ok
