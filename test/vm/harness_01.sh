#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# The VM itself: modules, huge pages, a writable root. With an argument: a script that fails, for
# harness_test.
. "$(dirname "$0")/guest.sh"

case ${1:-} in
exit) exit "$2" ;;
hang) sleep 1000 ;;
flags) echo "RSP: 0018:ff4ddad700443c60 EFLAGS: 882b4242" >/dev/kmsg ;&
panic) echo c >/proc/sysrq-trigger; sleep 10 ;;
warn) echo "WARNING: CPU: 0 PID: 1 at nowhere" >/dev/kmsg ;;
esac

step "the VDUSE modules load"
load_modules vduse virtio_vdpa vhost_vdpa virtio_net
[ -c /dev/vduse/control ] || fail "no /dev/vduse/control"

step "huge pages are there"
[ "$(cat /proc/sys/vm/nr_hugepages)" -ge 128 ] || fail "no huge pages"
grep -q hugetlbfs /proc/mounts || fail "hugetlbfs is not mounted"

step "files can be written, and the host does not see them"
echo x >"$VM_TOP/written-by-the-guest"
echo x >/tmp/written-by-the-guest

step "namespaces and veth work"
ip netns add a
ip link add v0 type veth peer name v1 netns a
ip -n a addr add 10.1.0.1/24 dev v1
ip -n a link set v1 up
ip addr add 10.1.0.2/24 dev v0
ip link set v0 up
no_loss ping -c 2 -i 0.2 10.1.0.1
ok
