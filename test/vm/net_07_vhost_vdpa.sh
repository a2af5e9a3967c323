#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
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

count()
{
	port_count "$1" 0 "$2"
}

received()
{
	[ "$(count "$1" RX-packets)" -ge "$2" ]
}

# one_way FROM TO
one_way()
{
	local sent got
	testpmd_cmd "$1" stop >/dev/null || true
	testpmd_cmd "$2" stop >/dev/null || true
	testpmd_cmd "$1" "clear port stats all" >/dev/null
	testpmd_cmd "$2" "clear port stats all" >/dev/null
	testpmd_cmd "$2" "set fwd rxonly" >/dev/null
	testpmd_cmd "$2" start >/dev/null
	testpmd_cmd "$1" "set fwd txonly" >/dev/null
	testpmd_cmd "$1" start >/dev/null
	wait_for 30 received "$2" "$packets" || fail "$1 to $2: $(count "$2" RX-packets) arrived"
	testpmd_cmd "$1" stop >/dev/null
	sent=$(count "$1" TX-packets)
	wait_for 5 received "$2" "$sent" || true
	got=$(count "$2" RX-packets)
	testpmd_cmd "$2" stop >/dev/null
	echo "$1 to $2: $sent sent, $got received"
	[ "$got" = "$sent" ] || fail "$1 to $2: $sent sent, $got received"
}

load_modules vduse vhost_vdpa
exchange
exchange --single-file-segments
ok
