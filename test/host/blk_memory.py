#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
"""
A driver whose memory is added, removed and moved, and whose queue stops, while requests are in
flight. The device finishes the requests before it answers, and does not write into memory after
that. Arguments: split or packed, the socket, and the time in ms after which the slowest request
is done.
"""
import sys
import time

import vhost_user
from blk_driver import BlkDriver, FIRST, RINGS, ROOM, SIZE, SLOTS, T_IN, T_OUT
from blk_vhost_user import VhostUser

BLOCK = 4096
MARK = 0x55


def block(i):
    return bytes([i + 1]) * BLOCK


class Memory:
    """Regions: the rings, and the rooms of the requests. Others are plugged beside them."""

    def __init__(self, driver):
        self.driver, self.memory = driver, driver.memory
        self.rings = self.memory.region(FIRST, RINGS)
        self.rooms = self.memory.region(FIRST + RINGS, SLOTS * ROOM, RINGS)
        self.other = vhost_user.Memory(1 << 20, FIRST + (1 << 30), "plugged")

    def set(self, *regions):
        fds = [self.other.fd if r is self.other else self.memory.fd for r in regions]
        self.driver.link.client.table([r.region() if r is self.other else r for r in regions], fds)


class Row:
    """Reads in flight, an act that ends what the device may do to their memory, and a look."""

    def __init__(self, driver, slowest):
        self.driver, self.slowest = driver, slowest

    def read_all(self):
        return [self.driver.post(T_IN, 8 * i, size=BLOCK) for i in range(SLOTS)]

    def wait_taken(self, what):
        """The device has the requests when the first is done, for it takes all that it sees."""
        end = time.monotonic() + 10
        while self.driver.take() is None:
            if time.monotonic() > end:
                sys.exit(f"{what}: no request is done")
        if len(self.driver.free) > SLOTS // 2:
            sys.exit(f"{what}: hardly anything is in flight")

    def finished(self, slots, what):
        """All of them were used before the answer, each with its data."""
        late = SLOTS - len(self.driver.free)
        while late and (taken := self.driver.take()) is not None:
            if taken[1] != 0:
                sys.exit(f"{what}: slot {taken[0]}: status {taken[1]}")
            late -= 1
        if late:
            sys.exit(f"{what}: {late} of {SLOTS} requests were in flight after the answer")
        for i, slot in enumerate(slots):
            if self.driver.data(slot, BLOCK) != block(i):
                sys.exit(f"{what}: slot {slot} has other data")

    def untouched(self, what):
        """The rooms are the driver's own now: fills them, and nobody else writes there."""
        rooms = slice(RINGS, RINGS + SLOTS * ROOM)
        marked = bytes([MARK]) * (SLOTS * ROOM)
        self.driver.memory.map[rooms] = marked
        time.sleep(self.slowest)
        if self.driver.memory.map[rooms] != marked:
            sys.exit(f"{what}: the device wrote into memory after its answer")

    def run(self, what, act, after=lambda: None):
        slots = self.read_all()
        self.wait_taken(what)
        begin = time.monotonic()
        act()
        took = time.monotonic() - begin
        self.finished(slots, what)
        self.untouched(what)
        after()
        slots = self.read_all()
        self.driver.wait()
        for i, slot in enumerate(slots):
            if self.driver.data(slot, BLOCK) != block(i):
                sys.exit(f"{what}: slot {slot} has other data afterwards")
        print(f"{what}: answered after {took * 1000:.0f} ms, {SLOTS} reads done")


def main():
    packed, path, slowest = sys.argv[1] == "packed", sys.argv[2], int(sys.argv[3]) / 1000
    driver = BlkDriver(VhostUser(path), packed)
    driver.connect()
    client, memory, row = driver.link.client, Memory(driver), Row(driver, slowest)
    memory.set(memory.rings, memory.rooms)
    for i in range(SLOTS):
        driver.post(T_OUT, 8 * i, block(i))
    driver.wait()
    row.run("SET_MEM_TABLE, a region more",
            lambda: memory.set(memory.rings, memory.rooms, memory.other))
    row.run("SET_MEM_TABLE, the regions in another order",
            lambda: memory.set(memory.other, memory.rooms, memory.rings))
    row.run("SET_MEM_TABLE, the rooms gone", lambda: memory.set(memory.rings),
            lambda: memory.set(memory.rings, memory.rooms))
    row.run("ADD_MEM_REG", lambda: client.add_region(memory.other.region(), [memory.other.fd]))
    row.run("REM_MEM_REG of another", lambda: client.remove_region(memory.other.region()))
    row.run("REM_MEM_REG of the rooms", lambda: client.remove_region(memory.rooms),
            lambda: client.add_region(memory.rooms, [driver.memory.fd]))
    stopped = []
    row.run("GET_VRING_BASE", lambda: stopped.append(client.base(0)),
            lambda: client.vring(0, FIRST, size=SIZE, start=stopped[0]))
    memory.other.close()
    driver.close()


if __name__ == "__main__":
    main()
