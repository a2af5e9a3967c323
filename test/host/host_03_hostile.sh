#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# Clients of a socket that break the rules: each is dropped with one log line, and the next one is
# served.
. "$(dirname "$0")/host.sh"
need python3

# A process for each part: together they cause more lines than one device may log.
parts=4
for ((part = 0; part < parts; part++)); do
	[ $part = 0 ] || stop_testpmd vduse
	step "clients, part $((part + 1)) of $parts"
	start_backend vduse ""
	python3 "$(dirname "$0")/hostile.py" "$sock" "$work/vduse.log" "${testpmd_pid[vduse]}" \
		"$part" "$parts" || fail "see above"
done
step "a driver is served as ever"
start_driver virtio ""
exchange virtio vduse
stop_testpmd virtio
stop_testpmd vduse
ok
