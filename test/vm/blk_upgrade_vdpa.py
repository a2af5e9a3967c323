#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
"""blk_upgrade_vdpa.py DEVICE split|packed FOLDER COMMAND...: test/host/blk_handover.py over
/dev/vhost-vdpa-N.

PYTHONPATH names test/host.
"""
import sys

from blk_handover import every_handover
from blk_vdpa import VhostVdpa

if __name__ == "__main__":
    every_handover(lambda: VhostVdpa(sys.argv[1]), sys.argv[2] == "packed", sys.argv[3],
                   sys.argv[4:])
