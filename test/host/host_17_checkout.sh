#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# A checkout below a folder that everybody may write to: EAL refuses plugins from there, so the tests
# and `make run` load a copy. What fails in `make run` is its exit code.
top=$(realpath "$(dirname "$0")/../..")
from=$(realpath "${DPDK_VDUSE_BUILD:-$top/build}")
DPDK_VDUSE_BUILD=$(mktemp -d -p /tmp)/build
for file in drivers/net/vduse/librte_net_vduse.so lib/librte_vduse.so.0; do
	install -D "$from/$file" "$DPDK_VDUSE_BUILD/$file"
done
. "$(dirname "$0")/host.sh"
copy=${PLUGIN%/drivers/*}
trap 'rm -rf "${DPDK_VDUSE_BUILD%/build}"; [ "$copy" = "$DPDK_VDUSE_BUILD" ] || rm -rf "$copy"
	at_exit' EXIT

step "the plugin of a checkout in /tmp"
start_backend one ""
logged_once one "listens at $sock"
stop_testpmd one

step "the copy is that of this checkout and of nobody else"
[ "$(stat -c %a "$copy")" = 700 ] || fail "$copy: others may read it"
cmp "$PLUGIN" "$DPDK_VDUSE_BUILD/drivers/net/vduse/librte_net_vduse.so" || fail "another file"

# run_with RATES DEMO: exit codes of the two parts of "make run", and prints that of all of it.
run_with()
{
	local code=0 part
	mkdir -p "$work/top/test/perf" "$work/top/test/vm"
	cp "$top/Makefile" "$work/top"
	for part in "perf/demo $1" "vm/demo.sh $2" "vm/run $2"; do
		printf '#!/bin/sh\necho part\nexit %s\n' "${part#* }" >"$work/top/test/${part% *}"
		chmod +x "$work/top/test/${part% *}"
	done
	make -s -C "$work/top" -o deps -o build run >"$work/make.log" 2>&1 || code=$?
	[ "$(grep -c '^part' "$work/make.log")" = 2 ] || fail "not both parts ran"
	[ "$code" = 0 ] || code=1
	echo "$code"
}

step "the exit code of make run"
[ "$(run_with 0 0)" = 0 ] || fail "failed without a reason"
[ "$(run_with 1 0)" = 1 ] || fail "rates failed, make did not"
[ "$(run_with 0 1)" = 1 ] || fail "the demonstration failed, make did not"
ok
