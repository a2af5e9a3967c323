# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
# shellcheck shell=bash
#
# Common parts of the tests on this machine: net_vduse at a vhost-user socket on one core, another
# process on the other. `. "$(dirname "$0")/host.sh"` first. Beside what guest.sh brings: all
# that a test starts is stopped at its end, and no file or process is left.
DPDK_VDUSE_BUILD=${DPDK_VDUSE_BUILD:-$(realpath "$(dirname "$0")/../..")/build}
work=$(mktemp -d)
sock=$work/x.sock
packets=200000
# shellcheck source=test/vm/guest.sh
. "$(dirname "$0")/../vm/guest.sh"
qemu_program=$(dirname "$0")/../vm/qemu

# sanitized: the programs in the build folder are built with AddressSanitizer.
sanitized()
{
	[ -e "$PLUGIN" ] && readelf -d "$PLUGIN" | grep -q 'NEEDED.*libasan'
}

# testpmd is not built with the sanitizer, so that its runtime must be loaded before everything else,
# stdbuf's library included. What EAL has when the process ends is no leak of ours. Nothing is as
# fast as usual.
use_sanitizers()
{
	local runtime
	runtime=$(realpath "$(gcc -print-file-name=libasan.so)")
	cat >"$work/testpmd" <<-END
		#!/bin/sh
		export ASAN_OPTIONS=\$ASAN_OPTIONS:detect_leaks=0
		exec env LD_PRELOAD="$runtime:\$LD_PRELOAD" "$TESTPMD" "\$@"
	END
	chmod +x "$work/testpmd"
	TESTPMD=$work/testpmd
	export ASAN_OPTIONS=verify_asan_link_order=0:${ASAN_OPTIONS:-}
	export UBSAN_OPTIONS=${UBSAN_OPTIONS:-halt_on_error=1:print_stacktrace=1}
	export VM_PATIENCE=${VM_PATIENCE:-3}
}

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

# QEMU as test/vm/run starts it; says which one it is.
need_qemu()
{
	local code=0
	"$qemu_program" --version >"$work/qemu-version" || code=$?
	[ "$code" != 77 ] || skip "nothing was tested"
	[ "$code" = 0 ] || fail "no QEMU: exit code $code"
	head -n 1 "$work/qemu-version"
}

huge_pages()
{
	[ "$(sed -n "s/HugePages_$1: *//p" /proc/meminfo)" -ge 256 ]
}

need "$TESTPMD"
! sanitized || use_sanitizers
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
