#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# blk_11_upgrade.sh with 50 upgrades instead of 2.
UPGRADES=50 exec "$(dirname "$0")/blk_11_upgrade.sh"
