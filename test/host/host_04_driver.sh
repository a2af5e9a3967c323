#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# Operations of a virtual machine's driver besides the traffic; see driver.py.
. "$(dirname "$0")/host.sh"
need python3

# xstat NAME
xstat()
{
	testpmd_cmd vduse "show port xstats 0" | sed -n "s/^$1: //p"
}

start_backend vduse ",mac=02:00:00:00:00:01,mtu=1400"
python3 "$(dirname "$0")/driver.py" "$sock" "${testpmd_pid[vduse]}" "$work/vduse.log" \
	"$work/vduse.in" ||
	fail "see above"
wait_for 10 received vduse 1 || fail "no packet was received"
step "extended statistics agree with the basic ones"
xstats=$(testpmd_cmd vduse "show port xstats 0")
[ "$(grep -acE '^(device|rx_q0|tx_q0)_[a-z0-9_]*: ' <<<"$xstats")" -ge 40 ] ||
	fail "names are missing: $xstats"
[ "$(xstat rx_q0_good_packets)" = "$(count vduse RX-packets)" ] || fail "Rx packets: $xstats"
[ "$(xstat tx_q0_good_packets)" = "$(count vduse TX-packets)" ] || fail "Tx packets: $xstats"
[ "$(xstat device_messages)" -gt 0 ] || fail "no message was counted: $xstats"

step "they start at 0 when they are cleared; what the device is in stays"
testpmd_cmd vduse "clear port xstats 0" >/dev/null
[ "$(xstat rx_q0_good_packets)" = 0 ] || fail "Rx packets after clear"
[ "$(count vduse RX-packets)" = 0 ] || fail "basic Rx packets after clear"
[ "$(xstat device_messages)" -gt 0 ] || fail "messages after clear"

step "another MTU and MAC address"
testpmd_cmd vduse "port config mtu 0 1300" >/dev/null
testpmd_cmd vduse "mac_addr set 0 02:00:00:00:00:02" >/dev/null
testpmd_cmd vduse "show port info 0" >"$work/info"
grep -a 'MTU: 1300' "$work/info" || fail "MTU: $(cat "$work/info")"
grep -a 'MAC address: 02:00:00:00:00:02' "$work/info" || fail "MAC: $(cat "$work/info")"
stop_testpmd vduse
ok
