#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
"""
A driver whose device is killed and started again with other arguments. Arguments: the ring format
and features of the driver ("split" or "packed", ",in-order"), the socket, the device's arguments
before and after, and a command line that serves the device.
"""
import struct
import sys
import time

import vhost_user
from blk_driver import BlkDriver, SLOTS, T_FLUSH, T_IN, T_OUT
from blk_kill import Server
from blk_vhost_user import VhostUser

BLOCK = 4096
P_MQ = 1
QUEUES_AT = 34  # of the configuration space: num_queues


def block(i):
    return bytes([i + 1]) * BLOCK


def queues(driver):
    """Both ways in which a client learns of them."""
    nb, = struct.unpack("<H", driver.link.config(QUEUES_AT, 2))
    if struct.unpack("<Q", driver.link.client.ask(vhost_user.GET_QUEUE_NUM))[0] != nb:
        sys.exit(f"{nb} queues in the configuration space, and others in GET_QUEUE_NUM")
    return nb


def have_in_flight(driver):
    """One request finishes, and the others were taken before that but are not finished."""
    for _ in range(50):
        driver.post(T_OUT, 0, block(0))
        # Most of the delay of a request.
        time.sleep(0.3)
        for i in range(1, SLOTS):
            driver.post(T_OUT, 8 * i, block(i))
        # The poll that finishes the first one takes what is there before.
        if not driver.ring.used():
            while driver.take() is None:
                pass
            return
        driver.wait()
    sys.exit("the machine is too slow for this test")


def main():
    kind, path, before, after, command = *sys.argv[1:5], sys.argv[5:]
    driver = BlkDriver(VhostUser(path), kind.startswith("packed"), kind.endswith(",in-order"))
    server = Server([*command, before])
    server.start()
    try:
        driver.connect()
        had = queues(driver)
        have_in_flight(driver)
        server.kill()
        driver.disconnect()
        while driver.take() is not None:
            pass
        if len(driver.free) == SLOTS:
            sys.exit("nothing was in flight")
        print(f"{SLOTS - len(driver.free)} requests were out", flush=True)
        server.command = [*command, after]
        server.start()
        driver.connect()
        if queues(driver) != had:
            sys.exit(f"{queues(driver)} queues, and not {had}")
        driver.wait()
        slots = [driver.post(T_IN, 8 * i, size=BLOCK) for i in range(SLOTS)]
        driver.wait()
        for i, slot in enumerate(slots):
            if driver.data(slot, BLOCK) != block(i):
                sys.exit(f"block {i} is another")
        driver.post(T_FLUSH, 0)
        driver.wait()
    finally:
        driver.close()
        code = server.stop()
    if code != 0:
        sys.exit(f"the process ended with {code}")


if __name__ == "__main__":
    main()
