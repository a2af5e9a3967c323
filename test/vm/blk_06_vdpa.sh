#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# The project's own driver over vhost-vdpa: every request type, with both ring formats, out of order
# and in order, on a file whose requests finish in any order. Its memory stays pinned while it is
# mapped.
. "$(dirname "$0")/blk.sh"

load_modules vduse vhost_vdpa
truncate -s 1M "$work/disk.img"
start_blk "disk0,attach=vhost,packed=1,in-order=1,backend=fault,under=file,path=$work/disk.img,delay=200"
wait_for 20 test -c /dev/vhost-vdpa-0 || fail "no /dev/vhost-vdpa-0"
PYTHONPATH=$(dirname "$0")/../host timeout 100 "$(dirname "$0")/blk_vdpa.py" /dev/vhost-vdpa-0 \
	"$work/disk.img" disk0 2>"$work/check.log" &
driver_pid=$!
wait_for 60 eval '[ "$(pinned_queues)" = 1 ]' || fail "the driver's memory is not pinned"
wait $driver_pid || fail "see the log"
[ "$(pinned_queues)" = 0 ] || fail "memory stays pinned"
stop_blk
check_nothing_left
ok
