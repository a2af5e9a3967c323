# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
# shellcheck shell=bash
#
# An independent back end: qemu-storage-daemon serves a block device over VDUSE.
# Source after guest.sh; blk.sh comes with it.
. "${BASH_SOURCE[0]%/*}/blk.sh"

qsd_pid=''

# start_qsd NAME BLOCKDEV [EXPORT_PROPERTIES]: returns once /dev/vduse/NAME is there.
start_qsd()
{
	qemu-storage-daemon --blockdev "$2,node-name=node" \
		--export "type=vduse-blk,id=export,node-name=node,name=$1,writable=on${3:-}" \
		>"$work/qsd.log" 2>&1 &
	qsd_pid=$!
	wait_for 30 test -c "/dev/vduse/$1" || fail "no /dev/vduse/$1"
}

stop_qsd()
{
	kill "$qsd_pid"
	wait_for 20 eval "! kill -0 $qsd_pid" || fail "qemu-storage-daemon does not end"
	wait "$qsd_pid" || fail "qemu-storage-daemon: exit code $?"
}

# attach NAME: the name of the block device on stdout
attach()
{
	vdpa dev add name "$1" mgmtdev vduse || fail "vdpa dev add $1"
	wait_for 20 disk_of "$1" || fail "$1: no block device"
	disk_of "$1"
}

detach()
{
	vdpa dev del "$1" || fail "vdpa dev del $1"
}

# fio_verify DISK ARGS...: writes and reads back
fio_verify()
{
	local disk=$1
	shift
	fio --name=verify --filename="/dev/$disk" --ioengine=libaio --direct=1 --verify=crc32c \
		--do_verify=1 --verify_fatal=1 --output-format=terse --terse-version=3 "$@" \
		>"$work/fio.log" 2>&1 || fail "fio $*"
}
