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
# net_21_vdpa_pairs.sh has a driver that uses all of them.
. "$(dirname "$0")/guest.sh"
. "$(dirname "$0")/vdpa_exchange.sh"

device_pairs=(1)
[ "${VDUSE_MODULE:-distribution}" != ours ] || device_pairs=(1 2 8)

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
			echo "refused by this DPDK: see net_21_vdpa_pairs.sh"
		fi
	fi
	stop_testpmd vduse
	check_nothing_left
done
ok
