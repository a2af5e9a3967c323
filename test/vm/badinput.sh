# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
# shellcheck shell=bash
#
# What tests of bad input share, in the VM and on this machine. Sourced after guest.sh; a test says
# in known what lies under /dev/vduse before, and in run_as who starts testpmd.
run_as=()
known=''

# refused REGEX DEVARGS: the one line about net_vdusex, or about the device net0 that it
# asked for, matches REGEX.
# shellcheck disable=SC2154
refused()
{
	local code=0 lines
	"${run_as[@]}" timeout 30 "$TESTPMD" -l 0,1 --no-pci --no-shconf --no-telemetry --no-huge \
		-m 256 -d "$PLUGIN" --vdev "net_vdusex,$2" -- --nb-ports=1 --total-num-mbufs=2048 \
		</dev/null >"$work/refused.log" 2>&1 || code=$?
	lines=$(grep -aE '(net_vdusex|net0): ' "$work/refused.log" || true)
	echo "$2: exit $code: $lines"
	{ [ "$code" != 0 ] && [ "$code" -lt 124 ]; } || fail "$2: exit code $code"
	[ "$(echo "$lines" | grep -c .)" = 1 ] || fail "$2: not one line about it"
	echo "$lines" | grep -qE "$1" || fail "$2: the line does not say $1"
	[ "$known" = "$(ls /dev/vduse 2>/dev/null)" ] || fail "$2: left behind: $(devices_left)"
}
