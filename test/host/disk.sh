# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
# shellcheck shell=bash
#
# What tests of disks on this machine share: `. "$(dirname "$0")/disk.sh"` first. dpdk-vduse-blk
# keeps its files in a folder of the test's, and ends with it.
. "$(dirname "$0")/host.sh"
EAL_ARGS="--in-memory -m ${disk_memory:-128}"
# shellcheck source=test/vm/blk.sh
. "$(dirname "$0")/../vm/blk.sh"
trap '[ -z "$blk_pid" ] || kill -9 "$blk_pid" 2>/dev/null || true; at_exit' EXIT
export DPDK_VDUSE_RUN_DIR=$work/run
image=$work/disk.img

# serve_image DEVARGS: a file of 1 MiB as disk0 at the socket.
serve_image()
{
	truncate -s 1M "$image"
	start_blk "disk0,iface=$sock,path=$image,$1"
	wait_for 20 grep -aq "listens at $sock" "$work/blk.log" || fail "no socket"
}

# check_served [SERIAL]: every request, both ring formats, in whichever order and in order.
check_served()
{
	timeout 100 "$(dirname "$0")/blk_check.py" "$sock" "$image" "${1:-disk0}" 2>"$work/check.log" ||
		fail "see the log"
}
