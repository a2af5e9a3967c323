# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
"""client_rows.py SOCKET net|blk: what vhost-user clients do, right and wrong, with a running device.

After each row the ring is served: a packet is taken or a request is done.
"""
import os
import struct
import sys
import time

import vhost_user as vu
from vhost_user import Client, Memory, Ring

PATH, TYPE = sys.argv[1:3]
INDEX = 1 if TYPE == "net" else 0


def fail(why):
    sys.exit(f"FAIL: {TYPE}: {why}")


class Device:
    """A client with one ring that runs."""

    def __init__(self, protocol=True):
        self.client, self.memory = Client(PATH), Memory(1 << 20)
        self.ring, self.protocol = Ring(self.memory), protocol
        if protocol:
            self.client.negotiate()
            self.client.table([self.memory.region()], [self.memory.fd])
            self.client.vring(INDEX, self.memory.first)
        else:
            self.plain()

    def plain(self):
        """No protocol features: nothing is acknowledged, and rings are enabled at once."""
        client = self.client
        client.send(vu.SET_OWNER)
        client.features()
        client.send(vu.SET_FEATURES, struct.pack("<Q", vu.F_VERSION_1))
        client.send(vu.SET_MEM_TABLE, struct.pack("<II", 1, 0) + self.memory.region(),
                    [self.memory.fd])
        client.send(vu.SET_VRING_NUM, struct.pack("<II", INDEX, vu.RING))
        client.send(vu.SET_VRING_BASE, struct.pack("<II", INDEX, 0))
        first = vu.USER + self.memory.first
        client.send(vu.SET_VRING_ADDR, struct.pack("<2I4Q", INDEX, 0, first, first + 0x800,
                                                   first + 0x400, 0))
        client.send(vu.SET_VRING_CALL, struct.pack("<Q", INDEX), [client.eventfd()])
        client.kicks[INDEX] = client.eventfd()
        client.send(vu.SET_VRING_KICK, struct.pack("<Q", INDEX), [client.kicks[INDEX]])

    def served(self, what):
        """One more buffer: a packet, or a flush request in one readable and one writable part."""
        before = self.ring.used()
        at = self.memory.first + 0x1000
        if TYPE == "net":
            self.ring.offer(at, 100)
        else:
            self.request(at)
        self.client.kick(INDEX)
        end = time.monotonic() + 10
        while self.ring.used() == before:
            if time.monotonic() > end:
                fail(f"{what}: the ring is not served")
            time.sleep(0.001)

    def request(self, at):
        head, status = 2 * (self.ring.nb % 4), 2 * (self.ring.nb % 4) + 1
        struct.pack_into("<IIQ", self.memory.map, 0x1000, 4, 0, 0)
        struct.pack_into("<QIHH", self.memory.map, 16 * head, at, 16, 1, status)
        struct.pack_into("<QIHH", self.memory.map, 16 * status, at + 64, 1, 2, 0)
        struct.pack_into("<H", self.memory.map, 0x404 + 2 * (self.ring.nb % vu.RING), head)
        self.ring.nb += 1
        self.memory.map[0x402:0x404] = struct.pack("<H", self.ring.nb)

    def refused(self, kind, payload, fds=()):
        try:
            self.client.ack(kind, payload, fds)
        except ValueError:
            return
        fail(f"message {kind} is not refused")

    def close(self):
        self.client.__exit__()
        self.memory.close()


def base_of_no_ring(device):
    """A ring that was never set up, and an index beyond all."""
    for index in (0 if TYPE == "net" else 1, 77):
        if device.client.base(index) != 0:
            fail("a ring that is not there has a base")


def reboot(device):
    """GET_VRING_BASE, enabled again before there are addresses, then a ring as ever."""
    device.client.base(INDEX)
    for index in range(2):
        device.client.ack(vu.SET_VRING_ENABLE, struct.pack("<II", index, 1))
    device.client.vring(INDEX, device.memory.first, start=device.ring.used())


def no_descriptors(device):
    """Bit 8: there is no eventfd, and the ring runs without."""
    device.client.base(INDEX)
    no_fd = struct.pack("<Q", INDEX | 0x100)
    device.client.ack(vu.SET_VRING_CALL, no_fd)
    device.client.ack(vu.SET_VRING_NUM, struct.pack("<II", INDEX, vu.RING))
    device.client.ack(vu.SET_VRING_BASE, struct.pack("<II", INDEX, device.ring.used()))
    device.client.addresses(INDEX, device.memory.first)
    device.client.ack(vu.SET_VRING_KICK, no_fd)
    # Long enough for an lcore to fall asleep, which nothing would wake.
    time.sleep(0.05)


def features_again(device):
    features = vu.F_VERSION_1 | vu.F_PROTOCOL_FEATURES
    device.client.ack(vu.SET_FEATURES, struct.pack("<Q", features))


def calls_in_a_loop(device):
    for _ in range(200):
        fd = os.eventfd(0, os.EFD_NONBLOCK)
        device.client.ack(vu.SET_VRING_CALL, struct.pack("<Q", INDEX), [fd])
        os.close(fd)
        device.served("a new call descriptor")
    # The last of them is called.
    fd = device.client.eventfd()
    device.client.ack(vu.SET_VRING_CALL, struct.pack("<Q", INDEX), [fd])
    device.served("a call descriptor")
    end = time.monotonic() + 10
    while True:
        try:
            os.eventfd_read(fd)
            return
        except BlockingIOError:
            if time.monotonic() > end:
                fail("the new descriptor is not called")
            time.sleep(0.001)


def one_slot_more(device):
    """The number of slots that is told is kept; one more is refused, and the client stays."""
    (most,) = struct.unpack("<Q", device.client.ask(vu.GET_MAX_MEM_SLOTS))
    region = [device.memory.region(first=(i + 1) << 30, size=4096) for i in range(most)]
    for each in region[:-1]:
        device.client.add_region(each, [device.memory.fd])
    device.refused(vu.ADD_MEM_REG, bytes(8) + region[-1], [device.memory.fd])
    device.served("a slot too many")
    for each in region[:-1]:
        device.client.remove_region(each)


def refusals(device):
    """A reply was asked for: it says no, and the client goes on."""
    device.refused(vu.SET_VRING_NUM, struct.pack("<II", INDEX, 65536))
    device.refused(vu.ADD_MEM_REG, bytes(8) + device.memory.region(), [device.memory.fd])
    device.refused(vu.REM_MEM_REG, bytes(8) + device.memory.region(first=5 << 30))
    device.refused(vu.SET_MEM_TABLE, struct.pack("<II", 2, 0) + device.memory.region(),
                   [device.memory.fd])


def other_descriptors(device):
    """With messages that take none, and with an empty payload."""
    device.refused(vu.SET_VRING_ENABLE, struct.pack("<II", INDEX, 1), [device.client.eventfd()])
    device.refused(vu.SET_VRING_KICK, b"", [device.client.eventfd()])
    device.refused(vu.SET_OWNER, b"", [device.client.eventfd()])


def rings_of_nobody(device):
    """What QEMU sends for the rings of a second pair that the guest does not use."""
    for index in (2, 3):
        device.client.ack(vu.SET_VRING_CALL, struct.pack("<Q", index), [device.client.eventfd()])


def acks_without_asking():
    """A second connection takes REPLY_ACK at once, as it knows what is offered."""
    with Client(PATH) as client:
        client.send(vu.SET_OWNER)
        client.send(vu.SET_FEATURES, struct.pack("<Q", vu.F_VERSION_1 | vu.F_PROTOCOL_FEATURES))
        client.send(vu.SET_PROTOCOL_FEATURES, struct.pack("<Q", vu.P_REPLY_ACK))
        client.ack(vu.SET_FEATURES, struct.pack("<Q", vu.F_VERSION_1 | vu.F_PROTOCOL_FEATURES))


for row in (base_of_no_ring, reboot, no_descriptors, features_again, calls_in_a_loop,
            one_slot_more, refusals, other_descriptors, rings_of_nobody):
    one = Device()
    one.served("before")
    row(one)
    one.served(row.__name__)
    one.close()
    print(f"{TYPE}: {row.__name__}: served", flush=True)


def too_many_queues():
    """As QEMU with queues=2 at a device of one pair: it asks, hangs up, and tries again at once."""
    for _ in range(1000):
        with Client(PATH) as client:
            client.features()
            client.ask(vu.GET_PROTOCOL_FEATURES)
            client.send(vu.SET_OWNER)
            client.ask(vu.GET_QUEUE_NUM)


too_many_queues()
acks_without_asking()
one = Device(protocol=False)
one.served("no protocol features")
one.close()
print(f"{TYPE}: acks_without_asking, no protocol features: served", flush=True)
