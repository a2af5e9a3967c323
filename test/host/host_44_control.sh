#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# The control socket of dpdk-vduse-blk: who may connect, every method and every error, hostile clients,
# and disks that come and go while another one is used.
. "$(dirname "$0")/disk.sh"

control=$work/control.sock

# serve ARGUMENTS...: until the socket answers.
serve()
{
	start_blk_with --control "$control" "$@"
	wait_for 20 call version || fail "no answer at $control"
}

# call METHOD [PARAMETERS]: prints the result.
call()
{
	PYTHONPATH=$(dirname "$0") python3 - "$control" "$@" 2>>"$work/call.log" <<-'END'
		import json, sys
		from control import Control
		with Control(sys.argv[1]) as control:
		    print(json.dumps(control.call(sys.argv[2], **json.loads((sys.argv[3:] + ["{}"])[0]))))
	END
}

# refused TEXT ARGUMENTS...: it ends at once, with one line.
refused()
{
	local code=0
	timeout 20 "$BLK" -l "$LCORES" --no-pci --no-telemetry --in-memory -m 64 -- "${@:2}" \
		>"$work/refused.log" 2>&1 || code=$?
	[ "$code" = 1 ] || fail "exit code $code"
	[ "$(grep -ac '^dpdk-vduse-blk: --control' "$work/refused.log")" = 1 ] ||
		fail "not one line: $(cat "$work/refused.log")"
	grep -aF -- "$1" "$work/refused.log" || fail "$(cat "$work/refused.log")"
}

step "every method"
serve --device "disk0,iface=$work/disk0.sock,backend=ram,size=1M"
[ "$(stat -c %a "$control")" = 600 ] || fail "not private"
timeout 200 "$(dirname "$0")/control_check.py" "$control" "$work" "$blk_pid" || fail "see above"

step "a socket that is served stays"
refused "somebody serves it" --control "$control"
call version >/dev/null || fail "the first process does not answer any more"

step "what is saved is served again, and the socket that a dead process left is replaced"
call device.limits '{"name": "disk0", "iops": 50000}'
call device.serial '{"name": "disk0", "serial": "saved, not lost"}'
call config.save "{\"path\": \"$work/disks\"}"
kill -9 "$blk_pid"
wait "$blk_pid" || true
[ -S "$control" ] || fail "the socket is gone"
serve --config "$work/disks" --control-mode 0660 --control-group 12345
[ "$(stat -c '%a %g' "$control")" = "660 12345" ] || fail "not as it says"
call device.list | grep '"name": "disk0"' | grep '"serial": "saved, not lost"' || fail "no disk0"
call config.save "{\"path\": \"$work/disks-again\"}"
grep -x 'iops = 50000' "$work/disks-again" || fail "no limit"
call device.remove '{"name": "disk0"}'
call device.list | grep -x '\[\]' || fail "a device is there"
call config.save
stop_blk
[ ! -e "$control" ] || fail "the socket is left"

step "process.stop is answered before the process ends"
for i in {1..5}; do
	serve --config "$work/disks"
	[ "$(call process.stop)" = true ] || fail "start $i: no answer: $(tail -n 3 "$work/call.log")"
	wait "$blk_pid" || fail "exit code $?"
done

step "no device, from a file without one"
serve --config "$work/disks"
call device.add "{\"device\": \"disk0,iface=$sock,backend=ram,size=1M\"}"
summary | grep '^disk0: backend ram' || fail "no summary"
stop_blk
[ ! -e "$sock" ] || fail "the device is left"

step "paths, modes and groups that cannot be"
touch "$work/file"
refused "it is no socket" --control "$work/file"
[ -f "$work/file" ] || fail "the file is gone"
refused "No such file" --control "$work/none/x.sock"
refused "107 characters" --control "$work/$(printf 'x%.0s' {1..108})"
refused "1 to 777" --control "$control" --control-mode 0888
refused "no such group" --control "$control" --control-group no-group
ok
