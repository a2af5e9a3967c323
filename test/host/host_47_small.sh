#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# dpdk-vduse-blk without options of EAL: as root, without huge pages, on one processor, and as an
# ordinary user. Each time a driver writes, reads and reconnects while SIGTERM with --stop leave and
# new starts take the process away from it: no request fails or is repeated.
. "$(dirname "$0")/host.sh"
blk=$DPDK_VDUSE_BUILD/app/blk/dpdk-vduse-blk

# serves NAME RING COMMAND...: the command is followed by the program's own options.
serves()
{
	local name=$1 ring=$2 folder=$work/$1
	shift 2
	step "$name, $ring ring"
	mkdir -m 755 "$folder"
	export DPDK_VDUSE_RUN_DIR=$folder/run
	truncate -s 1M "$folder/disk.img"
	[ "$name" != user ] || chown -R nobody "$folder"
	timeout 60 "$(dirname "$0")/blk_kill.py" "$ring" "$folder/sock" "$folder/disk.img" "$@" \
		--stop leave --device \
		"disk0,iface=$folder/sock,backend=fault,under=file,path=$folder/disk.img,delay=60000" \
		>"$folder/log" 2>&1 || fail "$(cat "$folder/log")"
	grep -a 'requests were out' "$folder/log"
	[ "$(grep -ac 'left to the next process' "$folder/log")" = 5 ] ||
		fail "not left five times: $(cat "$folder/log")"
	! grep -aq 'taken again' "$folder/log" || fail "repeated: $(cat "$folder/log")"
	[ -S "$folder/sock" ] || fail "no socket is left"
}

chmod 755 "$work"
serves root split "$blk"
serves no_huge packed "$blk" --no-huge -m 512 --
serves processor packed taskset -c 0 "$blk"
if [ "$(id -u)" = 0 ]; then
	serves user split setpriv --reuid="$(id -u nobody)" --clear-groups "$blk"
fi
"$blk" --workers 10000 >"$work/workers.log" 2>&1 && fail "10000 workers"
[ "$(wc -l <"$work/workers.log")" = 1 ] || fail "$(cat "$work/workers.log")"
ok
