#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# The VDUSE interface, call by call, of the distribution's module and of this project's. This
# project's module passes every check. The distribution's fails exactly those in
# kernel_01_conform.differences, from Linux 7.3 on those in kernel_01_conform.differences-7.3.
# VDUSE_MODULE=ours tests only this project's.
. "$(dirname "$0")/guest.sh"
. "$(dirname "$0")/kernel_guest.sh"

conform=$DPDK_VDUSE_BUILD/test/vm/kernel-conform
differences=$(dirname "$0")/kernel_01_conform.differences
! kernel_from 7.3 || differences+=-7.3

load()
{
	VDUSE_MODULE=$1 load_modules vduse
}

unload()
{
	modprobe -r vhost_vdpa virtio_vdpa || fail "modprobe -r"
	# The module of Linux 7.3 loses references to itself.
	rmmod vduse || { [ "$1" = distribution ] && kernel_from 7.3; } || fail "rmmod vduse"
}

# part NAME MODULE: its TAP lines go to a file of the module.
part()
{
	local code=0
	timeout $((200 * ${VM_PATIENCE:-1})) "$conform" "$@" >"$work/part.log" 2>&1 || code=$?
	cat "$work/part.log" >>"$work/$2.tap"
	[ $code -lt 2 ] || fail "$1 on $2: exit code $code: $(tail -n 3 "$work/part.log")"
	grep -q '^1\.\.' "$work/part.log" || fail "$1 on $2: no plan"
}

run_on()
{
	local module=$1
	load "$module"
	part control "$module"
	part device "$module"
	insmod "$(dirname "$VDUSE_KO")/test/two_messages.ko"
	part order "$module"
	rmmod two_messages
	insmod "$(dirname "$VDUSE_KO")/test/in_kernel.ko"
	part driver "$module"
	rmmod in_kernel
	modprobe vhost_vdpa
	part vhost "$module"
	modprobe -r vhost_vdpa
	modprobe -a virtio_vdpa virtio_net
	part virtio "$module"
	if [ "$module" = ours ]; then
		part ctrl "$module"
		modprobe virtiofs
		part fs "$module"
		modprobe virtio_blk
		part break "$module"
	fi
	unload "$module"
	echo "$(grep -c '^ok' "$work/$module.tap") checks pass, $(grep -c '^not ok' \
		"$work/$module.tap" || true) do not"
}

names()
{
	sed -n "s/^$1 [0-9]* - //p" "$2" | sort
}

modules=$VDUSE_MODULE
step "ours"
run_on ours
grep -A1 '^not ok' "$work/ours.tap" && fail "ours does not conform"
if [ "$modules" = both ]; then
	step "the distribution's module"
	run_on distribution
fi

grep '^# ' "$work/ours.tap" || true

check_no_leaks
[ "$modules" = both ] || ok
step "the differences are those that are known"
sed -n 's/^\([^#].*[^ ]\) *  # .*/\1/p' "$differences" | sort >"$work/known"
names 'not ok' "$work/distribution.tap" >"$work/found"
diff "$work/known" "$work/found" || fail "other differences than $differences says"
ok
