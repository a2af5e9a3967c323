# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
# shellcheck shell=bash
#
# DPDK's driver at /dev/vhost-vdpa-0 and net_vduse behind it, which sends back what it receives. For
# guest scripts, after guest.sh. $exchange is the command of the driver.
# shellcheck disable=SC2154 # work, of guest.sh

exchange=("$DPDK_VDUSE_BUILD/test/exchange")
frames=400

# start_echo PAIRS: a device that sends back what it receives
start_echo()
{
	start_testpmd vduse --single-file-segments \
		--vdev "net_vduse0,iface=/dev/vduse/net0,attach=vhost,packed=1,mtu=65535,queues=$1" -- \
		--forward-mode=io --rxq="$1" --txq="$1" --enable-scatter --max-pkt-len=65549
	wait_for 10 test -c /dev/vhost-vdpa-0 || fail "no /dev/vhost-vdpa-0"
}

# drive SEGMENTS DEVARGS...: DPDK's driver with each of these; false if one did not work
drive()
{
	local segments=$1
	shift
	timeout $((60 * ${VM_PATIENCE:-1})) taskset -c 0 "${exchange[@]}" -l 0 --no-pci \
		--file-prefix=exchange --iova-mode=va --single-file-segments -- $frames "$segments" \
		"${@/#/path=/dev/vhost-vdpa-0,}" >"$work/exchange.log" 2>&1
}

# combinations PAIRS: sets $each; $ordered are those whose rings are split or in order
combinations()
{
	local packed mergeable in_order args
	each=() ordered=()
	for packed in 0 1; do
		for mergeable in 0 1; do
			for in_order in 0 1; do
				args=packed_vq=$packed,mrg_rxbuf=$mergeable,in_order=$in_order,queues=$1
				each+=("$args")
				[ $packed$in_order = 10 ] || ordered+=("$args")
			done
		done
	done
}

# all_bytes SEGMENTS DEVARGS...: each of them works
all_bytes()
{
	drive "$@" || fail "see exchange.log"
	grep -A 1 --no-group-separator '^path=' "$work/exchange.log" |
		sed 's,path=/dev/vhost-vdpa-0\,,,' | paste -d ' ' - -
	[ "$(grep -c '^-- [1-9]' "$work/exchange.log")" = $(($# - 1)) ] || fail "not all of them ran"
}
