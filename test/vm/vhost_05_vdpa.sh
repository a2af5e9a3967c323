#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# net_vhost on a VDUSE path over vhost_vdpa, where the environment gives it: DPDK's own virtio
# driver is the other side, and brings its own memory.
. "$(dirname "$0")/vhost.sh"

packets=200000

received()
{
	[ "$(port_count "$1" 0 RX-packets)" -ge "$2" ]
}

# exchange EAL_ARGS...: the other side sends; what arrives is sent back to it. net_vhost's counts go
# on from the last time: its lcore adds to them at each poll, and so undoes a "clear port stats".
exchange()
{
	local sent got before
	step "virtio_user $*"
	launch_testpmd user -l 0,1 --main-lcore 1 --no-pci --file-prefix=user --iova-mode=va "$@" \
		--vdev net_virtio_user0,path=/dev/vhost-vdpa-0 -- \
		-i --disable-link-check --total-num-mbufs=16384
	wait_prompt user 0
	wait_for 10 link_is vhost 0 up || fail "no link"
	before=$(port_count vhost 0 RX-packets)
	testpmd_cmd user "set fwd flowgen" >/dev/null
	testpmd_cmd user start >/dev/null
	wait_for 60 received vhost $((before + packets)) || fail "$(port_count vhost 0 RX-packets) arrived"
	wait_for 60 received user $packets || fail "$(port_count user 0 RX-packets) came back"
	testpmd_cmd user stop >/dev/null
	sent=$(port_count user 0 TX-packets)
	wait_for 5 received vhost $((before + sent)) || true
	got=$(($(port_count vhost 0 RX-packets) - before))
	echo "$sent sent, $got received, $(port_count user 0 RX-packets) came back"
	[ "$got" = "$sent" ] || fail "$sent sent, $got received"
	stop_testpmd user
	wait_for 10 link_is vhost 0 down || fail "the link stays up"
}

load_modules vduse vhost_vdpa
export DPDK_VDUSE_ATTACH=vhost
start_vhost vhost --vdev net_vhost0,iface=/dev/vduse/net0 --
wait_for 10 test -c /dev/vhost-vdpa-0 || fail "no /dev/vhost-vdpa-0"
exchange
exchange --single-file-segments
stop_testpmd vhost
check_nothing_left
ok
