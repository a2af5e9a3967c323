#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# The demonstration of `make run`, in the VM or on a machine with VDUSE: two ports of testpmd, two
# interfaces of the kernel, and traffic between them.
. "$(dirname "$0")/guest.sh"

cleanup()
{
	! testpmd_alive demo || stop_testpmd demo
	ip netns del left 2>/dev/null || true
	ip netns del right 2>/dev/null || true
}

# On a machine of one's own the huge pages may not be there yet.
need_hugepages()
{
	local pages=/proc/sys/vm/nr_hugepages
	[ "$(cat $pages)" -ge 128 ] || echo 128 >$pages
}

packets()
{
	port_count demo 1 TX-packets
}

packets_a_second()
{
	local before after
	before=$(packets)
	on_left iperf3 -u -c 10.0.0.2 -l 18 -b 0 -t 3 >/dev/null
	after=$(packets)
	echo "$(((after - before) / 3)) packets of 60 bytes a second, from a socket in one namespace"
}

by_hand()
{
	cat <<EOT

By hand (as root, on a kernel with VDUSE, 2 MiB huge pages reserved):

  modprobe -a vduse virtio_vdpa virtio_net
  dpdk-testpmd -l 0,1 --no-pci \\
      -d $PLUGIN \\
      --vdev net_vduse0,iface=/dev/vduse/net0,attach=virtio \\
      --vdev net_vduse1,iface=/dev/vduse/net1,attach=virtio -- -i --auto-start
  ls /sys/bus/vdpa/devices/net0/virtio*/net

On a machine without VDUSE the same inside the test VM:

  test/vm/run --interactive
EOT
}

trap cleanup EXIT
need_hugepages
load_modules vduse virtio_vdpa virtio_net
start_testpmd demo --vdev net_vduse0,iface=/dev/vduse/demo0,attach=virtio \
	--vdev net_vduse1,iface=/dev/vduse/demo1,attach=virtio
wait_interface demo0
wait_interface demo1

step "the interfaces in the kernel ($(uname -r))"
for device in demo0 demo1; do
	ip -br link show "$(interface_of $device)"
done
ethtool -i "$(interface_of demo0)" | head -n 1

in_netns left demo0 10.0.0.1/24
in_netns right demo1 10.0.0.2/24
step "ping from one to the other, through testpmd"
on_left ping -c 3 -i 0.3 10.0.0.2

step "iperf3, TCP"
on_right iperf3 -s >"$work/server.log" 2>&1 &
server=$!
sleep 1
on_left iperf3 -c 10.0.0.2 -t 3 | grep -E 'sender|receiver'

step "small packets"
packets_a_second
kill $server
by_hand
