#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
"""
A driver that ignores size_max: requests with one descriptor of 32 MiB, in a chain and in an
indirect table, for both ring formats. The data has an odd address and crosses two regions within
a sector. Each request is done or answered with an error, and the device continues. Arguments: the
socket, and the file of the disk if it has one. The disk has at least 72 MiB.
"""
import random
import struct
import sys

from blk_driver import BlkDriver, F_FLUSH, FIRST, S_IOERR, SLOTS, T_FLUSH, T_IN, T_OUT
from blk_vhost_user import VhostUser
from vhost_user import Memory

SECTOR = 512
LARGE = 32 << 20
ODD = 0x11
SPLIT = 13 << 20       # bytes of the first region
ROOM = LARGE + 0x1000
AT = FIRST + (1 << 30)  # in the driver's addresses
PATIENCE = 100          # seconds, on a machine that is busy


class Large:
    """A driver with room for one large request, and what is on the disk."""

    def __init__(self, driver, image):
        self.driver, self.image = driver, image
        self.memory = Memory(ROOM, AT, "large")
        self.random = random.Random(1)
        self.kinds = set()
        regions = [driver.memory.region(), self.memory.region(AT, SPLIT),
                   self.memory.region(AT + SPLIT, ROOM - SPLIT, SPLIT)]
        driver.link.client.table(regions, [driver.memory.fd, self.memory.fd, self.memory.fd])

    def post(self, kind, sector):
        slot = self.driver.post_at(kind, sector, AT + ODD, LARGE, kind == T_OUT)
        self.kinds.add((kind, slot % 2))

    def put(self, data):
        self.memory.map[ODD:ODD + LARGE] = data

    def check(self, data, what):
        got = self.memory.map[ODD:ODD + LARGE]
        if got != data:
            at = next(i for i in range(LARGE) if got[i] != data[i])
            sys.exit(f"{what}: byte {at} is {got[at]:#x}, not {data[at]:#x}")
        if any(self.memory.map[:ODD]) or any(self.memory.map[ODD + LARGE:]):
            sys.exit(f"{what}: bytes beside the data were written")

    def exchange(self, sector):
        """Writes and reads; a small request after that has the next ones take the other form."""
        data = self.random.randbytes(LARGE)
        self.put(data)
        self.post(T_OUT, sector)
        self.driver.wait(PATIENCE)
        self.put(bytes(LARGE))
        self.post(T_IN, sector)
        self.driver.wait(PATIENCE)
        self.check(data, "read")
        self.driver.post(T_FLUSH, 0)
        self.driver.wait(PATIENCE)
        if self.image is not None:
            with open(self.image, "rb") as file:
                file.seek(SECTOR * sector)
                if file.read(LARGE) != data:
                    sys.exit(f"{self.image} is not what was written")
        return data

    def small(self, data, sector):
        """Small requests beside large ones."""
        self.put(bytes(LARGE))
        asked = []
        for i in range(SLOTS):
            if i % 5 == 0:
                self.post(T_IN, sector)
            else:
                asked.append((self.driver.post(T_IN, sector + i, size=SECTOR), SECTOR * i))
        self.driver.wait(PATIENCE)
        for slot, at in asked:
            if self.driver.data(slot, SECTOR) != data[at:at + SECTOR]:
                sys.exit(f"slot {slot} of {SECTOR} bytes has other data")
        self.check(data, "read beside small ones")

    def refused(self, capacity):
        """Beyond the end of the disk, by a sector."""
        self.put(bytes(LARGE))
        for kind in (T_OUT, T_IN):
            for _ in range(2):
                status = self.driver.status_at(kind, capacity - LARGE // SECTOR + 1, AT + ODD,
                                               LARGE, kind == T_OUT)
                if status != S_IOERR:
                    sys.exit(f"request beyond the end: status {status}")
        self.check(bytes(LARGE), "beyond the end")

    def run(self):
        capacity, size_max = struct.unpack("<QI", self.driver.link.config(0, 12))
        if not 0 < size_max < LARGE:
            sys.exit(f"size_max {size_max}: nothing is tried")
        for sector in (3, capacity - LARGE // SECTOR):
            data = self.exchange(sector)
        self.refused(capacity)
        self.small(data, sector)
        if self.kinds != {(kind, form) for kind in (T_IN, T_OUT) for form in (0, 1)}:
            sys.exit(f"not every form was tried: {self.kinds}")
        self.memory.close()


def main():
    path, image = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else None
    for packed in (False, True):
        driver = BlkDriver(VhostUser(path), packed, features=F_FLUSH)
        driver.connect()
        Large(driver, image).run()
        driver.close()
        print(f"{'packed' if packed else 'split'}: ok", flush=True)


if __name__ == "__main__":
    main()
