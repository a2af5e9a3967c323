#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# Client mode: the driver creates the socket and net_vduse connects to it. Either may be restarted.
. "$(dirname "$0")/host.sh"

link_is_up()
{
	testpmd_cmd "$1" "show port info 0" | grep -q 'Link status: up'
}

step "net_vduse waits for the socket"
start_backend vduse ",client=1"
link_is_up vduse && fail "the link is up without a driver"
start_driver virtio ",server=1"
wait_for 10 link_is_up vduse || fail "no connection"
exchange virtio vduse

step "the driver is restarted"
stop_testpmd virtio
wait_for 10 eval '! link_is_up vduse' || fail "the link stays up"
start_driver virtio ",server=1"
wait_for 10 link_is_up vduse || fail "no connection"
exchange virtio vduse

step "net_vduse is killed and restarted"
kill_testpmd vduse
start_backend vduse ",client=1"
wait_for 10 link_is_up vduse || fail "no connection"
exchange virtio vduse

stop_testpmd vduse
stop_testpmd virtio
ok
