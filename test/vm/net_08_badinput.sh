#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# A device that cannot be had: one line that names it, what is wrong and what to do; an exit
# code that is not 0; nothing left under /dev/vduse. Wrong arguments need no kernel to be refused:
# test/host/host_12_badinput.sh has those.
. "$(dirname "$0")/guest.sh"
. "$(dirname "$0")/badinput.sh"

# A user who may read every file, so that the build folder may lie anywhere.
unprivileged()
{
	run_as=(setpriv --reuid=65534 --regid=65534 --clear-groups
		"--inh-caps=-all,+dac_read_search" "--ambient-caps=-all,+dac_read_search")
	refused "$@"
	run_as=()
}

net=iface=/dev/vduse/net0
step "no VDUSE in the kernel"
refused 'modprobe|module' "$net"

load_modules vduse virtio_vdpa virtio_net
known=$(ls /dev/vduse)
step "no permission"
unprivileged '/dev/vduse' "$net"
chmod 666 /dev/vduse/control
unprivileged 'CAP_NET_ADMIN|privilege|root|ermi' "$net"

step "queues that need a control queue"
refused 'queues|control queue' "$net,queues=2"

step "a name that a live process has"
start_testpmd live --vdev "net_vduse0,$net,attach=virtio"
wait_interface net0
known=$(ls /dev/vduse)
refused 'net0|use|taken' "$net"
testpmd_cmd live "show port info 0" | grep -q "Link status: up" || fail "the live one is hurt"
stop_testpmd live
check_nothing_left
ok
