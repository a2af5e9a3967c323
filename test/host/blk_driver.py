# SPDX-License-Identifier: BSD-3-Clause
"""A virtio-blk driver over vhost-user, for both ring formats, that can reconnect."""
import array
import ctypes
import os
import socket
import struct
import time

import vhost_user
from vhost_user import Client, Memory, USER

F_INDIRECT, F_RING_PACKED = 1 << 28, 1 << 34
P_INFLIGHT = 1 << 12
T_IN, T_OUT, T_FLUSH = 0, 1, 4
DESC_NEXT, DESC_WRITE, DESC_INDIRECT = 1, 2, 4
AVAIL, USED = 1 << 7, 1 << 15

SIZE = 64            # descriptors
SLOTS = SIZE // 3    # requests at once
ROOM = 0x2000        # bytes of memory for each
DATA = 0x1000        # of them where data begins
RINGS = 0x1000
FIRST = 0x100000


def store16(memory, offset, value):
    """In one store: struct.pack_into() would write zeroes first, and the device looks."""
    cell = ctypes.c_uint16.from_buffer(memory.map, offset)
    cell.value = value & 0xFFFF
    del cell


class Split:
    """A split ring at the beginning of memory."""

    def __init__(self, memory):
        self.memory, self.posted, self.taken = memory, 0, 0

    def post(self, slot, parts):
        for i, (address, size, flags) in enumerate(parts):
            last = i + 1 == len(parts)
            struct.pack_into("<QIHH", self.memory.map, 16 * (3 * slot + i), address, size,
                             flags | (0 if last else DESC_NEXT), 0 if last else 3 * slot + i + 1)
        struct.pack_into("<H", self.memory.map, 0x404 + 2 * (self.posted % SIZE), 3 * slot)
        self.posted += 1
        store16(self.memory, 0x402, self.posted)

    def take(self):
        """The slot of a request that is used, or None."""
        (index,) = struct.unpack_from("<H", self.memory.map, 0x802)
        if index == self.taken & 0xFFFF:
            return None
        head, _ = struct.unpack_from("<II", self.memory.map, 0x804 + 8 * (self.taken % SIZE))
        self.taken += 1
        return head // 3

    def base(self):
        """What QEMU tells a device that comes back."""
        return struct.unpack_from("<H", self.memory.map, 0x802)[0]


class Packed:
    """A packed ring at the beginning of memory. Places count on through both turns."""

    def __init__(self, memory):
        self.memory, self.next, self.seen, self.descs = memory, 0, 0, {}

    def post(self, slot, parts):
        flags = []
        for i, (address, size, extra) in enumerate(parts):
            place = (self.next + i) % (2 * SIZE)
            more = DESC_NEXT if i + 1 < len(parts) else 0
            flags.append((place % SIZE, extra | more | (AVAIL if place < SIZE else USED)))
            struct.pack_into("<QIH", self.memory.map, 16 * (place % SIZE), address, size, slot)
        for index, value in reversed(flags):
            store16(self.memory, 16 * index + 14, value)
        self.next = (self.next + len(parts)) % (2 * SIZE)
        self.descs[slot] = len(parts)

    def take(self):
        at = 16 * (self.seen % SIZE)
        (flags,) = struct.unpack_from("<H", self.memory.map, at + 14)
        if flags & (AVAIL | USED) != (AVAIL | USED if self.seen < SIZE else 0):
            return None
        (slot,) = struct.unpack_from("<H", self.memory.map, at + 12)
        self.seen = (self.seen + self.descs.pop(slot)) % (2 * SIZE)
        return slot

    def base(self):
        """QEMU has none to tell: that of the beginning."""
        return 0x8000 | 0x8000 << 16


class BlkDriver:
    """One queue. Memory, ring and requests stay when the other side goes away."""

    def __init__(self, path, packed):
        self.path, self.packed = path, packed
        self.memory = Memory(RINGS + SLOTS * ROOM, FIRST, "blk-driver")
        self.ring = Packed(self.memory) if packed else Split(self.memory)
        self.free = set(range(SLOTS))
        self.inflight = None
        self.client = None

    def connect(self):
        for _ in range(100):
            try:
                self.client = Client(self.path)
                break
            except (FileNotFoundError, ConnectionRefusedError):
                time.sleep(0.1)
        features = (vhost_user.F_VERSION_1 | F_INDIRECT |
                    (F_RING_PACKED if self.packed else 0))
        self.client.send(vhost_user.SET_OWNER)
        if features & ~self.client.features():
            raise ValueError("the device does not offer what is wanted")
        self.client.ask(vhost_user.GET_PROTOCOL_FEATURES)
        self.client.send(vhost_user.SET_PROTOCOL_FEATURES,
                         struct.pack("<Q", vhost_user.P_REPLY_ACK | vhost_user.P_CONFIG |
                                     P_INFLIGHT))
        self.client.ack(vhost_user.SET_FEATURES,
                        struct.pack("<Q", features | vhost_user.F_PROTOCOL_FEATURES))
        self.set_inflight()
        self.client.table([self.memory.region()], [self.memory.fd])
        self.client.vring(0, FIRST, size=SIZE, start=self.ring.base())

    def set_inflight(self):
        """Gets memory for what is in flight, once, and hands it back each time."""
        if self.inflight is None:
            self.client.send(vhost_user.GET_INFLIGHT_FD, struct.pack("<QQHHI", 0, 0, 1, SIZE, 0))
            rights = socket.CMSG_SPACE(4)
            reply, control, _, _ = self.client.sock.recvmsg(12 + 24, rights)
            size, offset, _, _ = struct.unpack_from("<QQHH", reply, 12)
            fd = array.array("i", control[0][2])[0]
            self.inflight = (size, offset, fd)
        size, offset, fd = self.inflight
        self.client.ack(vhost_user.SET_INFLIGHT_FD,
                        struct.pack("<QQHHI", size, offset, 1, SIZE, 0), [fd])

    def disconnect(self):
        self.client.__exit__()
        self.client = None

    def close(self):
        if self.client is not None:
            self.disconnect()
        self.memory.close()
        if self.inflight is not None:
            os.close(self.inflight[2])

    def post(self, kind, sector, data=b"", size=0):
        """Sends a request, in a chain or in a table by turns. Returns its slot."""
        slot = self.free.pop()
        at = RINGS + slot * ROOM
        struct.pack_into("<IIQ", self.memory.map, at, kind, 0, sector)
        self.memory.map[at + DATA:at + DATA + len(data)] = data
        self.memory.map[at + 0x100] = 0xAA
        parts = [(FIRST + at, 16, 0)]
        if data or size:
            parts.append((FIRST + at + DATA, len(data) or size, 0 if data else DESC_WRITE))
        parts.append((FIRST + at + 0x100, 1, DESC_WRITE))
        if slot % 2:
            parts = [self.table(at + 0x200, parts)]
        self.ring.post(slot, parts)
        return slot

    def table(self, at, parts):
        for i, (address, size, flags) in enumerate(parts):
            more = DESC_NEXT if i + 1 < len(parts) else 0
            tail = (0, flags) if self.packed else (flags | more, i + 1)
            struct.pack_into("<QIHH", self.memory.map, at + 16 * i, address, size, *tail)
        return (FIRST + at, 16 * len(parts), DESC_INDIRECT)

    def take(self):
        """The slot and status of a request that is finished, or None."""
        slot = self.ring.take()
        if slot is None:
            return None
        if slot in self.free:
            raise ValueError(f"slot {slot} is used twice")
        self.free.add(slot)
        return slot, self.memory.map[RINGS + slot * ROOM + 0x100]

    def data(self, slot, size):
        at = RINGS + slot * ROOM + DATA
        return bytes(self.memory.map[at:at + size])

    def wait(self, seconds=10):
        """Until all requests are finished: their slots. Raises if one failed."""
        done, end = [], time.monotonic() + seconds
        while len(self.free) < SLOTS:
            taken = self.take()
            if taken is None:
                if time.monotonic() > end:
                    raise TimeoutError(f"{SLOTS - len(self.free)} requests are not finished")
                continue
            if taken[1] != 0:
                raise ValueError(f"slot {taken[0]}: status {taken[1]}")
            done.append(taken[0])
        return done


__all__ = ["BlkDriver", "SLOTS", "T_FLUSH", "T_IN", "T_OUT"]
