#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# Disks from a configuration file: all are served as it says. A file with an error is refused
# completely, with one line that names the line: the disks before the error are not created either.
. "$(dirname "$0")/disk.sh"

config=$work/disks
truncate -s 1M "$image"

write_config()
{
	cat >"$config" <<-END
	# $0
	[disk0]
	transport = vhost-user
	socket = $sock
	backend = file
	path = $image
	in-order = 1

	[disk1]
	transport=vhost-user
	socket=$work/y.sock
	backend=ram
	size=2M
	queues=3
	END
}

# refused LINE ARGUMENTS...: what is said of the file and what follows it
refused()
{
	local code=0
	start_blk_with --config "$config" "${@:2}"
	wait "$blk_pid" || code=$?
	blk_pid=''
	[ "$code" = 1 ] || fail "exit code $code"
	grep -a "^dpdk-vduse-blk: $1" "$work/blk.log" || fail "see the log"
	[ ! -e "$sock" ] || fail "disk0 is there"
}

step "two disks"
write_config
start_blk_with --config "$config"
wait_for 20 grep -aq "VDUSE: disk1: listens at $work/y.sock" "$work/blk.log" || fail "no socket"
summary >"$work/summary"
grep 'disk' "$work/summary"
grep -q '^disk0: backend file, 2048 sectors, 1 queues' "$work/summary" || fail "not as it says"
grep -q '^disk1: backend ram, 4096 sectors, 3 queues' "$work/summary" || fail "not as it says"
check_served
stop_blk

step "paths with '=', '[', a space and a comma, which is doubled on the command line"
awkward="$work/a=b, c[1"
cp "$image" "$awkward.img"
cat >"$config" <<-END
[disk0]
transport = vhost-user
socket = $sock
backend = file
path = $awkward.img
serial = QUFB=
in-order = 1
END
start_blk_with --config "$config" --device \
	"disk1,transport=vhost-user,socket=${awkward/,/,,}.sock,backend=fault,under=ram,size=2M"
wait_for 20 grep -aqF "listens at $awkward.sock" "$work/blk.log" || fail "no socket"
image="$awkward.img" check_served QUFB=
stop_blk

step "a line that is no argument: it is not passed over, for a disk could be written to"
write_config
echo ro >>"$config"
refused "$config:15: ro: use "

step "a name or a socket twice, in a file and beside it"
write_config
printf '[disk0]\nbackend = ram\n' >>"$config"
refused "disk0: a device of this name is at $sock: "
write_config
sed -i "s,^socket=.*,socket=$sock," "$config"
refused "disk1: socket=$sock: disk0 has it"
write_config
refused "disk2: socket=$sock: disk0 has it" \
	--device "disk2,backend=ram,transport=vhost-user,socket=$sock"

step "a device without its backend: its name says where"
write_config
sed -i '/backend=ram/d; /size=/d' "$config"
refused "disk1: backend=: use "

step "no file"
rm "$config"
refused "--config $config: No such file"
ok
