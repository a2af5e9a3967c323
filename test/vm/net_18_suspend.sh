#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# As blk_09_suspend.sh with a port of testpmd, which sends every packet back: those that come back
# are in order, none comes twice, and testpmd has dropped as many as are missing. CYCLES is how often
# for each ring format, default 48; net_18_suspend_1000.sh does it 1,000 times.
. "$(dirname "$0")/guest.sh"

cycles=${CYCLES:-48}
driver=$DPDK_VDUSE_BUILD/test/vm/vdpa-suspend

# packets KIND: from the driver's report.
packets()
{
	sed -n "s/^packets:.* $1 \([0-9]*\).*/\1/p" "$work/driver.log"
}

# expect WHAT NUMBER NUMBER
expect()
{
	[ "$2" = "$3" ] || fail "$1: the driver counts $2, testpmd $3"
}

suspended_under_load()
{
	local seed=$((RANDOM)) dropped
	step "$1 rings, $cycles cycles, seed $seed"
	start_testpmd vduse --vdev net_vduse0,iface=/dev/vduse/net0,attach=vhost,packed=1 -- \
		--forward-mode=io --port-topology=loop
	wait_for 30 test -c /dev/vhost-vdpa-0 || fail "no /dev/vhost-vdpa-0"
	"$driver" net "$1" "$cycles" "$seed" 2>&1 | tee "$work/driver.log" ||
		fail "see the last lines of driver.log"
	dropped=$(testpmd_cmd vduse "show fwd stats all" |
		sed -n 's/.*TX-dropped: *\([0-9]*\).*/\1/p' | head -n 1)
	expect sent "$(packets sent)" "$(port_count vduse 0 RX-packets)"
	expect back "$(packets back)" "$(port_count vduse 0 TX-packets)"
	expect missing "$(packets missing)" "$dropped"
	stop_testpmd vduse
	check_nothing_left
	total=$((total + cycles))
}

set -o pipefail
total=0
can_suspend || skip "this kernel's VDUSE cannot suspend"
load_modules vduse vhost_vdpa
suspended_under_load split
suspended_under_load packed
ok "$(basename "$0"): $total cycles"
