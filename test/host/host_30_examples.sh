#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# The programs of examples/: a network device that drops what DPDK's virtio driver sends, and a
# virtio-rng device whose random bytes a Linux guest of QEMU reads from /dev/hwrng.
. "$(dirname "$0")/host.sh"

program=''
trap '[ -z "$program" ] || kill -9 "$program" 2>/dev/null || true; at_exit' EXIT
run=$(dirname "$0")/../vm/run

# start_example NAME PROGRAM: at the socket; ended by counted.
start_example()
{
	rm -f "$sock"
	"$2" --in-memory --no-pci -m 64 -l 0 \
		--file-prefix="example$$" -- "$sock" >"$work/$1.log" 2>&1 &
	program=$!
	wait_for 20 test -S "$sock" || fail "$1: no socket: $(tail -n 5 "$work/$1.log")"
}

# counted NAME WHAT LEAST: it ends when it is told to, and counted so many.
counted()
{
	local code=0 nb
	kill -TERM "$program"
	wait "$program" || code=$?
	program=''
	[ "$code" = 0 ] || fail "$1: exit code $code"
	nb=$(sed -n "s/^\([0-9]*\) $2$/\1/p" "$work/$1.log")
	echo "$1: $nb $2"
	[ "${nb:-0}" -ge "$3" ] || fail "$1: $nb $2"
	[ ! -e "$sock" ] || fail "$1: the socket is left"
}

# Installed, and built outside of the tree by its Makefile.
step "null_net"
DESTDIR=$work/root meson install -C "$DPDK_VDUSE_BUILD" --no-rebuild >"$work/install.log" 2>&1 ||
	fail "meson install: $(tail -n 5 "$work/install.log")"
pc=$(find "$work/root" -name dpdk-vduse.pc)
prefix=$(sed -n 's/^prefix=//p' "$pc")
sed -i "s|^prefix=.*|prefix=$work/root$prefix|" "$pc"
cp -r "$(dirname "$0")/../../examples/null_net" "$work/null_net"
PKG_CONFIG_PATH=$(dirname "$pc") make -C "$work/null_net" >"$work/make.log" 2>&1 ||
	fail "make: $(cat "$work/make.log")"
LD_LIBRARY_PATH=$(dirname "$(dirname "$pc")")
export LD_LIBRARY_PATH
start_example null_net "$work/null_net/null_net"
start_driver virtio ""
testpmd_cmd virtio "set fwd txonly" >/dev/null
testpmd_cmd virtio start >/dev/null
sleep 2
stop_testpmd virtio
counted null_net packets 1000

step "rng"
start_example rng "$DPDK_VDUSE_BUILD/examples/example-rng"
code=0
"$run" --timeout 200 --mem 2G --log "$DPDK_VDUSE_BUILD/vm/host_30_examples" --rng "$sock" \
	"$(dirname "$0")/rng_guest.sh" || code=$?
[ "$code" != 77 ] || skip "no virtual machine"
[ "$code" = 0 ] || fail "in the virtual machine: exit code $code"
counted rng bytes 65536
ok
