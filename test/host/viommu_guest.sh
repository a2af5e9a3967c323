#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# The guest part of host_42_viommu: traffic and verified I/O while each buffer is mapped and unmapped,
# and drivers that go and come meanwhile.
. "$(dirname "$0")/../vm/guest.sh"

join()
{
	ip netns add "$1"
	ip link set "$2" netns "$1" name eth0
	ip -n "$1" addr add "$3" dev eth0
	ip -n "$1" link set eth0 up
}

# behind_iommu DEVICE: it is in a domain of its own, with strict invalidation.
behind_iommu()
{
	local type

	type=$(cat "$(readlink -f "$1/device")/../iommu_group/type")
	[ "$type" = DMA ] || fail "$1: ${type:-no IOMMU}"
}

verify()
{
	fio --name=check --filename="$1" --direct=1 --ioengine=libaio --rw=randrw --iodepth=16 \
		--bssplit=512/20:4k/60:64k/20 --size=32M --io_size="$2" --verify=crc32c \
		--verify_fatal=1 --randrepeat=0 --output="$work/fio.$(basename "$1")" ||
		fail "$(cat "$work/fio.$(basename "$1")")"
	grep -E 'READ:|WRITE:' "$work/fio.$(basename "$1")"
}

# rebind DEVICE: the driver goes, in the middle of whatever is in flight, and comes back.
rebind()
{
	local device driver

	device=$(readlink -f "$1/device")
	driver=$(readlink -f "$device/driver")
	basename "$device" >"$driver/unbind"
	basename "$device" >"$driver/bind"
}

load_modules virtio_net virtio_blk
wait_for 10 test -b /dev/vdb || fail "no disks"
for device in /sys/class/net/eth0 /sys/class/net/eth1 /sys/block/vda /sys/block/vdb; do
	behind_iommu $device
done
join left eth0 10.0.0.1/24
join right eth1 10.0.0.2/24

# most SIDE PING...: a packet for a port whose next address is not known yet is lost.
most()
{
	local lost

	"$@" >"$work/ping.log" || true
	lost=$(sed -n 's/.* \([0-9.]*\)% packet loss.*/\1/p' "$work/ping.log")
	tail -n 2 "$work/ping.log"
	[ "${lost%.*}" -le 10 ] || fail "$lost % of the packets are lost: $*"
}

step "ping both ways"
on_left ping -c 1 -W 30 10.0.0.2
most on_left ping -c 20 -i 0.1 -W 10 10.0.0.2
most on_right ping -f -q -c 300 -W 10 -s 1472 -M do 10.0.0.1
step "bytes over TCP"
head -c 512K /dev/urandom >"$work/sent"
for way in "on_right on_left 10.0.0.2" "on_left on_right 10.0.0.1"; do
	read -r to from address <<<"$way"
	rm -f "$work/tcp.log"
	"$to" python3 "$(dirname "$0")/../vm/tcp_check.py" receive "$work/got" >"$work/tcp.log" 2>&1 &
	receiver=$!
	wait_for 60 grep -q ready "$work/tcp.log" || fail "the receiver does not start"
	"$from" python3 "$(dirname "$0")/../vm/tcp_check.py" send "$address" "$work/sent" || fail "cannot send"
	wait $receiver || fail "$(cat "$work/tcp.log")"
	cmp "$work/sent" "$work/got" || fail "the bytes differ"
done
step "verified I/O on two disks"
for disk in /dev/vda /dev/vdb; do
	verify $disk 4M
done
step "drivers go while packets and requests are in flight, and come back"
on_right iperf3 -s -1 -D >/dev/null
wait_for 10 eval "on_right ss -Hltn | grep -q 5201" || fail "iperf3 does not listen"
on_left iperf3 -u -b 0 -c 10.0.0.2 -t 20 >/dev/null 2>&1 &
sender=$!
dd if=/dev/urandom of=/dev/vdb bs=64k oflag=direct status=none 2>"$work/dd" &
writer=$!
sleep 1
rebind /sys/block/vdb
ip netns exec right bash -c "$(declare -f rebind); rebind /sys/class/net/eth0"
kill $sender 2>/dev/null || true
wait $sender $writer || true
wait_for 10 test -b /dev/vdb || fail "the disk did not come back"
wait_for 10 test -e /sys/class/net/eth0 || fail "the port did not come back"
ip link set eth0 netns right
ip -n right addr add 10.0.0.2/24 dev eth0
ip -n right link set eth0 up
on_left ping -c 1 -w 60 10.0.0.2
verify /dev/vdb 2M
step "iperf3"
on_right iperf3 -s -p 5202 -1 -D >/dev/null
wait_for 10 eval "on_right ss -Hltn | grep -q 5202" || fail "iperf3 does not listen"
on_left iperf3 -c 10.0.0.2 -p 5202 -t 3 | grep -E 'sender|receiver' || fail "iperf3"
ok
