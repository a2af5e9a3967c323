# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
# shellcheck shell=bash
#
# What the tests of the kernel module share. Source after guest.sh.

mount -t debugfs debugfs /sys/kernel/debug 2>/dev/null || true

# kmemleak's records that name the function in the first lines of who allocated it.
allocated_by()
{
	awk -v pattern="$1" '
		/^unreferenced object/ { record = ""; line = 0; found = 0 }
		{ record = record $0 "\n" }
		/^  *backtrace/ { line = 1; next }
		line && line++ <= 6 && index($0, pattern) && !found {
			found = 1
			printf "%s", record
			next
		}
		found { print }' "$2"
}

# All of kmemleak's records but those of memory that Linux itself is known to lose: virtnet_probe()
# of 6.12 does not free vi->rss_hdr where it fails.
not_known()
{
	awk '
		function finish() { if (record != "" && !known) printf "%s", record }
		/^unreferenced object/ { finish(); record = ""; line = 0; known = 0 }
		{ record = record $0 "\n" }
		/^  *backtrace/ { line = 1; next }
		line && line++ <= 6 && index($0, "virtnet_probe+") { known = 1 }
		END { finish() }' "$1"
}

# On a kernel with kmemleak: checks for leaked memory, some seconds later.
# check_no_leaks [MODULE]: only what MODULE, still loaded, allocated; others have bugs too.
# shellcheck disable=SC2154
check_no_leaks()
{
	local kmemleak=/sys/kernel/debug/kmemleak
	[ -e $kmemleak ] || return 0
	sleep 6
	echo scan >$kmemleak
	sleep 6
	echo scan >$kmemleak
	cat $kmemleak >"$work/kmemleak"
	if [ $# -gt 0 ]; then
		allocated_by "[$1]" "$work/kmemleak" >"$work/kmemleak.log"
	else
		not_known "$work/kmemleak" >"$work/kmemleak.log"
	fi
	[ ! -s "$work/kmemleak.log" ] || fail "memory was lost"
}
