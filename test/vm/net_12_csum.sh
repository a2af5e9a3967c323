#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# Checksum offload: Linux leaves its checksums to the port, and the bytes arrive as they were sent,
# over IPv4 and IPv6, with an application that knows nothing of it and with one that passes it on.
. "$(dirname "$0")/guest.sh"
. "$(dirname "$0")/transfer.sh"

head -c 4M /dev/urandom >"$work/sent"

step "without csum=1 Linux computes them"
start_pair fwd ""
has left tx-checksumming off
stop_testpmd fwd

step "testpmd forwards, and the port computes them"
start_pair fwd ",csum=1"
addresses
has left tx-checksumming on
traffic
[ "$(counter 0 rx_q0_csum_software)" -gt 2000 ] || fail "port 0 computed too few"
[ "$(counter 1 tx_q0_csum_passed)" = 0 ] || fail "testpmd asked for some"
stop_testpmd fwd

step "testpmd passes them on"
start_pair fwd ",csum=1"
addresses
pass_on fwd 0
wait_for 10 has_carrier left || fail "no carrier"
wait_for 10 has_carrier right || fail "no carrier"
traffic
[ "$(counter 0 rx_q0_csum_passed)" -gt 2000 ] || fail "port 0 passed on too few"
[ "$(counter 1 tx_q0_csum_passed)" -gt 2000 ] || fail "port 1 passed on too few"
[ "$(counter 1 tx_q0_bad_offloads)" = 0 ] || fail "port 1 refused some"
stop_testpmd fwd
check_nothing_left
ok
