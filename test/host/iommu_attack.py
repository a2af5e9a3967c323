# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
"""Front ends of a driver behind an IOMMU, hostile or unlucky, at the socket of a disk with iommu=1.

Attacks for socket_attack.py, which calls them by name.
"""
import ctypes
import os
import socket
import struct
import sys
import time

import vhost_user as vu
from vhost_user import Client, Dropped, Memory

PATH, LOG = sys.argv[2], sys.argv[4]
F_ACCESS_PLATFORM = 1 << 33
MISS, UPDATE, INVALIDATE, ACCESS_FAIL = 1, 2, 3, 4
READ, WRITE, BOTH = 1, 2, 3
SET_STATUS = 39
PAGE = 4096
RING = 0x100000           # guest physical address of the ring's page, the first one of memory
RING_AT = vu.USER + RING  # the driver's address of it
BUFFERS = 0xFFFF00000000  # the driver's address of what requests use
STATUS, HEAD, DATA = 0xC00, 0xD00, 0x4000
TRANSLATIONS = 4096       # that the device keeps


def fail(why):
    sys.exit(f"FAIL: {sys.argv[1]}: {why}")


def said(text):
    with open(LOG, encoding="utf-8", errors="replace") as log:
        return sum(text in line for line in log)


def until(condition, what, seconds=30):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            fail(what)
        time.sleep(0.01)


class Driver:
    """A driver with one ring, which it does not map unless told to."""

    def __init__(self, features=vu.F_VERSION_1 | F_ACCESS_PLATFORM):
        self.client, self.memory, self.posted = Client(PATH), Memory(1 << 20, RING), 0
        self.client.sock.settimeout(30)
        self.client.negotiate(features)
        self.channel, there = socket.socketpair()
        self.channel.settimeout(30)
        self.client.ack(vu.SET_BACKEND_CHANNEL, b"", [there.fileno()])
        there.close()
        self.table()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.client.__exit__()
        self.channel.close()
        self.memory.close()

    def table(self):
        self.client.table([self.memory.region()], [self.memory.fd])

    def say(self, kind, iova, page=0, perm=BOTH, flags=0):
        """About one page of memory."""
        self.client.send(vu.IOTLB_MSG, struct.pack("<3Q2B6x", iova, PAGE, RING_AT + page * PAGE,
                                                   perm, kind), flags=flags)

    def tell(self, *args, **how):
        self.say(*args, flags=vu.NEED_REPLY, **how)
        (refused,) = struct.unpack("<Q", self.client.receive())
        if refused:
            fail("a translation is refused")

    def read(self, size):
        data = b""
        while len(data) < size:
            data += self.channel.recv(size - len(data)) or fail("the channel is closed")
        return data

    def asked(self):
        """What the device asks for, or gives up: kind, address and permission."""
        size = 0
        # That the configuration space changed has no payload.
        while size == 0:
            size = struct.unpack("<3I", self.read(12))[2]
        iova, _, _, perm, kind = struct.unpack_from("<3Q2B", self.read(size))
        return kind, iova, perm

    def go(self):
        self.client.vring(0, RING)
        self.tell(UPDATE, RING_AT)

    def post(self, data=RING_AT + DATA, size=512):
        """A read of the first sector. The ring's page holds its head and status."""
        struct.pack_into("<IIQ", self.memory.map, HEAD, 0, 0, 0)
        for i, part in enumerate(((RING_AT + HEAD, 16, 1, 1), (data, size, 3, 2),
                                  (RING_AT + STATUS, 1, 2, 0))):
            struct.pack_into("<QIHH", self.memory.map, 16 * i, *part)
        struct.pack_into("<H", self.memory.map, 0x404 + 2 * (self.posted % vu.RING), 0)
        self.posted += 1
        index = ctypes.c_uint16.from_buffer(self.memory.map, 0x402)
        index.value = self.posted
        del index
        self.client.kick(0)

    def used(self):
        return struct.unpack_from("<H", self.memory.map, 0x802)[0]

    def request(self, data=RING_AT + DATA):
        self.post(data)
        until(lambda: self.used() == self.posted, "a request is not served")


def iommu_updates():
    """More translations than the device keeps, then one page mapped and unmapped without end."""
    with Driver() as driver:
        driver.go()
        for i in range(TRANSLATIONS + 200):
            driver.say(UPDATE, BUFFERS + 2 * i * PAGE, page=i % 64)
        nb, end = 0, time.monotonic() + 3
        while time.monotonic() < end:
            driver.say(UPDATE, BUFFERS, page=nb % 64)
            driver.say(INVALIDATE, BUFFERS)
            nb += 2
        driver.tell(UPDATE, BUFFERS)
        print(f"iommu_updates: {nb} changes", flush=True)
        # The ring may be what was dropped.
        driver.tell(UPDATE, RING_AT)
        driver.request(BUFFERS)


def iommu_aliases():
    """The disk's data goes to a page that is the ring itself, by another address."""
    with Driver() as driver:
        driver.go()
        for i in range(16):
            driver.tell(UPDATE, BUFFERS + i * PAGE)
        for i in range(8):
            driver.post(BUFFERS + 2 * i * PAGE)
            time.sleep(0.05)
        driver.post(BUFFERS + 0x400)
        time.sleep(0.2)


def iommu_read_only():
    """The used ring may not be written: the device asks and gives up, and says so once."""
    before = said("IOMMU does not map the address")
    with Driver() as driver:
        driver.client.vring(0, RING)
        if driver.asked() != (MISS, RING_AT, READ):
            fail("the ring is not asked for")
        driver.tell(UPDATE, RING_AT, perm=READ)
        asked = []
        while not asked or asked[-1][0] == MISS:
            asked.append(driver.asked())
            driver.tell(UPDATE, RING_AT, perm=READ)
        if asked[-1] != (ACCESS_FAIL, RING_AT + 0x800, WRITE) or len(asked) > 6:
            fail(f"asked for {asked}")
        until(lambda: said("IOMMU does not map the address") == before + 1, "not said once")


def iommu_unanswered():
    """Nobody reads the channel: its virtqueue stops. Then it is closed; and all ends of waiting."""
    before = said("IOMMU does not map the address")
    with Driver() as driver:
        driver.go()
        driver.post(BUFFERS)
        until(lambda: said("IOMMU does not map the address") == before + 1, "it does not stop")
        if driver.used() != 0:
            fail("used without an address")
    for how in range(3):
        with Driver() as driver:
            driver.channel.close()
            driver.go()
            driver.post(BUFFERS)
            time.sleep(0.05)
            if how == 0:
                if driver.client.base(0) not in (0, 1):
                    fail("it stopped elsewhere")
                driver.go()
                driver.tell(UPDATE, BUFFERS)
                until(lambda driver=driver: driver.used() == 1, "not served again")
            elif how == 1:
                driver.client.ack(SET_STATUS, struct.pack("<Q", 0))
    if said("IOMMU does not map the address") != before + 1:
        fail("said more than once")


def iommu_truncated():
    """The memory below the translations goes: the virtqueue stops."""
    before = said("took away memory in use")
    with Driver() as driver:
        driver.go()
        driver.tell(UPDATE, BUFFERS, page=64)
        driver.request(BUFFERS)
        os.ftruncate(driver.memory.fd, 64 * PAGE)
        driver.post(BUFFERS)
        until(lambda: said("took away memory in use") == before + 1, "it does not stop")
        driver.tell(UPDATE, BUFFERS, page=3)
        driver.tell(INVALIDATE, BUFFERS)


def iommu_memory():
    """Memory comes and goes below translations while the ring runs."""
    with Driver() as driver:
        other = Memory(1 << 20, 1 << 30)
        driver.go()
        nb, end = 0, time.monotonic() + 2
        while time.monotonic() < end:
            driver.client.add_region(other.region(), [other.fd])
            driver.client.ack(vu.IOTLB_MSG, struct.pack("<3Q2B6x", BUFFERS, PAGE,
                                                        vu.USER + other.first, BOTH, UPDATE))
            driver.request(BUFFERS)
            if nb % 2 == 0:
                driver.client.remove_region(other.region())
            else:
                driver.table()
            driver.tell(UPDATE, RING_AT)
            nb += 1
        print(f"iommu_memory: {nb} regions came and went", flush=True)
        other.close()


def iommu_toggles():
    """The feature comes and goes with each start of the ring, but not while it runs."""
    with Driver() as driver:
        nb, end = 0, time.monotonic() + 2
        while time.monotonic() < end:
            driver.posted = 0
            driver.memory.map[0:PAGE] = bytes(PAGE)
            feature = F_ACCESS_PLATFORM if nb % 2 == 0 else 0
            driver.client.ack(vu.SET_FEATURES, struct.pack(
                "<Q", vu.F_VERSION_1 | vu.F_PROTOCOL_FEATURES | feature))
            driver.client.vring(0, RING)
            if feature:
                driver.tell(UPDATE, RING_AT)
                driver.tell(UPDATE, BUFFERS, page=3)
                driver.request(BUFFERS)
            driver.client.base(0)
            for fd in driver.client.fds:
                os.close(fd)
            driver.client.fds.clear()
            nb += 1
        print(f"iommu_toggles: {nb} times", flush=True)
    with Driver() as driver:
        driver.go()
        driver.tell(INVALIDATE, RING_AT)
        try:
            driver.client.ack(vu.SET_FEATURES, struct.pack("<Q", vu.F_VERSION_1 |
                                                           vu.F_PROTOCOL_FEATURES))
            fail("features change while a ring runs")
        except Dropped:
            pass


def iommu_in_flight():
    """An invalidation is answered once no request in flight uses the page."""
    with Driver() as driver:
        driver.go()
        proven = 0
        for _ in range(20):
            driver.tell(UPDATE, BUFFERS, page=3)
            driver.memory.map[3 * PAGE:3 * PAGE + 512] = b"\xff" * 512
            driver.post(BUFFERS)
            # The backend takes half a second; it has the request by then, unless the machine is slow.
            time.sleep(0.1)
            begin = time.monotonic()
            driver.tell(INVALIDATE, BUFFERS)
            if driver.used() == driver.posted:
                proven += time.monotonic() - begin > 0.05
                if driver.memory.map[3 * PAGE:3 * PAGE + 512] != bytes(512):
                    fail("used before the data is there")
            else:
                # It was not taken yet: it asks for the page.
                while driver.asked()[:2] != (MISS, BUFFERS):
                    pass
                driver.tell(UPDATE, BUFFERS, page=3)
                until(lambda: driver.used() == driver.posted, "a request is not served")
                driver.tell(INVALIDATE, BUFFERS)
            if proven == 3:
                return
        fail("no request was in flight: too slow a machine")
