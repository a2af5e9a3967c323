#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# host_14_attack.sh ATTACKS...: clients of one disk's socket that try to delay another disk of the
# same process. The other disk must be served meanwhile, and the log must stay bounded.
. "$(dirname "$0")/disk.sh"
need python3

truncate -s 1M "$image"
# Disks whose driver attacks together, LOST_DISKS of socket_attack.py.
lost=()
for i in {0..19}; do
	lost+=("lost$i,transport=vhost-user,socket=$work/lost$i.sock,backend=ram,size=1M")
done
# Disks for drivers behind an IOMMU; requests of the second are in flight for half a second.
iommu=("iommu,transport=vhost-user,socket=$work/iommu.sock,backend=ram,size=1M,iommu=1"
	"slow,transport=vhost-user,socket=$work/slow.sock,backend=fault,under=ram,size=1M,delay=500000,iommu=1")
start_blk "disk0,transport=vhost-user,socket=$sock,backend=file,path=$image" \
	"disk1,transport=vhost-user,socket=$work/y.sock,backend=ram,size=1M" "${iommu[@]}" \
	"${lost[@]}"
wait_for 20 grep -aq "listens at $work/lost19.sock" "$work/blk.log" || fail "no socket"
stays=
for attack; do
	step "$attack"
	target=$sock
	case $attack in
	iommu_in_flight) target=$work/slow.sock ;;
	iommu_*) target=$work/iommu.sock ;;
	esac
	# One whose client is there when the process is stopped; the last.
	if [ "$attack" = sparse_stays ]; then
		timeout 120 python3 "$(dirname "$0")/socket_attack.py" "$attack" "$sock" \
			"$work/y.sock" "$work/blk.log" "$blk_pid" >"$work/stays.log" 2>&1 &
		stays=$!
		wait_for 60 grep -q "^sparse_stays: connected" "$work/stays.log" || fail "not served"
		continue
	fi
	timeout 120 python3 "$(dirname "$0")/socket_attack.py" "$attack" "$target" \
		"$work/y.sock" "$work/blk.log" "$blk_pid" || fail "see above"
done
stop_blk
[ -z "$stays" ] || wait "$stays" || fail "$(cat "$work/stays.log")"
ok
