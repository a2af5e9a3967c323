# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
#
# What the tests of the kernel module share. Source after guest.sh.

mount -t debugfs debugfs /sys/kernel/debug 2>/dev/null || true

# On a kernel that looks for it: memory of vduse.ko's that nobody points to any more. It must be
# unloaded, and what it allocated be some seconds old.
check_no_leaks()
{
	local kmemleak=/sys/kernel/debug/kmemleak
	[ -e $kmemleak ] || return 0
	sleep 6
	echo scan >$kmemleak
	sleep 6
	echo scan >$kmemleak
	cat $kmemleak >"$work/kmemleak.log"
	[ ! -s "$work/kmemleak.log" ] || fail "memory was lost"
}
