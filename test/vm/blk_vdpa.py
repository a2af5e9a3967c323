#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
"""blk_vdpa.py DEVICE IMAGE SERIAL: test/host/blk_check.py over /dev/vhost-vdpa-N.

PYTHONPATH names test/host.
"""
import os
import sys

from blk_check import every_ring
from blk_driver import AREAS, FIRST, SIZE
from vdpa_driver import F_ACCESS_PLATFORM, Vdpa


class VhostVdpa:
    """A block driver's way to its device."""

    def __init__(self, path):
        self.device = Vdpa(path)
        self.size = 0

    def connect(self, driver):
        self.device.status()
        self.device.negotiate(driver.wanted(self.device.offered()) | F_ACCESS_PLATFORM)
        self.size = driver.memory.size
        self.device.map(FIRST, self.size, driver.memory.map)
        self.device.vring(0, SIZE, *AREAS, driver.ring.base())
        self.device.driver_ok()

    def config(self, offset, size):
        return self.device.config(offset, size)

    def kick(self):
        os.eventfd_write(self.device.kicks[0], 1)

    def disconnect(self):
        self.device.status()
        self.device.unmap(FIRST, self.size)

    def close(self):
        self.disconnect()
        self.device.close()


if __name__ == "__main__":
    every_ring(VhostVdpa, *sys.argv[1:4])
