#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
"""
A driver without event indices that has one request in flight at a time and sleeps until it is
called: after a lost call nothing would happen any more. Arguments: the socket, and the time for
each kind of ring in seconds.
"""
import os
import select
import sys
import time

from blk_driver import BlkDriver, FIRST, S_OK, SIZE, T_IN, T_OUT
from blk_vhost_user import VhostUser

PATIENCE = 10
BLOCK = 4096


class Link(VhostUser):
    """Hands over a call descriptor of its own, to sleep at."""

    def __init__(self, path):
        super().__init__(path)
        self.call = os.eventfd(0, os.EFD_NONBLOCK)

    def start(self, driver):
        self.client.vring(0, FIRST, call=self.call, size=SIZE, start=driver.ring.base())

    def close(self):
        super().close()
        os.close(self.call)


def sleep_until_taken(driver, name, number):
    """Looks at the ring before it sleeps and whenever it is called, and at no other time."""
    while True:
        taken = driver.take()
        if taken is not None:
            return taken
        if not select.select([driver.link.call], [], [], PATIENCE)[0]:
            sys.exit(f"{name}: request {number} is not followed by a call")
        os.eventfd_read(driver.link.call)


def run(path, seconds, packed, in_order):
    name = f"{'packed' if packed else 'split'}{', in order' if in_order else ''}"
    driver = BlkDriver(Link(path), packed, in_order)
    number, end = 0, time.monotonic() + seconds
    driver.connect()
    try:
        while time.monotonic() < end:
            if number % 2:
                driver.post(T_OUT, 0, bytes(BLOCK))
            else:
                driver.post(T_IN, 0, size=BLOCK)
            status = sleep_until_taken(driver, name, number)[1]
            if status != S_OK:
                sys.exit(f"{name}: request {number}: status {status}")
            number += 1
    finally:
        driver.close()
    print(f"-- {name}: {number} requests, each called for")


def main():
    path, seconds = sys.argv[1], float(sys.argv[2])
    for packed in (False, True):
        for in_order in (False, True):
            run(path, seconds, packed, in_order)


if __name__ == "__main__":
    main()
