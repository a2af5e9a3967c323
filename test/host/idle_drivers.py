#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
"""
Drivers that are silent until standard input ends. Then the first one writes and reads back with
pauses, kicking only if its device asks for that, in both ring formats. Arguments: the sockets.
"""
import os
import random
import struct
import sys
import threading
import time

from blk_driver import AREAS, BlkDriver, FIRST, S_OK, T_FLUSH, T_IN, T_OUT
from blk_vhost_user import VhostUser

BLOCK = 4096
SECONDS = 3
SECTORS = 8  # of a block


class IdleDriver(BlkDriver):
    """Kicks only if its device asks for that."""

    def __init__(self, path, packed):
        super().__init__(VhostUser(path), packed)
        self.kicks, self.barrier = 0, threading.Lock()

    def kick(self):
        """A lock is a full barrier: the request is visible before the device's wish is read."""
        with self.barrier:
            pass
        flags = AREAS[2] - FIRST + (2 if self.packed else 0)
        if struct.unpack_from("<H", self.memory.map, flags)[0] & 1:
            return
        self.kicks += 1
        super().kick()

    def do(self, *request, **what):
        slot = self.post(*request, **what)
        if self.finish(slot) != S_OK:
            sys.exit("a request failed")
        return slot


def run(path, packed):
    driver, number = IdleDriver(path, packed), 0
    driver.connect()
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        block, data = random.randrange(256), os.urandom(BLOCK)
        driver.do(T_OUT, block * SECTORS, data)
        if number % 8 == 0:
            driver.do(T_FLUSH, 0)
        time.sleep(random.choice((0, 0.00001, 0.00005, 0.001, 0.02)))
        slot = driver.do(T_IN, block * SECTORS, size=BLOCK)
        if driver.data(slot, BLOCK) != data:
            sys.exit(f"block {block} was not read as it was written")
        number += 1
    driver.close()
    if not driver.kicks:
        sys.exit("the device never asked for a kick")
    print(f"-- {'packed' if packed else 'split'}: {number} blocks, {driver.kicks} kicks")


def main():
    drivers = [IdleDriver(path, i % 2 == 1) for i, path in enumerate(sys.argv[1:])]
    for driver in drivers:
        driver.connect()
        driver.do(T_IN, 0, size=BLOCK)
    print("-- connected", flush=True)
    sys.stdin.read()
    drivers[0].close()
    for packed in (False, True):
        run(sys.argv[1], packed)
    for driver in drivers[1:]:
        driver.close()


if __name__ == "__main__":
    main()
