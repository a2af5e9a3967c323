#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# A guest of QEMU migrates back and forth between two net_vduse ports while bytes go to it and come back
# over one TCP connection; with split and with packed rings, with a back end that is restarted, with a guest
# of many memory regions, with one that runs before its memory has arrived (post-copy), and with one that
# has the device behind an IOMMU. Each port is joined with a tap device, and those are on a bridge.
#
# MIGRATIONS: how many of each case. CASES: which.
. "$(dirname "$0")/host.sh"
need_qemu
need busybox
need ping
need cpio
need setpriv

kernel=${DPDK_VDUSE_CACHE:-$DPDK_VDUSE_BUILD/cache}/kernel
migrations=${MIGRATIONS:-20}
cases=${CASES:-split packed reconnect regions postcopy postcopy-packed viommu viommu-packed}
here=$(realpath "$(dirname "$0")")
ns=migrate$$

end_namespace()
{
	at_exit
	ip netns delete "$ns" 2>/dev/null || true
}

# in_namespace: testpmd makes its tap devices there.
in_namespace()
{
	cat >"$work/in_namespace" <<-END
		#!/bin/sh
		exec ip netns exec $ns "$TESTPMD" "\$@"
	END
	chmod +x "$work/in_namespace"
	TESTPMD=$work/in_namespace
}

has_taps()
{
	ip -n "$ns" link show tap0 && ip -n "$ns" link show tap1
}

# start_ports [ARGS]: of the two ports.
start_ports()
{
	local tap
	start_testpmd vduse "${memory[@]}" --main-lcore 0 \
		--vdev "net_vduse0,iface=$work/0.sock${1:-}" --vdev "net_tap0,iface=tap0" \
		--vdev "net_vduse1,iface=$work/1.sock${1:-}" --vdev "net_tap1,iface=tap1"
	wait_for 10 has_taps || skip "*** no tap devices: nothing was tested"
	for tap in tap0 tap1; do
		ip -n "$ns" link set $tap master br0
		ip -n "$ns" link set $tap up
	done
}

# migrate PROPERTIES CHARDEV [regions|postcopy|viommu]: does what migrate_net.py asks for. It ends with this shell.
migrate()
{
	local line pid back_end=()
	step "$migrations migrations with ${1#,}${2#,}${3:+, $3}"
	case ${3:-} in
	regions) back_end=("${testpmd_pid[vduse]}") ;;
	postcopy | viommu) back_end=("$3") ;;
	esac
	coproc {
		exec ip netns exec "$ns" setpriv --pdeathsig KILL /usr/bin/python3 "$here/migrate_net.py" \
			"$work" "$qemu_program" "$kernel/boot/vmlinuz-$(cat "$kernel/release")" \
			"$work/initramfs" "$migrations" "$1" "$2" "${back_end[@]}" 2>&1
	}
	pid=$COPROC_PID
	exec {answers}<&"${COPROC[0]}" {orders}>&"${COPROC[1]}"
	while read -r line <&"$answers"; do
		if [ "$line" = restart ]; then
			kill_testpmd vduse
			start_ports
			echo >&"$orders"
		else
			echo "$line"
		fi
	done
	exec {answers}<&- {orders}>&-
	wait "$pid" || fail "migrate_net.py: exit code $?"
	rm -f "$work"/qemu[0-9]* "$work"/state*
}

in_namespace
step "two sockets, each joined with a tap device on a bridge"
ip netns add "$ns" || skip "*** no network namespaces: nothing was tested"
trap end_namespace EXIT
ip -n "$ns" link add br0 type bridge
ip -n "$ns" address add 10.0.0.1/24 dev br0
ip -n "$ns" link set br0 up
start_ports

step "the guest"
"$here/../../config/fetch-kernel" "$kernel"
"$here/../vm/mkinitramfs" "$kernel" "$work/initramfs" "$here/migrate_init.sh" virtio_pci virtio_net
# migrate_ports ARGS PROPERTIES postcopy|viommu: ports with ARGS.
migrate_ports()
{
	stop_testpmd vduse
	start_ports "$1"
	migrate "$2" "" "$3"
	case $3 in
	postcopy) check_waited "$migrations" ;;
	viommu) check_translated ;;
	esac
	stop_testpmd vduse
	start_ports
}

# check_translated: each driver that came up took VIRTIO_F_ACCESS_PLATFORM.
check_translated()
{
	local features all
	mapfile -t all < <(sed -n 's/.*driver is up, features \(0x[0-9a-f]*\),.*/\1/p' "$work/vduse.log")
	[ ${#all[@]} != 0 ] || fail "no driver was up"
	for features in "${all[@]}"; do
		((features >> 33 & 1)) || fail "features $features"
	done
}

# check_waited NB: the ports waited for memory in NB migrations.
check_waited()
{
	local nb
	nb=$(grep -c 'post-copy ended: waited for [1-9]' "$work/vduse.log")
	[ "$nb" = "$1" ] || fail "ports waited for memory in $nb of $1 migrations: $(cat "$work/vduse.log")"
	sed -n 's/.*\(post-copy ended.*\)/\1/p' "$work/vduse.log" | sort | uniq -c
}

for case in $cases; do
	case $case in
	split) migrate ,packed=off "" ;;
	packed) migrate ,packed=on "" ;;
	reconnect) migrate ,packed=off ,reconnect=1 ;;
	regions) migrate ,packed=off "" regions ;;
	postcopy) migrate_ports ,postcopy=1 ,packed=off postcopy ;;
	postcopy-packed) migrate_ports ,postcopy=1 ,packed=on postcopy ;;
	viommu) migrate_ports ,iommu=1 ,packed=off viommu ;;
	viommu-packed) migrate_ports ,iommu=1 ,packed=on viommu ;;
	*) fail "no case $case" ;;
	esac
done
stop_testpmd vduse
ok
