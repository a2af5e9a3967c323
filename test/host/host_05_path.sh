#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# The socket file: the file of a dead process is replaced, that of a running process is not, and
# paths that cannot be sockets are refused with a log line.
. "$(dirname "$0")/host.sh"

# refused NAME DEVARGS TEXT EAL_ARGS...: not as many ports as devices, and one line says why.
refused()
{
	step "$3"
	launch_testpmd "$1" -l "$LCORES" --no-pci --no-huge -m 64 --no-shconf -d "$PLUGIN" \
		--vdev "net_vduse0,$2" "${@:4}" -- -i --nb-ports=$((1 + ($# - 3) / 2)) --auto-start --total-num-mbufs=2048
	reap_testpmd "$1" 2>/dev/null && fail "$1: went on"
	[ "$(log_lines "$1" VDUSE)" = 1 ] || fail "$1: not one line"
	logged_once "$1" "$3"
}

start_backend one ""
refused two "iface=$sock" "somebody serves $sock"
[ -S "$sock" ] || fail "the socket that is served was removed"
refused twice "iface=$work/t.sock" "net_vduse1: net_vduse0 of this process has $work/t.sock" \
	--vdev "net_vduse1,iface=$work/t.sock"
start_driver virtio ""
exchange virtio one

step "a killed process leaves its socket"
stop_testpmd virtio
kill_testpmd one
[ -S "$sock" ] || fail "there is no socket to take over"
start_backend three ""
logged_once three "removed $sock, which a dead process left"
start_driver virtio ""
exchange virtio three
stop_testpmd virtio
stop_testpmd three
[ ! -e "$sock" ] || fail "the socket is left"

step "a path with '=', '[', a space and a comma, which is doubled"
sock="$work/a=b, c[1.sock"
launch_testpmd awkward -l "$LCORES" "${memory[@]}" --no-pci -d "$PLUGIN" \
	--vdev "net_vduse0,iface=${sock/,/,,}" -- -i --total-num-mbufs=16384
wait_prompt awkward 0
logged_once awkward "listens at $sock"
[ -S "$sock" ] || fail "no socket"
stop_testpmd awkward
sock=$work/x.sock

step "a socket for a group"
start_backend group ",socket-mode=0660,socket-group=12345"
[ "$(stat -c '%a %g' "$sock")" = "660 12345" ] || fail "$(stat -c '%a %g' "$sock")"
stop_testpmd group
refused group "iface=$sock,socket-group=no-such-group" "no group no-such-group"
start_backend private ""
[ "$(stat -c %a "$sock")" = 600 ] || fail "not private"
stop_testpmd private

echo precious >"$work/file"
refused file "iface=$work/file" "exists and is no socket"
[ "$(cat "$work/file")" = precious ] || fail "the file was changed"
refused folder "iface=$work/none/x.sock" "no directory $work/none"
refused long "iface=$work/$(printf 'x%.0s' {1..108})" "up to 107 characters"
refused attach "iface=$sock,attach=vhost" "leave attach out"
ok
