#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Clients of a socket that break every rule: dropped with one line, and the next one is served.
. "$(dirname "$0")/host.sh"
need python3

start_backend vduse ""
python3 "$(dirname "$0")/hostile.py" "$sock" "$work/vduse.log" "${testpmd_pid[vduse]}" ||
	fail "see above"
step "a driver is served as ever"
start_driver virtio ""
exchange virtio vduse
stop_testpmd virtio
stop_testpmd vduse
ok
