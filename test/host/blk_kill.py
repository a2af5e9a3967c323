#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
"""
Drives a disk while its process is killed and started again, ROUNDS times. Arguments: split or
packed, the socket, the file of the disk, and a command line that serves it. With "--stop leave" in
it, the process is ended by SIGTERM.
"""
import os
import random
import signal
import struct
import subprocess
import sys
import time

import vhost_user
from blk_driver import BlkDriver, SLOTS, T_FLUSH, T_IN, T_OUT
from blk_vhost_user import VhostUser

ROUNDS = 3
WCE = 32  # of the configuration space: the write cache is on
BLOCK = 4096
BLOCKS = 256


class Server:
    """The process behind the disk, one after the other; the last one ends with us."""

    def __init__(self, command):
        self.command, self.process = command, None

    def start(self):
        self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL)

    def kill(self):
        if "leave" in self.command:
            if self.stop() != 0:
                raise ValueError(f"left with {self.process.returncode}")
            return
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        self.process.terminate()
        self.process.wait()
        return self.process.returncode


class Disk:
    """What must be on it: each block holds a number of its own."""

    def __init__(self, driver):
        self.driver, self.number, self.expected = driver, 0, {}
        self.random = random.Random(1)

    def write_some(self, nb):
        """Blocks that no other request in flight writes."""
        for block in self.random.sample(range(BLOCKS), nb):
            self.number += 1
            self.expected[block] = self.number
            self.driver.post(T_OUT, 8 * block, self.number.to_bytes(8, "little") * (BLOCK // 8))

    def check(self):
        blocks = list(self.expected.items())
        while blocks:
            some, blocks = blocks[:SLOTS], blocks[SLOTS:]
            slots = [self.driver.post(T_IN, 8 * block, size=BLOCK) for block, _ in some]
            self.driver.wait()
            for slot, (block, number) in zip(slots, some):
                if self.driver.data(slot, BLOCK) != number.to_bytes(8, "little") * (BLOCK // 8):
                    raise ValueError(f"block {block} does not hold {number}")


def killed(driver, disk, server):
    """Kills it when some of what it was given is finished; the next one goes on."""
    disk.write_some(SLOTS)
    while len(driver.free) < SLOTS // 5:
        driver.take()
    server.kill()
    driver.disconnect()
    left = SLOTS - len(driver.free)
    server.start()
    begin = time.monotonic()
    driver.connect()
    if driver.link.config(WCE, 1) != b"\0":
        raise ValueError("the write cache is on again")
    driver.wait()
    print(f"{left} requests were out, finished {(time.monotonic() - begin) * 1000:.0f} ms "
          "after the start")


def refuse_strangers(driver):
    """What did not come from the device is not taken back; the next client is served."""
    reader, writer = os.pipe()
    small = os.memfd_create("small")
    strangers = (([reader], 4096, 0), ([small], 4096, 0), ([driver.memory.fd], 4096, 4096),
                 ([driver.memory.fd], 8192, 0), ([], 4096, 0))
    for fds, size, offset in strangers:
        driver.connect()
        try:
            driver.link.client.ack(vhost_user.SET_INFLIGHT_FD,
                              struct.pack("<QQHHI", size, offset, 1, 64, 0), fds)
        except (ValueError, vhost_user.Dropped):
            driver.disconnect()
            continue
        sys.exit(f"{size} bytes at {offset} of {fds} were taken")
    for fd in (reader, writer, small):
        os.close(fd)


def forget(path, packed, server):
    """A driver that goes away with its process leaves nothing to the next one."""
    driver = BlkDriver(VhostUser(path), packed)
    driver.connect()
    Disk(driver).write_some(SLOTS)
    while len(driver.free) < SLOTS // 5:
        driver.take()
    server.kill()
    driver.close()
    server.start()


def main():
    packed, path, image, command = sys.argv[1] == "packed", *sys.argv[2:4], sys.argv[4:]
    server = Server(command)
    server.start()
    driver = BlkDriver(VhostUser(path), packed)
    disk = Disk(driver)
    try:
        forget(path, packed, server)
        refuse_strangers(driver)
        driver.connect()
        if driver.link.config(WCE, 1) != b"\1":
            raise ValueError("the write cache is off")
        driver.link.write_config(WCE, b"\0")
        disk.write_some(SLOTS)
        driver.wait()
        for _ in range(ROUNDS):
            killed(driver, disk, server)
        disk.check()
        driver.post(T_FLUSH, 0)
        driver.wait()
    finally:
        driver.close()
        code = server.stop()
    with open(image, "rb") as file:
        for block, number in disk.expected.items():
            file.seek(block * BLOCK)
            if file.read(8) != number.to_bytes(8, "little"):
                raise ValueError(f"{image}: block {block} does not hold {number}")
    if code != 0:
        sys.exit(f"the process ended with {code}")


if __name__ == "__main__":
    main()
