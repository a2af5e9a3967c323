#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# Forty memory devices are plugged into a QEMU virtual machine while it writes to its disk and reads
# from it: each adds a region, and no request fails.
disk_memory=256
. "$(dirname "$0")/disk.sh"

nb=40
why=
run=$(dirname "$0")/../vm/run
log=$DPDK_VDUSE_BUILD/vm/host_29_hotplug

# Memory backends that the disk has files of; a backend may be several regions, with a file each.
files()
{
	find "/proc/$blk_pid/fd" -lname '/memfd:memory-backend*' -exec stat -L -c %i {} + | sort -u | wc -l
}

step "a virtual machine with a disk"
start_blk "disk0,transport=vhost-user,socket=$work/0.sock,backend=ram,size=64M"
wait_for 20 test -S "$work/0.sock" || fail "no socket"
mkdir -p "$log"
rm -f "$log/job.log"
"$run" --timeout 200 --mem 2G,slots=64,maxmem=16G --log "$log" --qmp "$work/qmp" \
	--disk "$work/0.sock,num-queues=1" "$(dirname "$0")/hotplug_guest.sh" >"$work/run.log" 2>&1 &
vm=$!
wait_for 120 eval 'grep -aq "^== traffic" "$log/job.log" 2>/dev/null || [ ! -e /proc/$vm ]'
if [ -e "/proc/$vm" ]; then
	step "$nb memory devices"
	before=$(files)
	# The guest ends when it has one more: not before its files are counted here.
	timeout 100 python3 "$(dirname "$0")/hotplug.py" "$work/qmp" 0 $nb || why="see above"
	wait_for 20 eval '[ $(($(files) - before)) -ge $nb ]' || why="not a file for each"
	echo "the disk has $(($(files) - before)) more files of memory"
	timeout 20 python3 "$(dirname "$0")/hotplug.py" "$work/qmp" $nb 1 || why="see above"
fi
code=0
wait $vm || code=$?
cat "$work/run.log"
[ "$code" != 77 ] || skip "no virtual machine"
[ -z "$why" ] || fail "$why"
[ "$code" = 0 ] || fail "in the virtual machine: exit code $code"
summary >"$work/summary"
for kind in io-errors bad-requests bad-descriptors 'in flight'; do
	[ "$(counter "$kind" <"$work/summary")" = 0 ] || fail "$kind: $(cat "$work/summary")"
done
stop_blk
ok
