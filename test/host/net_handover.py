#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
"""
Sends frames all the time through a device that sends them back, while its process is replaced, on one
connection. Each frame that comes back is compared; one that the application had in hand may be lost.
Arguments: the socket, packed or split, a file whose existence ends it, and the longest time in
milliseconds in which nothing may come back.
"""
import os
import struct
import sys
import time

from net_driver import HEADER, SLOTS, NetDriver
from net_ring import F_RING_PACKED

MANY = 1 << 31
QUIET = 2  # seconds after which frames that the device took do not come back


def number(data):
    return struct.unpack_from("<I", data, 16)[0]


class Load:
    def __init__(self, driver):
        self.driver, self.pair = driver, driver.pairs[0]
        self.lost, self.stall, self.last = 0, 0, time.monotonic()
        self.check, self.pair.check = self.pair.check, self.arrived

    def arrived(self, data):
        """Frames before it that have not come are lost."""
        while len(self.pair.out) > 1 and number(self.pair.out[0]) < number(data[HEADER:]):
            self.pair.out.pop(0)
            self.pair.received += 1
            self.lost += 1
        self.check(data)
        now = time.monotonic()
        self.stall, self.last = max(self.stall, now - self.last), now

    def step(self):
        self.driver.poll.poll(1)
        if self.pair.step() or len(self.pair.free) < SLOTS or not self.pair.out:
            return
        if time.monotonic() - self.last > QUIET:
            self.lost += len(self.pair.out)
            self.pair.received += len(self.pair.out)
            self.pair.out.clear()
            self.stall, self.last = max(self.stall, QUIET), time.monotonic()

    def run(self, until):
        while not os.path.exists(until):
            self.step()
            if time.monotonic() - self.last > 30:
                raise ValueError("nothing comes back")
        self.pair.frames = self.pair.sent
        end = time.monotonic() + 20
        while not self.pair.finished():
            self.step()
            if time.monotonic() > end:
                raise ValueError(f"{self.pair.received} of {self.pair.sent} frames came back")


def main():
    path, ring, until, most = sys.argv[1:5]
    with NetDriver(path, F_RING_PACKED if ring == "packed" else 0, 1, MANY) as driver:
        driver.connect()
        load = Load(driver)
        load.run(until)
        print(f"-- {load.pair.sent} frames, {load.lost} lost, longest pause "
              f"{1000 * load.stall:.0f} ms")
        if load.pair.sent < 1000 or 1000 * load.stall > float(most):
            sys.exit("FAIL: too few frames or too long a pause")


if __name__ == "__main__":
    main()
