#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# dpdk-vduse-exporter: the metrics of a disk that served a known load, at a Unix socket and at a loopback
# port; processes that were killed, never answer, answer garbage or without end; slow clients; and the
# names in the dashboard and the alert rules.
. "$(dirname "$0")/disk.sh"

EXPORTER=$DPDK_VDUSE_BUILD/app/exporter/dpdk-vduse-exporter
top=$(realpath "$(dirname "$0")/../..")
[ -x "$EXPORTER" ] || skip "*** no dpdk-vduse-exporter (libmicrohttpd-dev): nothing was tested"
[ "$(id -u)" = 0 ] && unset XDG_RUNTIME_DIR
unset RUNTIME_DIRECTORY
run_dir=${XDG_RUNTIME_DIR:-/var/run}/dpdk
prefix=metrics-$$
trap '[ -z "$blk_pid" ] || kill -9 "$blk_pid" 2>/dev/null || true; rm -rf "${run_dir:?}"/*"$prefix"; at_exit' EXIT
truncate -s 1M "$image"
stdbuf -oL taskset -c "$LCORES" "$BLK" -l "$LCORES" --no-pci --file-prefix="$prefix" --no-huge \
	-m 64 -- --device "disk0,backend=file,queues=2,path=$image,iface=$sock" >"$work/blk.log" 2>&1 &
blk_pid=$!
wait_for 20 grep -aq "listens at $sock" "$work/blk.log" || fail "no socket"
for part in arguments blk "kill $blk_pid" hostile clients names; do
	step "$part"
	# shellcheck disable=SC2086
	timeout 100 "$(dirname "$0")/metrics.py" "$EXPORTER" "$work" "$run_dir/$prefix" "$sock" "$top" \
		$part || fail "see above"
done
blk_pid=
if [ -e "$PLUGIN" ]; then
	step "net"
	sock=$work/net.sock
	start_testpmd "net-$prefix" --no-huge -m 256 --vdev "net_vduse0,iface=$sock,queues=2" -- \
		--forward-mode=rxonly --rxq=2 --txq=2
	timeout 60 "$(dirname "$0")/metrics.py" "$EXPORTER" "$work" "$run_dir/net-$prefix" "$sock" \
		"$top" net || fail "see above"
	stop_testpmd "net-$prefix"
fi
python3 -c 'import prometheus_client' 2>/dev/null ||
	step "no python3-prometheus-client: only the test's own parser read the text"
ok
