#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# blk_10_restart.sh with 50 restarts instead of 6.
RESTARTS=50 exec "$(dirname "$0")/blk_10_restart.sh"
