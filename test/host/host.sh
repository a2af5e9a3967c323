# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
#
# What tests on this machine share: net_vduse behind a vhost-user socket on one core, another
# process on the other. `. "$(dirname "$0")/host.sh"` first. Beside what guest.sh brings: all
# that a test starts is ended with it, and nothing is left behind.
DPDK_VDUSE_BUILD=${DPDK_VDUSE_BUILD:-$(realpath "$(dirname "$0")/../..")/build}
work=$(mktemp -d)
sock=$work/x.sock
packets=200000
# shellcheck source=test/vm/guest.sh
. "$(dirname "$0")/../vm/guest.sh"

# The memory of each process: no file system of huge pages is needed.
memory=(--in-memory --single-file-segments -m 256)

at_exit()
{
	local pid
	for pid in "${testpmd_pid[@]}"; do
		kill -9 "$pid" 2>/dev/null || true
	done
	rm -rf "$work"
}
trap at_exit EXIT

need()
{
	command -v "$1" >/dev/null || skip "*** $1 is missing: nothing was tested"
}

huge_pages()
{
	[ "$(sed -n "s/HugePages_$1: *//p" /proc/meminfo)" -ge 256 ]
}

need "$TESTPMD"
[ "$(nproc --all)" -ge 2 ] || skip "*** two processors are needed: nothing was tested"
huge_pages Total ||
	skip "*** 256 huge pages are needed (echo 512 >/proc/sys/vm/nr_hugepages): nothing was tested"
wait_for 30 huge_pages Free || skip "*** somebody has the huge pages: nothing was tested"

# start_backend NAME DEVARGS: net_vduse at the socket, polling on lcore 1.
start_backend()
{
	start_testpmd "$1" "${memory[@]}" --main-lcore 0 --vdev "net_vduse0,iface=$sock$2" \
		-- --forward-mode=rxonly
}

# start_driver NAME DEVARGS EAL_ARGS...: virtio_user at the socket, polling on lcore 0.
start_driver()
{
	local name=$1 devargs=$2
	shift 2
	[ $# -gt 0 ] || set -- "${memory[@]}"
	launch_testpmd "$name" -l "$LCORES" --main-lcore 1 --no-pci "$@" \
		--vdev "net_virtio_user0,path=$sock$devargs" -- \
		-i --disable-link-check --total-num-mbufs=16384 --forward-mode=rxonly
	wait_prompt "$name" 0
}

exchange()
{
	one_way "$1" "$2"
	one_way "$2" "$1"
}

log_lines()
{
	grep -acF "$2" "$work/$1.log" || true
}

# logged NAME TEXT: in exactly one line.
logged_once()
{
	local lines
	lines=$(log_lines "$1" "$2")
	[ "$lines" = 1 ] || fail "$1: $lines lines say \"$2\""
}
