#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# dpdk-vduse-blk --user: a process without root's rights serves a disk over a socket, and can remove
# its socket and state file at the end.
. "$(dirname "$0")/disk.sh"
[ "$(id -u)" = 0 ] || skip "*** needs root, to give up its rights: not run"
user=nobody
uid=$(id -u "$user")
[ "$(stat -c %a "$work")" != 700 ] || chmod 711 "$work"
export DPDK_VDUSE_RUN_DIR=$work/user/run
install -d -o "$user" -m 700 "$work/user" "$DPDK_VDUSE_RUN_DIR"
sock=$work/user/sock
image=$work/user/disk.img
truncate -s 1M "$image"
chown "$user" "$image"
disk="disk0,transport=vhost-user,socket=$sock,path=$image,backend=file,in-order=1"

# refused ARGUMENT... TEXT: it does not start, and says so.
refused()
{
	local code=0
	start_blk_with "${@:1:$#-1}"
	wait "$blk_pid" || code=$?
	[ "$code" = 1 ] || fail "exit code $code"
	grep -aq "${*: -1}" "$work/blk.log" || fail "it does not say: ${*: -1}"
}

step "who cannot be, or could not end"
refused --user no-such-user --device "$disk" "there is no such user"
refused --user root --device "$disk" "name a user that is not root"
refused --user "$user" --device "disk0,backend=ram,size=1M" "for an administrator only"
[ ! -e "$sock" ] || fail "there is a socket"

step "an image that is not the user's"
chown root "$image"
chmod 600 "$image"
refused --user "$user" --device "$disk" "Permission denied"
chown "$user" "$image"

step "a disk, served by $user"
start_blk_with --user "$user" --device "$disk"
wait_for 20 grep -aq "listens at $sock" "$work/blk.log" || fail "no socket"
[ "$(stat -c %u "$sock")" = "$uid" ] || fail "the socket is not the user's"
for status in /proc/"$blk_pid"/task/*/status; do
	grep -E '^(Uid|Gid|Groups|CapEff|CapPrm|NoNewPrivs)' "$status" >"$work/status"
	grep -Eq "^Uid:\s$uid\s$uid\s$uid\s$uid$" "$work/status" || fail "$(cat "$work/status")"
	! grep -Eq '^(Gid|Groups):.*\s0(\s|$)' "$work/status" || fail "$(cat "$work/status")"
	[ "$(grep -Ec '^Cap(Eff|Prm):\s0+$' "$work/status")" = 2 ] || fail "$(cat "$work/status")"
done
cat "$work/status"
check_served
stop_blk
[ ! -e "$sock" ] || fail "the socket is still there"
[ -z "$(ls -A "$DPDK_VDUSE_RUN_DIR")" ] || fail "left: $(ls -A "$DPDK_VDUSE_RUN_DIR")"
ok
