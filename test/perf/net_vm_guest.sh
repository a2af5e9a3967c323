#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# The guest's part of net_vm: prints lines "figure WHO WHAT VALUE UNIT".
. "$(dirname "$0")/../vm/guest.sh"

rounds=$1
root=$2
parts=" ${*:3} "
seconds=5
ours=dpdk-testpmd

# wanted PART: it was named, or none was.
wanted()
{
	[ "$parts" = "  " ] || [[ $parts == *" $1 "* ]]
}

figure()
{
	printf 'figure %-10s %-12s %12s %s\n' "$1" "$2" "$3" "$4"
}

# The peer is a testpmd of another release, in its chroot.
prepare_peer()
{
	local dir
	for dir in proc sys dev run tmp; do
		mount --rbind "/$dir" "$root/$dir"
	done
	cat >"$work/peer" <<-END
		#!/bin/sh
		exec chroot $root dpdk-testpmd "\$@"
	END
	chmod +x "$work/peer"
}

# start WHO ATTACH NAME...: one port for each VDUSE device NAME, with $extra device arguments and
# $more options of testpmd.
extra=
more=
start()
{
	local who=$1 attach=$2 vdevs=() name
	shift 2
	if [ "$who" = net_vduse ]; then
		TESTPMD=$ours
		for name in "$@"; do
			vdevs+=(--vdev "net_vduse$name,iface=/dev/vduse/net$name,attach=$attach$extra")
		done
		launch_testpmd dut -l 0,1 --no-pci --file-prefix=dut -d "$PLUGIN" "${vdevs[@]}" \
			-- -i --disable-link-check --total-num-mbufs=16384 $more
	else
		TESTPMD=$work/peer
		rm -rf /run/vduse
		for name in "$@"; do
			vdevs+=(--vdev "net_vhost$name,iface=/dev/vduse/net$name$extra")
		done
		launch_testpmd dut -l 0,1 --no-pci --file-prefix=dut "${vdevs[@]}" \
			-- -i --disable-link-check --total-num-mbufs=16384 $more
	fi
	wait_prompt dut 0
	[ "$who" = net_vduse ] || for name in "$@"; do
		vdpa dev add name "net$name" mgmtdev vduse
	done
	TESTPMD=$ours
}

# stop WHO NAME...
stop()
{
	local who=$1 name
	shift
	[ "$who" = net_vduse ] || for name in "$@"; do
		vdpa dev del "net$name"
	done
	stop_testpmd dut
}

tcp_mbit()
{
	on_right iperf3 -s -1 -D >/dev/null
	sleep 1
	on_left iperf3 -c 10.0.0.2 -t "$seconds" -J |
		python3 -c 'import json,sys; print("%.0f" % (json.load(sys.stdin)["end"]["sum_received"]["bits_per_second"] / 1e6))'
}

ping_ms()
{
	on_left ping -f -q -c 2000 10.0.0.2 | sed -n 's|^rtt [^=]*= [^/]*/\([^/]*\)/.*|\1|p'
}

kernel_pair()
{
	start "$1" virtio 0 1
	join_pair
	testpmd_cmd dut "set fwd io" >/dev/null
	testpmd_cmd dut start >/dev/null
	on_left ping -c 2 -i 0.2 10.0.0.2 >/dev/null
	figure "$1" tcp "$(tcp_mbit)" Mbit/s
	figure "$1" flood-ping "$(ping_ms)" ms
	stop "$1" 0 1
	ip netns del left
	ip netns del right
}

# cycles TESTPMD: of its polling lcore in bursts that brought packets, and of its clock a second.
cycles()
{
	testpmd_cmd "$1" "show fwd stats all" |
		sed -nE 's#.*\((total|busy) cycles=([0-9]*) .* at ([0-9]*) MHz.*#\2 \3000000#p'
}

# cpu0_ms: busy time of the first processor, on which nobody polls.
cpu0_ms()
{
	awk -v hz="$(getconf CLK_TCK)" \
		'/^cpu0 / { printf "%.0f\n", ($2 + $3 + $4 + $7 + $8) * 1000 / hz }' /proc/stat
}

tso_pair()
{
	local before after hz cpu0
	extra=,tso=1
	more=--record-core-cycles
	# As many as DPDK's back end has. A packet of 64 KiB takes 43 buffers of a Linux driver.
	[ "$1" != net_vduse ] || extra+=,queue-size=1024
	start "$1" virtio 0 1
	extra=
	more=
	join_pair
	# As large packets as TCP makes are passed on as they are.
	pass_on dut 1400 0 1
	wait_for 20 has_carrier left || fail "no carrier"
	wait_for 20 has_carrier right || fail "no carrier"
	on_left ping -c 2 -i 0.2 10.0.0.2 >/dev/null
	before=$(cycles dut)
	cpu0=$(cpu0_ms)
	figure "$1" tcp-tso "$(tcp_mbit)" Mbit/s
	cpu0=$(($(cpu0_ms) - cpu0))
	read -r after hz <<<"$(cycles dut)"
	# Who limits it: the back end's lcore, or Linux on the other processor.
	figure "$1" tso-lcore "$(((after - ${before% *}) * 100 / (hz * seconds)))" %
	figure "$1" tso-cpu0 "$((cpu0 / (10 * seconds)))" %
	stop "$1" 0 1
	ip netns del left
	ip netns del right
}

rx_packets()
{
	port_count "$1" 0 RX-packets
}

# rate TESTPMD: packets a second that it receives, in thousands.
rate()
{
	local a b start end
	sleep 1
	a=$(rx_packets "$1")
	start=$(date +%s%N)
	sleep "$seconds"
	b=$(rx_packets "$1")
	end=$(date +%s%N)
	echo $(((b - a) * 1000000 / (end - start)))
}

# one_way FROM TO: FROM sends 64-byte packets as fast as TO takes them.
one_way()
{
	testpmd_cmd "$2" "set fwd rxonly" >/dev/null
	testpmd_cmd "$2" start >/dev/null
	testpmd_cmd "$1" "set fwd txonly" >/dev/null
	testpmd_cmd "$1" start >/dev/null
	rate "$2"
	testpmd_cmd "$1" stop >/dev/null
	testpmd_cmd "$2" stop >/dev/null
}

poll_mode()
{
	start "$1" vhost 0
	wait_for 10 test -c /dev/vhost-vdpa-0 || fail "no /dev/vhost-vdpa-0"
	launch_testpmd user -l 0,1 --main-lcore 1 --no-pci --file-prefix=user --iova-mode=va \
		--single-file-segments --vdev net_virtio_user0,path=/dev/vhost-vdpa-0 -- \
		-i --disable-link-check --total-num-mbufs=16384
	wait_prompt user 0
	figure "$1" from-driver "$(one_way user dut)" kpps
	figure "$1" to-driver "$(one_way dut user)" kpps
	stop_testpmd user
	stop "$1" 0
}

load_modules vduse virtio_vdpa virtio_net
prepare_peer
for _ in $(seq "$rounds"); do
	for side in net_vduse net_vhost; do
		! wanted kernel || kernel_pair $side
	done
	for side in net_vduse net_vhost; do
		! wanted tso || tso_pair $side
	done
done
rmmod virtio_vdpa
wanted poll || ok
load_modules vhost_vdpa
for _ in $(seq "$rounds"); do
	poll_mode net_vduse
	poll_mode net_vhost
done
ok
