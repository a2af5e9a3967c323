#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
"""
Some reads and writes of a disk whose backend may stop for any time. Arguments: the socket, the
number of reads and of writes, and the expected status of all of them, default 0.
"""
import sys
import time

from blk_driver import BlkDriver, T_IN, T_OUT
from blk_vhost_user import VhostUser

BLOCK = 4096


def main():
    path, number, want = sys.argv[1], int(sys.argv[2]), int((sys.argv + ["0"])[3])
    driver = BlkDriver(VhostUser(path), packed=True)
    driver.connect()
    for i in range(number):
        driver.post(T_IN, 16 * i, size=BLOCK)
        driver.post(T_OUT, 16 * i + 8, bytes(BLOCK))
    for _ in range(2 * number):
        while (taken := driver.take()) is None:
            time.sleep(0.01)
        if taken[1] != want:
            sys.exit(f"slot {taken[0]}: status {taken[1]}")
    driver.close()


if __name__ == "__main__":
    main()
