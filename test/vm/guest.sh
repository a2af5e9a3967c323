# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
# shellcheck shell=bash
#
# What test scripts in the VM share, and those of test/host: `. "$(dirname "$0")/guest.sh"`
# first. A test ends with ok, fail or skip; each step says what it shows before it tries.
set -eu

PLUGIN=${PLUGIN:-$("$(dirname "${BASH_SOURCE[0]}")/../plugin" "$DPDK_VDUSE_BUILD")}
TESTPMD=${TESTPMD:-dpdk-testpmd}
LCORES=${LCORES:-0,1}
work=${work:-/run/test}
declare -A testpmd_pid testpmd_stdin
mkdir -p "$work"
# The lcore that polls has CPU 1 for itself.
taskset -pc 0 $$ >/dev/null

step()
{
	echo "== $*"
}

ok()
{
	echo "ok: ${*:-$(basename "$0")}"
	exit 0
}

skip()
{
	echo "skip: $*"
	exit 77
}

# Whatever the caller did with its output, a failure is seen.
exec 3>&1
fail()
{
	local log
	exec >&3
	echo "FAIL: $*"
	for log in "$work"/*.log; do
		[ ! -f "$log" ] || { echo "--- $log, last lines"; tail -n 40 "$log"; }
	done
	echo "--- devices"
	ls /dev/vduse /sys/bus/vdpa/devices 2>/dev/null || true
	exit 1
}

trap 'fail "line $LINENO: $BASH_COMMAND"' ERR
set -E

# VDUSE: the distribution's module, or this project's.
load_vduse()
{
	case ${VDUSE_MODULE:-distribution} in
	ours)
		modprobe -a vdpa vhost_iotlb virtio_ring || fail "modprobe vdpa"
		grep -q '^vduse ' /proc/modules || insmod "$VDUSE_KO" ||
			fail "insmod vduse.ko"
		;;
	*) modprobe vduse || fail "modprobe vduse" ;;
	esac
}

load_modules()
{
	local module
	for module; do
		if [ "$module" = vduse ]; then
			load_vduse
		else
			modprobe "$module" || fail "modprobe $module"
		fi
	done
}

# pause SECONDS: starts no process, which in emulation costs more than what is waited for.
pause()
{
	[ -p "$work/pause" ] || mkfifo "$work/pause" 2>/dev/null || true
	read -r -t "$1" <>"$work/pause" || true
}

# wait_for SECONDS COMMAND...: until COMMAND succeeds; false when time is up.
wait_for()
{
	local end=$((SECONDS + $1 * ${VM_PATIENCE:-1}))
	shift
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $end ] || return 1
		pause "${interval:-0.1}"
	done
}

# A line of the log may fall into the middle of a prompt.
prompts()
{
	awk '{
		$0 = rest $0
		rest = ""
		if (sub(/(VDUSE|EAL|VHOST_[A-Z]+): .*/, ""))
			rest = $0
		else
			n += gsub(/testpmd> /, "")
	}
	END { print n + gsub(/testpmd> /, "", rest) }' "$work/$1.log"
}

# grown NAME: whether the log is longer than it was at the last look, when it had $seen characters.
grown()
{
	local whole now
	mapfile -d '' -t whole <"$work/$1.log"
	now=${whole[*]}
	[ ${#now} != "$seen" ] || return 1
	seen=${#now}
}

prompts_exceed()
{
	testpmd_alive "$1" || return 0
	grown "$1" && [ "$(prompts "$1")" -gt "$2" ]
}

# launch_testpmd NAME ARGS...: exactly these arguments; its stdin is a fifo kept open.
launch_testpmd()
{
	local name=$1
	shift
	rm -f "$work/$name.in" "$work/$name.log"
	mkfifo "$work/$name.in"
	stdbuf -oL taskset -c "$LCORES" "$TESTPMD" "$@" <>"$work/$name.in" >"$work/$name.log" 2>&1 &
	testpmd_pid[$name]=$!
	exec {fd}>"$work/$name.in"
	testpmd_stdin[$name]=$fd
}

testpmd_alive()
{
	kill -0 "${testpmd_pid[$1]}" 2>/dev/null
}

# wait_prompt NAME COUNT: until there are more than COUNT of them.
wait_prompt()
{
	local seen=-1 interval=0.02
	wait_for 40 prompts_exceed "$1" "$2" || fail "$1: no prompt"
	testpmd_alive "$1" || fail "$1: exited"
}

# start_testpmd NAME EAL_ARGS... -- TESTPMD_ARGS...: our plugin, io forwarding, started.
start_testpmd()
{
	local name=$1 eal=()
	shift
	while [ $# -gt 0 ] && [ "$1" != -- ]; do
		eal+=("$1")
		shift
	done
	[ $# -eq 0 ] || shift
	[ -e "$PLUGIN" ] || fail "no plugin at $PLUGIN: build first"
	launch_testpmd "$name" -l "$LCORES" --no-pci --file-prefix="$name" -d "$PLUGIN" "${eal[@]}" \
		-- -i --auto-start --disable-link-check --total-num-mbufs=16384 "$@"
	wait_prompt "$name" 0
}

# testpmd_cmd NAME COMMAND...: prints what testpmd says to them.
testpmd_cmd()
{
	local name=$1 before lines printed
	shift
	before=$(prompts "$name")
	mapfile printed <"$work/$name.log"
	lines=${#printed[@]}
	# The last one, without an end, is the prompt.
	[ "$lines" = 0 ] || [[ ${printed[-1]} == *$'\n' ]] || lines=$((lines - 1))
	printf '%s\n' "$@" >&"${testpmd_stdin[$name]}"
	wait_prompt "$name" $((before + $# - 1))
	mapfile printed <"$work/$name.log"
	printf '%s' "${printed[@]:lines}"
}

# The polling process has ended: return its exit code.
reap_testpmd()
{
	local fd=${testpmd_stdin[$1]} code=0
	wait_for 20 eval "! testpmd_alive $1" || fail "$1: does not end"
	wait "${testpmd_pid[$1]}" || code=$?
	exec {fd}>&-
	return $code
}

stop_testpmd()
{
	echo quit >&"${testpmd_stdin[$1]}"
	reap_testpmd "$1" || fail "$1: exit code $? after quit"
}

kill_testpmd()
{
	kill -9 "${testpmd_pid[$1]}"
	reap_testpmd "$1" 2>/dev/null || true
}

# port_count NAME PORT RX-packets|TX-packets|...
port_count()
{
	testpmd_cmd "$1" "show port stats $2" | sed -n "s/.*$3: *\([0-9]*\).*/\1/p" | tail -n 1
}

# pass_on NAME SIZE [PORT...]: each of the two ports leaves checksums to the other one, and packets of
# more than SIZE bytes of payload to be segmented (0: none). PORTs receive large packets whole.
pass_on()
{
	local name=$1 size=$2 port proto orders=(stop "port stop all")
	shift 2
	for port in 0 1; do
		for proto in tcp udp; do
			orders+=("port config $port rx_offload ${proto}_cksum on"
				"csum set $proto hw $port")
		done
		orders+=("csum set ip hw $port" "csum mac-swap off $port")
		[ "$size" = 0 ] ||
			orders+=("port config $port tx_offload tcp_tso on" "tso set $size $port")
	done
	for port; do
		orders+=("port config $port rx_offload tcp_lro on")
	done
	testpmd_cmd "$name" "${orders[@]}" "port start all" "set fwd csum" start >/dev/null
}

count()
{
	port_count "$1" 0 "$2"
}

received()
{
	[ "$(count "$1" RX-packets)" -ge "$2" ]
}

# one_way FROM TO: `packets` of them at the least, counted where they arrive.
# shellcheck disable=SC2154
one_way()
{
	local sent got
	testpmd_cmd "$1" stop "clear port stats all" "set fwd txonly" >/dev/null
	testpmd_cmd "$2" stop "clear port stats all" "set fwd rxonly" start >/dev/null
	testpmd_cmd "$1" start >/dev/null
	wait_for 30 received "$2" "$packets" || fail "$1 to $2: $(count "$2" RX-packets) arrived"
	testpmd_cmd "$1" stop >/dev/null
	sent=$(count "$1" TX-packets)
	wait_for 5 received "$2" "$sent" || true
	got=$(count "$2" RX-packets)
	testpmd_cmd "$2" stop >/dev/null
	echo "$1 to $2: $sent sent, $got received"
	[ "$got" = "$sent" ] || fail "$1 to $2: $sent sent, $got received"
}

# kernel_from VERSION: whether the kernel is of that version or later.
kernel_from()
{
	printf '%s\n' "$1" "$(uname -r)" | sort -C -V
}

# Whether drivers can suspend a device: with this project's module, and with that of Linux 7.3.
can_suspend()
{
	[ "${VDUSE_MODULE:-distribution}" = ours ] || kernel_from 7.3
}

# Kernel interface of a vdpa device: interface_of net0
interface_of()
{
	local dir
	for dir in /sys/bus/vdpa/devices/"$1"/virtio*/net/*; do
		[ -e "$dir" ] || return 1
		basename "$dir"
		return
	done
}

wait_interface()
{
	wait_for 20 interface_of "$1" || fail "$1: no kernel interface"
}

has_carrier()
{
	ip -n "$1" link show dev eth0 | grep -q LOWER_UP
}

# A device that outlived its process has its interface in the namespace already.
interface_somewhere()
{
	interface_of "$2" || ip -n "$1" link show dev eth0
}

# in_netns NS DEVICE ADDRESS/PREFIX: the device's interface becomes eth0 in a namespace.
in_netns()
{
	local ns=$1 device=$2 address=$3 interface
	ip netns add "$ns" 2>/dev/null || true
	wait_for 20 interface_somewhere "$ns" "$device" || fail "$device: no kernel interface"
	interface=$(interface_of "$device") || interface=''
	[ -z "$interface" ] || ip link set "$interface" netns "$ns" name eth0
	ip -n "$ns" addr replace "$address" dev eth0
	ip -n "$ns" link set lo up
	ip -n "$ns" link set eth0 up
	wait_for 10 has_carrier "$ns" || fail "$device: no carrier"
}

# Two ports of one testpmd, each a kernel interface in a namespace: left and right.
start_pair()
{
	local name=$1 extra=$2
	shift 2
	load_modules vduse virtio_vdpa virtio_net
	start_testpmd "$name" --vdev "net_vduse0,iface=/dev/vduse/net0,attach=virtio$extra" \
		--vdev "net_vduse1,iface=/dev/vduse/net1,attach=virtio$extra" -- "$@"
	join_pair
}

join_pair()
{
	in_netns left net0 10.0.0.1/24
	in_netns right net1 10.0.0.2/24
}

on_left()
{
	ip netns exec left "$@"
}

on_right()
{
	ip netns exec right "$@"
}

# no_loss PING_ARGS...: every ping answered, from the left unless it begins with on_right
no_loss()
{
	local out
	out=$("$@" 2>&1) || true
	echo "$out" | tail -n 2
	case $out in
	*" 0% packet loss"*) ;;
	*) fail "packets lost: $*" ;;
	esac
}

devices_left()
{
	find /dev/vduse /sys/bus/vdpa/devices -mindepth 1 ! -name control 2>/dev/null
}

nothing_left()
{
	[ -z "$(devices_left)" ]
}

check_nothing_left()
{
	wait_for 10 nothing_left || fail "left behind: $(devices_left | tr '\n' ' ')"
}
