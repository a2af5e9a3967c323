#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# QEMU requests two queue pairs from a device that has one: it reports that, and retries immediately
# without end. This log has the reason, does not grow with the retries, and the next client is
# served.
. "$(dirname "$0")/host.sh"
need_qemu
packets=10000

attempts()
{
	log_lines qemu 'queues than supported'
}

step "QEMU asks for two pairs"
start_testpmd vduse "${memory[@]}" --main-lcore 0 \
	--vdev "net_vduse0,iface=$sock" -- --forward-mode=rxonly
"$qemu_program" -machine none -display none -nodefaults -monitor none \
	-chardev "socket,id=c,path=$sock" -netdev "vhost-user,id=n,chardev=c,queues=2" \
	>"$work/qemu.log" 2>&1 </dev/null &
qemu=$!
trap 'kill -9 "$qemu" 2>/dev/null || true; at_exit' EXIT
wait_for 60 eval '[ "$(attempts)" -ge 500 ]' || fail "it tried $(attempts) times"
kill -9 "$qemu"
wait "$qemu" 2>/dev/null || true
echo "$(attempts) attempts, $(wc -l <"$work/vduse.log") lines in the log"
grep -a 'net_vduse0' "$work/vduse.log" | sort | uniq -c | sort -rn | head
grep -aq 'wants no more than 1 pair (queues=1 of QEMU)' "$work/vduse.log" ||
	fail "not one line says why"
[ "$(wc -l <"$work/vduse.log")" -lt 200 ] || fail "the log grows with the attempts"

step "the next client is served"
start_driver driver ""
exchange vduse driver
stop_testpmd driver
stop_testpmd vduse
ok
