#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# net_18_suspend.sh with 1,000 cycles for each ring format.
CYCLES=1000 exec "$(dirname "$0")/net_18_suspend.sh"
