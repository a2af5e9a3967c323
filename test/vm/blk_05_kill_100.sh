#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# blk_05_kill.sh with 100 kills instead of 10.
KILLS=100 exec "$(dirname "$0")/blk_05_kill.sh"
