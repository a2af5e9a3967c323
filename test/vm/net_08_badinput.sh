#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Bad input: one line that names the device, what is wrong and what to do; an exit
# code that is not 0; nothing left under /dev/vduse.
. "$(dirname "$0")/guest.sh"

run_as=()

# refused REGEX DEVARGS: the one line about net_vdusex, or about the device net0 that it
# asked for, matches REGEX.
refused()
{
	local code=0 lines
	"${run_as[@]}" timeout 30 "$TESTPMD" -l 0,1 --no-pci --no-shconf --no-telemetry --no-huge \
		-m 256 -d "$PLUGIN" --vdev "net_vdusex,$2" -- --nb-ports=1 --total-num-mbufs=2048 \
		</dev/null >"$work/refused.log" 2>&1 || code=$?
	lines=$(grep -aE '(net_vdusex|net0): ' "$work/refused.log" || true)
	echo "$2: exit $code: $lines"
	[ "$code" != 0 ] && [ "$code" -lt 124 ] || fail "$2: exit code $code"
	[ "$(echo "$lines" | grep -c .)" = 1 ] || fail "$2: not one line about it"
	echo "$lines" | grep -qE "$1" || fail "$2: the line does not say $1"
	[ "$known" = "$(ls /dev/vduse 2>/dev/null)" ] || fail "$2: left behind: $(devices_left)"
}

# A user who may read every file, so that the build folder may lie anywhere.
unprivileged()
{
	run_as=(setpriv --reuid=65534 --regid=65534 --clear-groups
		--inh-caps=-all,+dac_read_search --ambient-caps=-all,+dac_read_search)
	refused "$@"
	run_as=()
}

net=iface=/dev/vduse/net0
known=''
step "no VDUSE in the kernel"
refused 'modprobe|module' "$net"

load_modules vduse virtio_vdpa virtio_net
known=$(ls /dev/vduse)
step "no permission"
unprivileged '/dev/vduse' "$net"
chmod 666 /dev/vduse/control
unprivileged 'CAP_NET_ADMIN|privilege|root|ermi' "$net"

step "a path that is no VDUSE name"
for path in '' /dev/vduse /dev/vduse/ /dev/vduse/control /dev/vduse/a/b /dev/vduse/.. \
	net0 "/dev/vduse/$(printf '%0300d' 0)"; do
	refused iface "iface=$path"
done
refused iface queues=1

step "queues"
for queues in 0 65536 -1 x '' 99999999999999999999; do
	refused queues "$net,queues=$queues"
done
refused 'queues|control queue' "$net,queues=2"

step "queue-size"
for size in 0 1 3 100 65536 -256 x; do
	refused queue-size "$net,queue-size=$size"
done

step "mac, mtu, attach, unknown keys"
for mac in zz 01:00:00:00:00:01 00:00:00:00:00:00; do
	refused mac "$net,mac=$mac"
done
for mtu in 10 0 -1 65536 x; do
	refused mtu "$net,mtu=$mtu"
done
refused attach "$net,attach=banana"
refused colour "$net,colour=red"

step "a name that a live process has"
start_testpmd live --vdev "net_vduse0,$net,attach=virtio"
wait_interface net0
known=$(ls /dev/vduse)
refused 'net0|use|taken' "$net"
testpmd_cmd live "show port info 0" | grep -q "Link status: up" || fail "the live one is hurt"
stop_testpmd live
check_nothing_left
ok
