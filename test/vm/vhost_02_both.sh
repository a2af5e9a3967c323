#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# One process serves a VDUSE device and a vhost-user socket at once: what the kernel sends into
# the first comes out of the second at another process, whose answers go the other way.
. "$(dirname "$0")/vhost.sh"

socket=$work/echo.sock

# vhost-user takes eight files of memory at the most.
start_echo()
{
	launch_testpmd echo -l 0,1 --main-lcore 1 --no-pci --file-prefix=echo --single-file-segments \
		--vdev "net_virtio_user0,path=$socket,mac=02:00:00:00:00:99" -- \
		-i --auto-start --forward-mode=icmpecho --total-num-mbufs=16384
	wait_prompt echo 0
	wait_for 10 link_is both 1 up || fail "the socket has no link"
}

load_modules vduse virtio_vdpa virtio_net
step "net_vhost on a VDUSE path and on a socket"
start_vhost both --log-level=pmd.net.vhost:info --vdev net_vhost0,iface=/dev/vduse/net0 --vdev "net_vhost1,iface=$socket" --
[ -S "$socket" ] || fail "no socket at $socket"
vdpa_add net0

step "a process with net_virtio_user on the socket answers what it is asked"
start_echo
in_netns left net0 10.0.0.1/24
no_loss on_left ping -c 10 -i 0.1 10.0.0.2
no_loss on_left ping -f -q -c 1000 -s 1400 10.0.0.2

step "each has the device id of its side"
grep -q "Vhost device 0 created" "$work/both.log" || fail "the socket's id is not 0"
grep -q "Vhost device 1023 created" "$work/both.log" || fail "the VDUSE device's id is not 1023"

step "the process on the socket goes and comes back; the VDUSE device stays"
stop_testpmd echo
wait_for 10 link_is both 1 down || fail "the socket's link stays up"
testpmd_cmd both "show port info 0" | grep "Link status: up" || fail "port 0: no link"
start_echo
no_loss on_left ping -c 5 -i 0.1 -W 10 10.0.0.2

stop_testpmd echo
stop_testpmd both
check_nothing_left
[ ! -e "$socket" ] || fail "$socket is left behind"
ok
