#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
"""
Reads a disk of examples/pattern: every 8 bytes hold their offset. It is read-only and has the size
that was asked for. Arguments: the socket, and the bytes of the disk.
"""
import struct
import sys

from blk_driver import BlkDriver, T_IN
from blk_vhost_user import VhostUser

SECTOR = 512
F_RO = 1 << 5


def check(path, size, packed):
    driver = BlkDriver(VhostUser(path), packed, features=F_RO)
    driver.connect()
    (sectors,) = struct.unpack("<Q", driver.link.config(0, 8))
    if sectors * SECTOR != size:
        raise ValueError(f"{sectors} sectors")
    read = 0
    for sector in list(range(0, 64)) + [sectors // 2, sectors - 8]:
        slot = driver.post(T_IN, sector, size=8 * SECTOR)
        driver.wait()
        data = driver.data(slot, 8 * SECTOR)
        want = range(sector * SECTOR, (sector + 8) * SECTOR, 8)
        if list(struct.unpack(f"={len(data) // 8}Q", data)) != list(want):
            raise ValueError(f"sector {sector} reads as {data[:32].hex()}")
        read += len(data)
    print(f"{'packed' if packed else 'split'}: {read} bytes as they must be")
    driver.link.client.sock.close()


def main():
    for packed in (False, True):
        check(sys.argv[1], int(sys.argv[2]), packed)


if __name__ == "__main__":
    main()
