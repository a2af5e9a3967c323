#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# A block device with polled queues, like NVMe: null_blk. Its interrupts are delayed by half a
# second here, so that the time shows which queue a request used, and no request is finished when
# the next one is submitted.
. "$(dirname "$0")/guest.sh"
. "$(dirname "$0")/blk_guest.sh"

size_mb=64
late_ms=500
below=/dev/nullb0

# ms_of COMMAND...: how long it takes
ms_of()
{
	local start
	start=$(date +%s%N)
	"$@" || fail "$*"
	echo $((($(date +%s%N) - start) / 1000000))
}

# Eight requests, one after the other.
read_some()
{
	dd if="$disk" of=/dev/null bs=4k count=8 iflag=direct status=none
}

write_some()
{
	dd if=/dev/urandom of="$disk" bs=4k count=8 oflag=direct status=none
}

# make_below DISCARDS: 1 or 0
make_below()
{
	local attribute
	mkdir $below_conf || fail "null_blk has no configfs"
	for attribute in size=$size_mb memory_backed=1 discard="$1" blocksize=512 submit_queues=1 \
		poll_queues=1 irqmode=2 completion_nsec=$((late_ms * 1000000)) power=1; do
		echo "${attribute#*=}" >"$below_conf/${attribute%%=*}" ||
			fail "null_blk refuses $attribute"
	done
	wait_for 5 test -b $below || fail "no $below"
}

load_modules vduse virtio_vdpa virtio_blk
modprobe null_blk nr_devices=0 || fail "modprobe null_blk"
mount -t configfs configfs /sys/kernel/config 2>/dev/null || true
below_conf=/sys/kernel/config/nullb/nullb0
make_below 1
[ "$(queue_attr $below io_poll)" = 1 ] || fail "$below cannot be polled"

step "reads and writes are polled for"
start_blk "disk0,attach=virtio,umem=1,backend=file,path=$below,direct=1"
disk=$(wait_disk disk0)
for what in read_some write_some; do
	ms=$(ms_of $what)
	echo "   $what: $ms ms"
	[ "$ms" -lt $((4 * late_ms)) ] || fail "$what: $ms ms, it waited for interrupts"
done

# The kernel splits what is too large for the device, and cannot poll for the parts.
step "what the device takes in two parts ends, too"
[ "$(queue_attr $below max_sectors_kb)" -lt 256 ] || fail "$below takes 256 KiB as they are"
dd if="$disk" of=/dev/null bs=256k count=2 iflag=direct status=none || fail "a large read"
dd if=/dev/zero of="$disk" bs=256k count=2 oflag=direct status=none || fail "a large write"

step "with flushes, zeroes and discards, which are not, every block checked"
fio_verify "$(basename "$disk")" --rw=randwrite --bsrange=512-64k --bs_unaligned=0 --blockalign=512 \
	--iodepth=16 --size=16M --io_size=4M
fio_verify "$(basename "$disk")" --rw=randwrite --bs=4k --iodepth=4 --size=1M --io_size=128k --fsync=8
blkdiscard -z -l 256K "$disk"
cmp -n $((256 << 10)) "$disk" /dev/zero || fail "no zeroes"

# It makes no zeroes by itself, so a hole is not the way to its discards.
step "a discard reaches it"
[ "$(queue_attr $below write_zeroes_max_bytes)" = 0 ] || fail "$below makes zeroes"
dd if=/dev/urandom of="$disk" bs=1M seek=1 count=1 oflag=direct status=none
! cmp -s -i 1M -n 1M "$disk" /dev/zero || fail "nothing was written"
blkdiscard -o 1M -l 1M "$disk"
cmp -i 1M:0 -n 1M "$disk" /dev/zero || fail "nothing was discarded"
[ "$(summary | counter io-errors)" = 0 ] || fail "$(summary)"

step "stopped under I/O: what is in flight is finished"
fio --name=busy --filename="$disk" --direct=1 --ioengine=libaio --rw=randrw --bs=4k --iodepth=32 \
	--time_based --runtime=60 >"$work/busy.out" 2>&1 &
busy_pid=$!
sleep 1
stop_blk
wait_for 30 eval "! kill -0 $busy_pid" || fail "I/O hangs"
check_nothing_left
rmdir $below_conf

step "iopoll=0: they wait for interrupts; and a disk that does not discard"
make_below 0
start_blk "disk0,attach=virtio,backend=file,path=$below,direct=1,iopoll=0"
disk=$(wait_disk disk0)
ms=$(ms_of read_some)
echo "   read_some: $ms ms"
[ "$ms" -ge $((8 * late_ms)) ] || fail "read_some: $ms ms, it did not wait for interrupts"
[ "$(queue_attr "$disk" discard_max_bytes)" = 0 ] || fail "discards are offered"
stop_blk
check_nothing_left

step "a burst of 32 for an idle disk: it has the first before the last is prepared"
modprobe vhost_vdpa || fail "modprobe vhost_vdpa"
start_blk "disk0,attach=vhost,backend=file,path=$below,direct=1,iopoll=0"
wait_for 60 test -c /dev/vhost-vdpa-0 || fail "no /dev/vhost-vdpa-0"
strace -f -e trace=io_uring_enter -o "$work/strace" -p "$blk_pid" 2>"$work/strace.log" &
strace_pid=$!
wait_for 10 grep -q 'attached' "$work/strace.log" || fail "strace cannot be attached"
"$DPDK_VDUSE_BUILD/test/perf/client/blk_client" ours late /dev/vhost-vdpa-0 randread 4096 32 1 ||
	fail "the driver"
kill $strace_pid
wait $strace_pid || true
pieces=$(sed -n 's/.* io_uring_enter([0-9]*, \([0-9]*\),.*/\1/p' "$work/strace" | head -n 4 | tr '\n' ' ')
echo "   $pieces"
[ "$pieces" = "1 2 4 8 " ] || fail "pieces of other sizes"
stop_blk
check_nothing_left
rmdir $below_conf
rmmod null_blk
ok
