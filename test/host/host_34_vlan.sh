#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# VLAN strip and insert of net_vduse. A driver sends frames of a file, with and without tags; the
# port sends them back; the driver writes what it gets into another file. Every byte is checked.
. "$(dirname "$0")/host.sh"

pcap=$(dirname "$0")/vlan_pcap.py

# echoed HOW: the driver sends the frames; they come back changed like that.
echoed()
{
	testpmd_cmd virtio stop >/dev/null
	# The first file is read from its beginning, and the other one is overwritten.
	testpmd_cmd virtio "port stop 1" >/dev/null
	testpmd_cmd virtio "port start 1" >/dev/null
	testpmd_cmd virtio start >/dev/null
	wait_for 20 "$pcap" check "$work/out.pcap" "$1" ||
		fail "$1: $("$pcap" check "$work/out.pcap" "$1" 2>&1 || true)"
	"$pcap" check "$work/out.pcap" "$1"
}

strip()
{
	testpmd_cmd vduse "vlan set strip $1 0" >"$work/strip"
	! grep -aiE 'fail|error|not support' "$work/strip" || fail "strip cannot be set $1"
}

reconfigure()
{
	local command
	for command in stop "port stop 0" "$@" "port start 0" start; do
		testpmd_cmd vduse "$command" >"$work/reconfigure"
		! grep -aiE 'fail|error|not support|bad ' "$work/reconfigure" || fail "$command"
	done
}

need python3
"$pcap" make "$work/in.pcap"
# --no-flush-rx: testpmd would discard the first frames of the file.
start_testpmd vduse "${memory[@]}" --main-lcore 0 --vdev "net_vduse0,iface=$sock" \
	-- --forward-mode=io
launch_testpmd virtio -l "$LCORES" --main-lcore 1 --no-pci "${memory[@]}" \
	--vdev "net_virtio_user0,path=$sock" \
	--vdev "net_pcap0,rx_pcap=$work/in.pcap,tx_pcap=$work/out.pcap" -- \
	-i --disable-link-check --no-flush-rx --total-num-mbufs=16384 --forward-mode=io
wait_prompt virtio 0

step "off: frames are as they are"
echoed same

step "strip, on and off at run time"
strip on
echoed stripped
strip off
echoed same

step "the tags are in the mbufs"
strip on
testpmd_cmd vduse "set verbose 1" >/dev/null
echoed stripped
testpmd_cmd vduse "set verbose 0" >/dev/null
for tci in 0x123 0xefff 0x5; do
	# One a length of the frames.
	[ "$(grep -acE "VLAN tci=$tci( |$)" "$work/vduse.log")" = 4 ] || fail "not 4 with tag $tci"
done

step "insert"
reconfigure "tx_vlan set 0 0x456" "set fwd mac"
echoed inserted=0x456
[ "$(testpmd_cmd vduse "show port xstats 0" | sed -n 's/.*tx_q0_vlan_dropped: //p')" = 0 ] ||
	fail "packets were dropped"

step "strip set while the port is stopped; insert off"
reconfigure "tx_vlan reset 0" "set fwd io" "vlan set strip off 0"
echoed same
stop_testpmd virtio
stop_testpmd vduse
ok
