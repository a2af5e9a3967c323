#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
"""
Sends frames all the time through a device that sends them back, and connects again whenever the
process that has the connection is killed. Each frame that comes back is compared.
Arguments: the socket, packed or split, a file whose existence ends it, and a file where the number of
frames that came back is written.
"""
import os
import select
import socket
import sys
import time

import net_handover
from net_driver import NetDriver
from net_ring import F_RING_PACKED
from vhost_user import Dropped

net_handover.QUIET = 5  # one that is late would be taken for one that nobody sent


class Progress:
    def __init__(self, path):
        self.path, self.total, self.connections = path, 0, 0
        self.at = 0.0

    def tell(self, received):
        if time.monotonic() < self.at:
            return
        self.at = time.monotonic() + 0.1
        with open(self.path + ".new", "w", encoding="ascii") as file:
            file.write(f"{self.total + received}\n")
        os.rename(self.path + ".new", self.path)


def hung_up(client):
    if not select.select([client.sock], [], [], 0)[0]:
        return False
    try:
        return client.sock.recv(1, socket.MSG_PEEK) == b""
    except ConnectionResetError:
        return True


def connection(driver, until, progress):
    """Until the process is gone, or all is over."""
    driver.connect()
    progress.connections += 1
    load = net_handover.Load(driver)
    try:
        while not os.path.exists(until) and not hung_up(driver.client):
            load.step()
            progress.tell(load.pair.received - load.lost)
    finally:
        progress.total += load.pair.received - load.lost


def main():
    path, ring, until, told = sys.argv[1:5]
    progress = Progress(told)
    while not os.path.exists(until):
        try:
            with NetDriver(path, F_RING_PACKED if ring == "packed" else 0, 1,
                           net_handover.MANY) as driver:
                connection(driver, until, progress)
        except (OSError, Dropped):
            time.sleep(0.05)
    print(f"-- {progress.total} frames, {progress.connections} connections")


if __name__ == "__main__":
    main()
