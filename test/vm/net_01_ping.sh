#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# Two ports, each a kernel interface in its own namespace: ping both ways.
. "$(dirname "$0")/guest.sh"

step "two devices appear as kernel interfaces"
start_pair fwd ""
on_left ethtool -i eth0 | head -n 2
on_right ip -br link show eth0

step "ping both ways"
no_loss on_left ping -c 10 -i 0.1 10.0.0.2
no_loss on_right ping -c 10 -i 0.1 10.0.0.1

step "1000 flood pings, small and full"
no_loss on_left ping -f -q -c 1000 10.0.0.2
no_loss on_right ping -f -q -c 1000 -s 1472 -M do 10.0.0.1

step "testpmd counted them"
[ "$(port_count fwd 0 RX-packets)" -ge 2020 ] || fail "port 0 received too few"
[ "$(port_count fwd 1 TX-packets)" -ge 2020 ] || fail "port 1 sent too few"

step "nothing is left after quit"
stop_testpmd fwd
check_nothing_left
ok
