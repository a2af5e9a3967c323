#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# testpmd stopped and started again on the same names; killed and started again.
. "$(dirname "$0")/guest.sh"

step "stopped and started, 3 times"
start_pair fwd ""
for _ in 1 2 3; do
	no_loss on_left ping -q -c 5 -i 0.1 10.0.0.2
	stop_testpmd fwd
	check_nothing_left
	start_pair fwd ""
done

step "ports stopped and started inside testpmd"
testpmd_cmd fwd stop >/dev/null
testpmd_cmd fwd "port stop all" >/dev/null
testpmd_cmd fwd "port start all" >/dev/null
testpmd_cmd fwd start >/dev/null
no_loss on_left ping -q -c 5 -i 0.1 -w 5 10.0.0.2

step "killed and started, 3 times: what the dead process left is no dead end"
for _ in 1 2 3; do
	kill_testpmd fwd
	start_testpmd fwd --vdev net_vduse0,iface=/dev/vduse/net0,attach=virtio \
		--vdev net_vduse1,iface=/dev/vduse/net1,attach=virtio
	join_pair
	no_loss on_left ping -q -c 5 -i 0.1 -w 10 10.0.0.2
done
stop_testpmd fwd
check_nothing_left
ok
