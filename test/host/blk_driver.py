# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
"""
A virtio-blk driver with one queue, for both ring formats. A link object connects it to its
device: blk_vhost_user.py or test/vm/blk_vdpa.py.
"""
import ctypes
import struct
import time
from collections import deque

from vhost_user import Memory

F_FLUSH, F_DISCARD, F_WRITE_ZEROES = 1 << 9, 1 << 13, 1 << 14
F_INDIRECT, F_EVENT_IDX = 1 << 28, 1 << 29
F_VERSION_1, F_RING_PACKED, F_IN_ORDER = 1 << 32, 1 << 34, 1 << 35
T_IN, T_OUT, T_FLUSH, T_GET_ID, T_DISCARD, T_WRITE_ZEROES = 0, 1, 4, 8, 11, 13
S_OK, S_IOERR, S_UNSUPP = 0, 1, 2
DESC_NEXT, DESC_WRITE, DESC_INDIRECT = 1, 2, 4
AVAIL, USED = 1 << 7, 1 << 15

SIZE = 64            # descriptors
SLOTS = SIZE // 3    # requests at once
ROOM = 0x2000        # bytes of memory for each
DATA = 0x1000        # of them where data begins
RINGS = 0x1000
FIRST = 0x100000
AREAS = (FIRST, FIRST + 0x400, FIRST + 0x800)  # of the rings: descriptors, driver, device


def store16(memory, offset, value):
    """In one store: struct.pack_into() would write zeroes first, and the device looks."""
    cell = ctypes.c_uint16.from_buffer(memory.map, offset)
    cell.value = value & 0xFFFF
    del cell


class Split:
    """A split ring at the beginning of memory. In order, descriptors follow one another, too."""

    def __init__(self, memory, in_order):
        self.memory, self.in_order = memory, in_order
        self.posted, self.taken, self.next, self.slots = 0, 0, 0, {}

    def post(self, slot, parts):
        first = self.next if self.in_order else 3 * slot
        self.next = (first + len(parts)) % SIZE
        for i, (address, size, flags) in enumerate(parts):
            last = i + 1 == len(parts)
            struct.pack_into("<QIHH", self.memory.map, 16 * ((first + i) % SIZE), address, size,
                             flags | (0 if last else DESC_NEXT),
                             0 if last else (first + i + 1) % SIZE)
        struct.pack_into("<H", self.memory.map, 0x404 + 2 * (self.posted % SIZE), first)
        self.slots[first] = slot
        self.posted += 1
        store16(self.memory, 0x402, self.posted)

    def used(self):
        """Whether there is a used entry to take."""
        (index,) = struct.unpack_from("<H", self.memory.map, 0x802)
        return index != self.taken & 0xFFFF

    def sleep(self, event_idx=True):
        """Asks for a call for the next used entry. Without event_idx none is forbidden."""
        if not event_idx:
            return
        store16(self.memory, 0x404 + 2 * SIZE, self.taken)

    def take(self):
        """The slot of a request that is used, or None."""
        if not self.used():
            return None
        head, _ = struct.unpack_from("<II", self.memory.map, 0x804 + 8 * (self.taken % SIZE))
        self.taken += 1
        return self.slots.pop(head)

    def base(self):
        """What QEMU tells a device that comes back."""
        return struct.unpack_from("<H", self.memory.map, 0x802)[0]


class Packed:
    """A packed ring at the beginning of memory. Places count on through both turns."""

    def __init__(self, memory, _in_order):
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

    def used(self):
        (flags,) = struct.unpack_from("<H", self.memory.map, 16 * (self.seen % SIZE) + 14)
        return flags & (AVAIL | USED) == (AVAIL | USED if self.seen < SIZE else 0)

    def sleep(self, event_idx=True):
        """The same; the place, then the flags by which it counts, or those for every call."""
        store16(self.memory, 0x400, self.seen % SIZE | (0x8000 if self.seen < SIZE else 0))
        store16(self.memory, 0x402, 2 if event_idx else 0)

    def take(self):
        if not self.used():
            return None
        (slot,) = struct.unpack_from("<H", self.memory.map, 16 * (self.seen % SIZE) + 12)
        self.seen = (self.seen + self.descs.pop(slot)) % (2 * SIZE)
        return slot

    def base(self):
        """QEMU has none to tell: that of the beginning."""
        return 0x8000 | 0x8000 << 16


class BlkDriver:
    """Memory, ring and requests stay when the other side goes away."""

    def __init__(self, link, packed, in_order=False, features=0, first=FIRST):
        """first: where its memory begins in its addresses."""
        self.link, self.packed, self.first = link, packed, first
        self.features = (features | F_VERSION_1 | F_INDIRECT | (F_RING_PACKED if packed else 0) |
                         (F_IN_ORDER if in_order else 0))
        self.memory = Memory(RINGS + SLOTS * ROOM, first, "blk-driver")
        self.ring = (Packed if packed else Split)(self.memory, in_order)
        self.order = deque() if in_order else None
        self.free = deque(range(SLOTS))

    def connect(self):
        self.link.connect(self)

    def wanted(self, offered):
        """The features to take."""
        if self.features & ~offered:
            raise ValueError(f"not offered: {self.features & ~offered:#x}")
        return self.features

    def disconnect(self):
        self.link.disconnect()

    def close(self):
        self.link.close()
        self.memory.close()

    def post(self, kind, sector, data=b"", size=0):
        """Sends a request, in a chain or in a table by turns. Returns its slot."""
        at = RINGS + self.free[0] * ROOM + DATA
        self.memory.map[at:at + len(data)] = data
        return self.post_at(kind, sector, self.first + at, len(data) or size, bool(data))

    def post_at(self, kind, sector, address, size, out):
        """The same with data anywhere in the driver's memory. out: the device reads it."""
        slot = self.free.popleft()
        at = RINGS + slot * ROOM
        struct.pack_into("<IIQ", self.memory.map, at, kind, 0, sector)
        self.memory.map[at + 0x100] = 0xAA
        parts = [(self.first + at, 16, 0)]
        if size:
            parts.append((address, size, 0 if out else DESC_WRITE))
        parts.append((self.first + at + 0x100, 1, DESC_WRITE))
        if slot % 2:
            parts = [self.table(at + 0x200, parts)]
        if self.order is not None:
            self.order.append(slot)
        self.ring.post(slot, parts)
        self.kick()
        return slot

    def kick(self):
        """Whether the device asked for it or not."""
        self.link.kick()

    def table(self, at, parts):
        for i, (address, size, flags) in enumerate(parts):
            more = DESC_NEXT if i + 1 < len(parts) else 0
            tail = (0, flags) if self.packed else (flags | more, i + 1)
            struct.pack_into("<QIHH", self.memory.map, at + 16 * i, address, size, *tail)
        return (self.first + at, 16 * len(parts), DESC_INDIRECT)

    def take(self):
        """The slot and status of a request that is finished, or None."""
        slot = self.ring.take()
        if slot is None:
            return None
        if slot in self.free:
            raise ValueError(f"slot {slot} is used twice")
        if self.order is not None and slot != self.order.popleft():
            raise ValueError(f"slot {slot} is used before an older one")
        self.free.append(slot)
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
            if taken[1] != S_OK:
                raise ValueError(f"slot {taken[0]}: status {taken[1]}")
            done.append(taken[0])
        return done

    def status(self, *request, **what):
        """Of one request while no other is out."""
        return self.finish(self.post(*request, **what))

    def status_at(self, *request):
        return self.finish(self.post_at(*request))

    def finish(self, slot):
        """The status of the only request that is out."""
        end = time.monotonic() + 10
        while True:
            taken = self.take()
            if taken is not None:
                return taken[1]
            if time.monotonic() > end:
                raise TimeoutError(f"slot {slot} is not finished")
