#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# blk_09_suspend.sh with 1,000 cycles for each ring format.
CYCLES=1000 exec "$(dirname "$0")/blk_09_suspend.sh"
