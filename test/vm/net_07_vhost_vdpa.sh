#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# Over vhost_vdpa: another testpmd, with DPDK's own virtio driver, is the other side.
. "$(dirname "$0")/guest.sh"

packets=200000

# exchange NAME EAL_ARGS...: `packets` of them each way, counted where they arrive.
exchange()
{
	step "$*"
	start_testpmd vduse --vdev net_vduse0,iface=/dev/vduse/net0,attach=vhost -- \
		--forward-mode=rxonly
	wait_for 10 test -c /dev/vhost-vdpa-0 || fail "no /dev/vhost-vdpa-0"
	launch_testpmd virtio -l 0,1 --main-lcore 1 --no-pci --file-prefix=virtio --iova-mode=va "$@" \
		--vdev net_virtio_user0,path=/dev/vhost-vdpa-0 -- \
		-i --disable-link-check --total-num-mbufs=16384 --forward-mode=rxonly
	wait_prompt virtio 0
	one_way virtio vduse
	one_way vduse virtio
	stop_testpmd virtio
	stop_testpmd vduse
	check_nothing_left
}

load_modules vduse vhost_vdpa
exchange
exchange --single-file-segments
ok
