#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# What a virtual machine's driver does beside carrying packets; see driver.py.
. "$(dirname "$0")/host.sh"
need python3

start_backend vduse ",mac=02:00:00:00:00:01,mtu=1400"
python3 "$(dirname "$0")/driver.py" "$sock" "${testpmd_pid[vduse]}" "$work/vduse.log" \
	"$work/vduse.in" ||
	fail "see above"
wait_for 10 received vduse 1 || fail "no packet was received"
stop_testpmd vduse
ok
