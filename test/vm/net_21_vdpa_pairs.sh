#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# As net_20_vdpa_queues.sh, with 2 and 8 queue pairs of the driver: DPDK 24.11's, in the chroot that
# `test/chroot/build trixie` made and built. Exit 77 without it.
. "$(dirname "$0")/guest.sh"
. "$(dirname "$0")/vdpa_exchange.sh"

root=${DPDK_VDUSE_CACHE:-$(dirname "$0")/../../build/cache}/trixie
[ -x "$root/root/build/test/exchange" ] || skip "no program in $root: test/chroot/build trixie build"
for dir in proc sys dev run tmp; do
	mount --rbind "/$dir" "$root/$dir"
done
exchange=(chroot "$root" /root/build/test/exchange)

load_modules vduse vhost_vdpa
for pairs in 2 8; do
	start_echo $pairs
	step "a device and a driver of $pairs queue pairs"
	combinations $pairs
	all_bytes 7 "${each[@]}"
	stop_testpmd vduse
	check_nothing_left
done
ok
