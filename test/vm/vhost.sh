# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
# shellcheck shell=bash
#
# What tests of lib/vhost share: guest.sh, and programs that our library is loaded into.
. "$(dirname "${BASH_SOURCE[0]}")/guest.sh"

VHOST_LIBRARY=${VHOST_LIBRARY:-$DPDK_VDUSE_BUILD/lib/vhost/librte_vduse_vhost.so}

# start_vhost NAME EAL_ARGS... -- TESTPMD_ARGS...: testpmd, forwarding, with our library.
start_vhost()
{
	local name=$1 eal=()
	shift
	while [ $# -gt 0 ] && [ "$1" != -- ]; do
		eal+=("$1")
		shift
	done
	shift
	[ -e "$VHOST_LIBRARY" ] || fail "no library at $VHOST_LIBRARY: build first"
	LD_PRELOAD=$VHOST_LIBRARY launch_testpmd "$name" -l "$LCORES" --no-pci \
		--file-prefix="$name" "${eal[@]}" -- -i --auto-start --disable-link-check \
		--total-num-mbufs=16384 "$@"
	wait_prompt "$name" 0
}

# What an operator types; the kernel probes its driver in it. Programs without a prompt may still
# be starting.
vdpa_add()
{
	wait_for 60 test -e "/dev/vduse/$1" || fail "no /dev/vduse/$1"
	wait_for 10 vdpa dev add name "$1" mgmtdev vduse || fail "vdpa dev add name $1"
}

# link_is NAME PORT up|down
link_is()
{
	testpmd_cmd "$1" "show port info $2" | grep -q "Link status: $3"
}

listening()
{
	on_right ss -Hltn | grep -q 5201
}

# tcp IPERF3_ARGS...: five seconds from left to right.
tcp()
{
	on_right iperf3 -s -1 >"$work/server.log" 2>&1 &
	wait_for 10 listening || fail "iperf3 does not listen"
	on_left iperf3 -c 10.0.0.2 -t 5 "$@" | tee "$work/client.log" | grep -E 'sender|receiver' ||
		fail "iperf3 $*"
	wait $!
}
