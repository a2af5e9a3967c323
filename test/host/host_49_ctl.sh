#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# dpdk-vduse-ctl: every command against dpdk-vduse-blk, in both forms of output; its errors; servers that
# answer anything or nothing; the completion of bash.
. "$(dirname "$0")/disk.sh"

CTL=${CTL:-$DPDK_VDUSE_BUILD/app/ctl/dpdk-vduse-ctl}
export DPDK_VDUSE_CONTROL=$work/control.sock LC_ALL=C.UTF-8
[ -x "$CTL" ] || fail "no $CTL: build first"

ctl()
{
	"$CTL" "$@"
}

# refused CODE TEXT ARGUMENTS...: ends with the code and one line with the text.
refused()
{
	local code=0
	timeout 20 "$CTL" "${@:3}" >"$work/out" 2>"$work/err" || code=$?
	[ "$code" = "$1" ] || fail "${*:3}: exit code $code: $(cat "$work/err")"
	[ "$(wc -l <"$work/err")" = 1 ] || fail "${*:3}: not one line: $(cat "$work/err")"
	grep -aF -- "$2" "$work/err" || fail "${*:3}: $(cat "$work/err")"
	[ ! -s "$work/out" ] || fail "${*:3}: printed $(cat "$work/out")"
}

# prints EXPECTED ARGUMENTS...: blanks count as one.
prints()
{
	local found
	found=$(ctl "${@:2}" | tr -s ' ') || fail "${*:2}"
	[ "$found" = "$1" ] || fail "${*:2} printed: $found"
}

# complete_words WORDS...: what bash completes the last word to.
complete_words()
{
	# shellcheck disable=SC2016
	PATH=$(dirname "$CTL"):$PATH bash -c '
		. "$0"
		COMP_WORDS=(dpdk-vduse-ctl "$@") COMP_CWORD=$#
		_dpdk_vduse_ctl
		echo "${COMPREPLY[*]}"' "$(dirname "$0")/../../config/completion/dpdk-vduse-ctl" "$@"
}

# completes EXPECTED WORDS...
completes()
{
	local found
	found=$(complete_words "${@:2}")
	[ "$found" = "$1" ] || fail "${*:2} completes to: $found"
}

step "no server"
refused 1 "$DPDK_VDUSE_CONTROL: no process serves it: start dpdk-vduse-blk with --control" list
refused 1 "$work/other: no process serves it" --socket "$work/other" version
refused 1 "up to 107 characters" --socket "/$(printf 'x%.0s' {1..108})" version

step "usage"
refused 2 "name a command"
refused 2 "no such command" frobnicate
refused 2 "usage: dpdk-vduse-ctl stats NAME" stats
refused 2 "usage: dpdk-vduse-ctl stats NAME" stats a b
refused 2 "usage: dpdk-vduse-ctl list" list --force
refused 2 "usage: dpdk-vduse-ctl remove" remove --count 1 disk0
refused 2 "unrecognized option" list --nothing
for limit in iops= iops=-1 iops=1K bps=1X bps=1KK bps=x bps=20000000T iops=99999999999999999999 what=1; do
	refused 2 "$limit: give iops=N" limits disk0 "$limit"
done
refused 2 "bps=2: give iops=N and bps=N once" limits disk0 bps=1 bps=2
refused 2 "--timeout 0" --timeout 0 list
refused 2 "--timeout nan" --timeout nan list
refused 2 "--interval 0" top --interval 0
refused 2 "--count -1" top --count -1
refused 2 "not UTF-8" stats $'\xff'
ctl --help | grep -x '    top \[--interval SECONDS\] \[--count N\]' || fail "no help"

step "every command"
start_blk_with --control "$DPDK_VDUSE_CONTROL" \
	--device "disk0,iface=$work/disk0.sock,backend=ram,size=1M,queues=2" \
	--device "disk-1,iface=$work/disk1.sock,backend=null,size=1536M,ro=1,serial=a"$'\e'"[31mb"$'\x7f'"é"
wait_for 20 ctl version || fail "no answer"
ctl version | grep -xE "pid +$blk_pid" || fail "no process id"
ctl --json version | grep "^{.*\"pid\":$blk_pid.*}$" || fail "no JSON"
prints "NAME SIZE STATE DRIVER BACKEND QUEUES READ-ONLY SERIAL PATH
disk0 1M serving down ram 2 no disk0 $work/disk0.sock
disk-1 1.5G serving down null 1 yes a?[31mb?é $work/disk1.sock" list
[ "$(ctl list | awk '{ print match($0, /STATE|serving/) }' | sort -u | wc -l)" = 1 ] ||
	fail "columns are not aligned"
json=$(ctl list --json)
[ "$(wc -l <<<"$json")" = 1 ] || fail "not one line"
grep -iF '"serial":"a\u001b[31mb\u007f\u00e9"' <<<"$json" || fail "$json"
python3 -c 'import json, sys; assert json.load(sys.stdin)[1]["capacity_bytes"] == 3 << 29' <<<"$json"
ctl stats disk0 | tr -s ' ' | grep -x 'reads 0 0 0' || fail "no counter"
ctl stats disk0 | head -n 1 | tr -s ' ' | grep -x 'COUNTER SUM QUEUE 0 QUEUE 1' || fail "no heads"
ctl stats disk-1 | tr -s ' ' | grep -x 'in_flight 0' || fail "no counter"
ctl --json stats disk0 | grep '^{"name":"disk0","queues":\[{.*},{.*}\],"sum":{.*}}$' || fail "no JSON"

truncate -s 1M "$image"
prints "" add "disk2,iface=$sock,backend=file,path=$image"
truncate -s 2M "$image"
prints "disk2: 2M (2097152 bytes)" resize disk2
prints '{"capacity_bytes":2097152}' --json resize disk2
prints "" limits disk2 iops=100 bps=20M
prints true --json limits disk2 bps=1T
prints "" limits disk2
prints "" serial disk2 "a serial number"
ctl list | tr -s ' ' | grep 'no a serial number ' || fail "another serial number"
prints "" log 'lib.vduse.*' debug
prints true log 'lib.vduse.*' 7 --json
(cd "$work" && prints "" save disks)
grep -x "path = $image" "$work/disks" || fail "not saved"
prints true --json save "$work/disks2"
completes "disk0 disk-1 disk2" stats ""
completes "disk-1" --timeout 3 remove --force disk-
completes "stats serial save stop" s
completes "--force" remove --f
completes "debug" log lib.eal d
completes "" --socket "$work/none" resize ""
prints "" remove disk2
prints true --json add "disk2,iface=$sock,backend=null"
prints true --json remove --force disk2

step "what the server refuses"
for command in stats remove resize limits go-on; do
	refused 1 "no-disk: no such device" "$command" no-disk
done
refused 1 "name or path is there already" add disk0,backend=null
refused 1 "the process's log says" add disk3,nothing=1
refused 1 "no-disk: no such device" serial no-disk x
refused 1 "serial: use 1 to 20 printable" serial disk0 "a serial number too long"
refused 1 "level: use emerg" log lib.eal 9
refused 1 "level: use emerg" --json log lib.eal loud
refused 1 "No such file" save "$work/none/disks"
refused 1 "name the file" save

step "top, and servers that answer anything"
timeout 100 "$(dirname "$0")/ctl_check.py" "$CTL" "$work" \
	"$BLK" -l "$LCORES" --no-pci --no-telemetry --in-memory -m 64 -- || fail "see above"

step "output that cannot be written"
! ctl list >/dev/full 2>"$work/err" || fail "no error"
grep "standard output: No space left" "$work/err" || fail "$(cat "$work/err")"

step "stop"
prints "" stop
wait_for 30 eval '! blk_alive' || fail "it does not end"
wait "$blk_pid" || fail "exit code $?"
ok
