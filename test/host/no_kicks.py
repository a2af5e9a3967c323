#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
"""
Frames through a device that sends them back, from a driver that takes its kick descriptors away
before it sends the first one. Arguments: the socket and the number of frames.
"""
import struct
import sys

from net_driver import NetDriver
from vhost_user import SET_VRING_KICK, VRING_NO_FD


def main():
    with NetDriver(sys.argv[1], 0, 1, int(sys.argv[2])) as driver:
        driver.connect()
        for index in range(2):
            driver.client.ack(SET_VRING_KICK, struct.pack("<Q", index | VRING_NO_FD))
        try:
            print(f"-- {driver.exchange()} bytes")
        except ValueError as error:
            sys.exit(f"FAIL: {error}")


if __name__ == "__main__":
    main()
