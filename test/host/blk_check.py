#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
"""
Every request type of a disk, checked against a copy of the disk's expected content: for each ring
format, out of order and in order. Arguments: the socket, the file of the disk, which has at least
1 MiB, and the disk's serial number. test/vm/blk_vdpa.py does the same over vhost-vdpa.
"""
import random
import struct
import sys

from blk_driver import (BlkDriver, F_DISCARD, F_FLUSH, F_WRITE_ZEROES, S_IOERR, S_UNSUPP, SLOTS,
                        T_DISCARD, T_FLUSH, T_GET_ID, T_IN, T_OUT, T_WRITE_ZEROES)
from blk_vhost_user import VhostUser

SECTOR = 512
SECTORS = 2048  # of them that are used
LARGEST = 8     # sectors of a request
UNMAP = 1


class Check:
    """A disk through its driver, and the copy."""

    def __init__(self, driver, image):
        self.driver, self.image = driver, image
        with open(image, "rb") as file:
            self.copy = bytearray(file.read(SECTORS * SECTOR))
        self.random = random.Random(1)

    def places(self, nb):
        """Sectors of nb requests, no two of which meet."""
        for place in self.random.sample(range(SECTORS // LARGEST), nb):
            size = self.random.randint(1, LARGEST)
            yield LARGEST * place + self.random.randint(0, LARGEST - size), size

    def put(self, sector, data):
        self.copy[SECTOR * sector:SECTOR * sector + len(data)] = data

    def reads(self):
        asked = []
        for sector, size in self.places(SLOTS):
            slot = self.driver.post(T_IN, sector, size=SECTOR * size)
            asked.append((slot, SECTOR * sector, SECTOR * size))
        self.driver.wait()
        for slot, at, size in asked:
            if self.driver.data(slot, size) != self.copy[at:at + size]:
                raise ValueError(f"byte {at}: {size} bytes are not what was written")

    def writes(self):
        for sector, size in self.places(SLOTS):
            data = self.random.randbytes(SECTOR * size)
            self.driver.post(T_OUT, sector, data)
            self.put(sector, data)
        self.driver.wait()

    def ranges(self, kind, flags):
        """Requests of two ranges each; what they leave reads as zeroes, of a file at least."""
        places = list(self.places(2 * SLOTS))
        for pair in zip(places[::2], places[1::2]):
            self.driver.post(kind, 0, b"".join(struct.pack("<QII", *place, flags)
                                               for place in pair))
            for sector, size in pair:
                self.put(sector, bytes(SECTOR * size))
        self.driver.wait()

    def flush(self):
        """What was written is in the file then."""
        self.driver.post(T_FLUSH, 0)
        self.driver.wait()
        with open(self.image, "rb") as file:
            if file.read(len(self.copy)) != self.copy:
                raise ValueError(f"{self.image} is not what was written")

    def identify(self, serial):
        slot = self.driver.post(T_GET_ID, 0, size=20)
        self.driver.wait()
        if self.driver.data(slot, 20) != serial.encode().ljust(20, b"\0"):
            raise ValueError(f"the serial number is {self.driver.data(slot, 20)}")

    def refused(self):
        """What is wrong is answered so, and all else goes on."""
        (capacity,) = struct.unpack("<Q", self.driver.link.config(0, 8))
        for want, request in ((S_IOERR, (T_OUT, capacity, bytes(SECTOR))),
                              (S_IOERR, (T_OUT, 0, bytes(SECTOR - 1))),
                              (S_UNSUPP, (77, 0)),
                              (S_UNSUPP, (T_DISCARD, 0, struct.pack("<QII", 0, 8, UNMAP)))):
            got = self.driver.status(*request)
            if got != want:
                raise ValueError(f"request {request[:2]}: status {got}, not {want}")

    def all(self, serial, rounds=20):
        self.identify(serial)
        for _ in range(rounds):
            self.writes()
            self.reads()
            self.ranges(T_WRITE_ZEROES, self.random.choice((0, UNMAP)))
            self.ranges(T_DISCARD, 0)
            self.refused()
            self.reads()
        self.flush()


def every_ring(link, path, image, serial):
    """link: the class that reaches the device at path."""
    for packed in (False, True):
        for in_order in (False, True):
            driver = BlkDriver(link(path), packed, in_order, F_FLUSH | F_DISCARD | F_WRITE_ZEROES)
            driver.connect()
            Check(driver, image).all(serial)
            driver.close()
            print(f"{'packed' if packed else 'split'}{', in order' if in_order else ''}: ok",
                  flush=True)


if __name__ == "__main__":
    every_ring(VhostUser, *sys.argv[1:4])
