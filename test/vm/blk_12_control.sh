#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# Disks of this kernel that are added and removed at the control socket. One that is mounted or is used as
# swap is not removed, unless that is forced.
. "$(dirname "$0")/blk.sh"

control=$work/control.sock
calls=$work/calls answers=$work/answers

# One client for all calls: in emulation, python takes seconds to start.
start_client()
{
	rm -f "$calls" "$answers"
	mkfifo "$calls" "$answers"
	PYTHONPATH=$(dirname "$0")/../host python3 -c '
import json, sys
from control import Control, Failed
control = Control(sys.argv[1])
for line in sys.stdin:
    method, _, params = line.strip().partition(" ")
    try:
        print(json.dumps(control.call(method, **json.loads(params or "{}"))), flush=True)
    except Failed as failed:
        print(f"{failed.errno}: {failed.message}", flush=True)
' "$control" <"$calls" >"$answers" 2>"$work/client.log" &
	client=$!
	exec 4>"$calls" 5<"$answers"
}

stop_client()
{
	exec 4>&- 5<&-
	wait "$client" || fail "the client: exit code $?"
}

# call METHOD [PARAMETERS]: prints the result, or the error.
call()
{
	local answer=''
	echo "$*" >&4
	read -r -t $((60 * ${VM_PATIENCE:-1})) answer <&5 || fail "no answer to $*"
	echo "$answer"
}

# accepted METHOD PARAMETERS
accepted()
{
	local said
	said=$(call "$@")
	[ "$said" = true ] || fail "$*: $said"
}

# refused TEXT METHOD PARAMETERS
refused()
{
	local said
	said=$(call "${@:2}")
	echo "$said"
	[[ $said == "$1"* ]] || fail "not: $1"
}

# The file system reads back what it wrote.
use_disk()
{
	mkfs.ext4 -q -F "$1"
	mount "$1" /mnt/disk
	head -c 65536 /dev/urandom >"$work/data"
	cp "$work/data" /mnt/disk/file
	sync
	echo 1 >/proc/sys/vm/drop_caches
	cmp "$work/data" /mnt/disk/file || fail "$1: wrong data"
}

gone()
{
	! disk_of "$1" && [ ! -e "/dev/vduse/$1" ] && [[ $(call device.list) != *"\"$1\""* ]]
}

step "disks are added"
load_modules vduse virtio_vdpa virtio_blk
mkdir -p /mnt/disk
start_blk_with --control "$control"
wait_for 60 test -S "$control" || fail "no control socket"
start_client
for name in disk0 disk1; do
	accepted device.add "{\"device\": \"$name,backend=ram,size=64M,attach=virtio\"}"
done
disk=$(wait_disk disk0)
other=$(wait_disk disk1)
[ "$(call device.list | grep -o '"driver": "up"' | wc -l)" = 2 ] || fail "no driver"
refused "EEXIST: " device.add '{"device": "disk0,backend=ram,size=64M,attach=virtio"}'

step "one that is mounted is not removed"
use_disk "$disk"
refused "EBUSY: disk0: $disk is mounted at /mnt/disk" device.remove '{"name": "disk0"}'
cmp "$work/data" /mnt/disk/file || fail "wrong data"
umount /mnt/disk
accepted device.remove '{"name": "disk0"}'
gone disk0 || fail "the disk is there"

step "nor one that is used as swap"
mkswap "$other" >/dev/null
swapon "$other"
refused "EBUSY: disk1: $other is used as swap" device.remove '{"name": "disk1"}'
swapoff "$other"

step "unless that is forced"
use_disk "$other"
refused "EBUSY: disk1: $other is mounted at /mnt/disk" device.remove '{"name": "disk1"}'
accepted device.remove '{"name": "disk1", "force": true}'
gone disk1 || fail "the disk is there"
umount /mnt/disk

step "a name is free again"
accepted device.add '{"device": "disk1,backend=ram,size=64M,attach=virtio"}'
use_disk "$(wait_disk disk1)"
umount /mnt/disk
stop_client
stop_blk
check_nothing_left
[ ! -e "$control" ] || fail "the control socket was left behind"
ok
