#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# What vhost-user clients do, as observed with the front ends of QEMU, VPP and DPDK, with a network
# device and with a disk: the device keeps working.
. "$(dirname "$0")/disk.sh"
need python3

step "a network device"
start_backend vduse ""
python3 "$(dirname "$0")/client_rows.py" "$sock" net || fail "see above"
[ "$(log_lines vduse "before it set up a virtqueue: see that it wants no more than 1 pair (queues=1 of QEMU)")" -gt 0 ] ||
	fail "a client that wants more queues is not told of"
[ "$(log_lines vduse "VDUSE: ")" -lt 300 ] || fail "it fills the log"

step "RARP packets that a front end asks for after a migration"
testpmd_cmd vduse "set verbose 1" >/dev/null
python3 "$(dirname "$0")/rarp.py" "$sock" "$work/vduse.log" announce || fail "see above"
testpmd_cmd vduse "set verbose 0" >/dev/null
testpmd_cmd vduse "clear port stats 0" >/dev/null
before=$(log_lines vduse "VDUSE: ")
python3 "$(dirname "$0")/rarp.py" "$sock" "$work/vduse.log" flood || fail "see above"
# The packets of the driver, and no more RARP packets than messages.
got=$(count vduse RX-packets)
if [ "$got" -le 101 ] || [ "$got" -gt 101102 ]; then
	fail "$got packets"
fi
[ "$(log_lines vduse "VDUSE: ")" -lt $((before + 40)) ] || fail "it fills the log"
stop_testpmd vduse
rm -f "$sock"

step "a disk"
serve_image backend=file
python3 "$(dirname "$0")/client_rows.py" "$sock" blk || fail "see above"
stop_blk
ok
