#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# Ports of net_vduse in secondary processes: the same counters as in the primary process, no packets,
# and an error after the primary process closed the port, or while it does not answer.
#
# Secondary processes need huge pages in a file system. It is gone with this mount namespace.
if [ -z "${HOST_35_MOUNTS:-}" ]; then
	unshare -m true 2>/dev/null || { echo "skip: *** unshare -m is refused"; exit 77; }
	exec env HOST_35_MOUNTS=1 unshare -m "$0"
fi
. "$(dirname "$0")/host.sh"

primary=primary$$
at_exit_here()
{
	umount -l "$work/huge" 2>/dev/null || true
	at_exit
	rm -rf "/var/run/dpdk/$primary"
}
trap at_exit_here EXIT

proc_info=(dpdk-proc-info)
need "${proc_info[0]}"
! sanitized || proc_info=(env LD_PRELOAD="$(realpath "$(gcc -print-file-name=libasan.so)")"
	ASAN_OPTIONS="$ASAN_OPTIONS:detect_leaks=0" dpdk-proc-info)
mkdir "$work/huge"
mount -t hugetlbfs none "$work/huge" || skip "*** no hugetlbfs: nothing was tested"
second=(--no-pci --proc-type=secondary --file-prefix="$primary" --huge-dir "$work/huge" -d "$PLUGIN")

# Lines "name: value" of extended statistics.
names()
{
	sed -nE 's/^ *([a-z][a-z0-9_]*: [0-9]+) *$/\1/p'
}

# proc-info prints "RX-packets: 5   RX-errors: 0", as testpmd does, with other spaces.
basics()
{
	grep -aoE '^ .*(RX|TX)-[a-z]+: *[0-9]+.*' | grep -v 'Stats reg' |
		grep -oE '(RX|TX)-(packets|bytes|errors|nombuf): *[0-9]+' | tr -s ' ' | sort
}

# same WHAT FILE FILE
same()
{
	[ "$(wc -l <"$2")" -ge 7 ] || fail "$1: $(wc -l <"$2") lines of the primary process"
	diff "$2" "$3" || fail "$1 differ"
	echo "$1: $(wc -l <"$2") alike"
}

# info NAME OPTION: what dpdk-proc-info prints.
info()
{
	local code=0
	timeout 60 "${proc_info[@]}" "${second[@]}" -- "$2" >"$work/$1.log" 2>&1 || code=$?
	[ "$code" = 0 ] || fail "dpdk-proc-info $2: exit code $code"
}

# other PORT: the testpmd that is a secondary process shows the counters of the primary.
other()
{
	testpmd_cmd "$primary" "show port stats $1" | basics >"$work/stats"
	testpmd_cmd second "show port stats $1" | basics >"$work/stats.other"
	same "port $1: statistics" "$work/stats" "$work/stats.other"
	testpmd_cmd "$primary" "show port xstats $1" | names >"$work/xstats"
	testpmd_cmd second "show port xstats $1" | names >"$work/xstats.other"
	same "port $1: extended statistics" "$work/xstats" "$work/xstats.other"
}

start_testpmd "$primary" -m 256 --huge-dir "$work/huge" --main-lcore 0 \
	--vdev "net_vduse0,iface=$sock" --vdev "net_vduse1,iface=$work/y.sock" -- \
	--forward-mode=rxonly
start_driver virtio ""
one_way "$primary" virtio
# As one_way, without clearing the counters of the other direction.
testpmd_cmd virtio "set fwd txonly" >/dev/null
testpmd_cmd "$primary" "set fwd rxonly" >/dev/null
testpmd_cmd "$primary" start >/dev/null
testpmd_cmd virtio start >/dev/null
wait_for 20 received "$primary" 10000 || fail "nothing arrives"
testpmd_cmd virtio stop >/dev/null
testpmd_cmd "$primary" stop >/dev/null

step "dpdk-proc-info shows the counters of the primary process"
testpmd_cmd "$primary" "show port stats 0" | basics >"$work/stats"
info proc-stats --stats
sed '/port 1 /,$d' "$work/proc-stats.log" | basics >"$work/stats.other"
same statistics "$work/stats" "$work/stats.other"
testpmd_cmd "$primary" "show port xstats 0" | names >"$work/xstats"
info proc-xstats --xstats
sed '/port 1 /,$d' "$work/proc-xstats.log" | names >"$work/xstats.other"
same "extended statistics" "$work/xstats" "$work/xstats.other"
[ "$(grep -cE '^[rt]x_q0_good_packets: [1-9]' "$work/xstats.other")" = 2 ] ||
	fail "no packets in it"
info proc-port --show-port
grep -q 'driver net_vduse device net_vduse1' "$work/proc-port.log" || fail "no port 1"

step "testpmd as a secondary process does too"
launch_testpmd second -l "$LCORES" --main-lcore 0 "${second[@]}" -- -i --disable-link-check \
	--forward-mode=rxonly
wait_prompt second 0
other 0
other 1
testpmd_cmd second "show port info 0" | grep -a 'Link status: up' >/dev/null ||
	fail "the link is not up"

step "a secondary process takes no packets, and changes nothing"
testpmd_cmd second start >/dev/null
one_way virtio "$primary"
testpmd_cmd second stop >/dev/null
testpmd_cmd second "clear port stats 0" >/dev/null
received "$primary" "$packets" || fail "the counters were cleared"
other 0

step "a port that the primary process adds, and removes"
testpmd_cmd "$primary" "port attach net_vduse2,iface=$work/z.sock" >"$work/attach"
grep -q 'Port 2 is attached' "$work/attach" || fail "$(cat "$work/attach")"
wait_for 10 eval 'testpmd_cmd second "show port stats 2" | grep -a "RX-packets: 0"' ||
	fail "the secondary process does not have port 2"
testpmd_cmd "$primary" "port detach 2" >"$work/detach"
grep -qi 'is detached' "$work/detach" || fail "$(cat "$work/detach")"

stop_testpmd virtio
step "the primary process does not answer for a while"
testpmd_cmd "$primary" "show port xstats 0" | names >"$work/xstats"
kill -STOP "${testpmd_pid[$primary]}"
testpmd_cmd second "show port stats 1" >"$work/refuses"
grep -q 'net_vduse1: cannot read from the primary process' "$work/refuses" ||
	fail "no error: $(cat "$work/refuses")"
# The late reply to that request is not taken for the reply to the next one, about another port.
before=$(prompts second)
lines=$(wc -l <"$work/second.log")
echo "show port xstats 0" >&"${testpmd_stdin[second]}"
sleep 1
kill -CONT "${testpmd_pid[$primary]}"
wait_prompt second "$before"
tail -n +"$((lines + 1))" "$work/second.log" | names >"$work/xstats.other"
same "extended statistics after it" "$work/xstats" "$work/xstats.other"

step "a port that the primary process closes while it is asked about it"
testpmd_cmd "$primary" "port stop 0" >/dev/null
before=$(prompts second)
for _ in $(seq 300); do
	echo "show port xstats 0"
done >&"${testpmd_stdin[second]}"
wait_prompt second $((before + 20))
testpmd_cmd "$primary" "port close 0" >/dev/null
wait_prompt second $((before + 299))
testpmd_cmd second "show port stats 0" >"$work/refuses"
testpmd_cmd second "show port xstats 0" >>"$work/refuses"
testpmd_cmd second "show port info 0" >>"$work/refuses"
[ "$(grep -ac 'the primary process has closed the port' "$work/refuses")" -ge 2 ] ||
	fail "no errors: $(cat "$work/refuses")"
other 1

step "the secondary process ends first"
stop_testpmd second
testpmd_cmd "$primary" "show port info 1" | grep -a 'device name: net_vduse1' -i >/dev/null ||
	fail "port 1 of the primary process is gone"
stop_testpmd "$primary"
ok
