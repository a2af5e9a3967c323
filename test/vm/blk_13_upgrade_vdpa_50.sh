#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# blk_13_upgrade_vdpa.sh with 25 upgrades for each ring.
HANDOVERS=25 exec "$(dirname "$0")/blk_13_upgrade_vdpa.sh"
