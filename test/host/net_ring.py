# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
"""
The driver's side of a ring of either format, with every feature that a ring has: tables, event
indices, and batches of a device that uses buffers in order.
Input: buffers with a key each. Output: keys and lengths of used buffers.
"""
import ctypes
import struct
from collections import deque

F_INDIRECT, F_EVENT_IDX = 1 << 28, 1 << 29
F_RING_PACKED, F_IN_ORDER = 1 << 34, 1 << 35
DESC_NEXT, DESC_WRITE, DESC_INDIRECT = 1, 2, 4
AVAIL, USED = 1 << 7, 1 << 15
EVENTS_ALL, EVENTS_PLACE = 0, 2

SIZE = 128                     # descriptors
DRIVER, DEVICE = 0x800, 0x1000  # where the areas after the descriptors begin
ROOM = 0x2000                  # bytes of memory for all three


def store16(memory, offset, value):
    """In one store: struct.pack_into() would write zeroes first, and the device looks."""
    cell = ctypes.c_uint16.from_buffer(memory.map, offset)
    cell.value = value & 0xFFFF
    # Or the mapping could not be closed.
    del cell


class Split:
    """A split ring. In order, descriptors follow one another; else they come in any order."""

    def __init__(self, memory, at, features, rng):
        self.memory, self.at = memory, at
        self.event_idx, self.in_order = features & F_EVENT_IDX, features & F_IN_ORDER
        self.posted = self.taken = 0
        self.chains = deque()  # (head, key, descriptors), oldest first
        self.free = deque(range(SIZE) if self.in_order else rng.sample(range(SIZE), SIZE))

    def start(self):
        return 0

    def table(self, at, parts):
        for i, (address, size, flags) in enumerate(parts):
            more = i + 1 < len(parts)
            struct.pack_into("<QIHH", self.memory.map, at + 16 * i, address, size,
                             flags | (DESC_NEXT if more else 0), i + 1 if more else 0)

    def post(self, key, parts):
        descs = [self.free.popleft() for _ in parts]
        for i, (address, size, flags) in enumerate(parts):
            more = i + 1 < len(parts)
            struct.pack_into("<QIHH", self.memory.map, self.at + 16 * descs[i], address, size,
                             flags | (DESC_NEXT if more else 0), descs[i + 1] if more else 0)
        struct.pack_into("<H", self.memory.map, self.at + DRIVER + 4 + 2 * (self.posted % SIZE),
                         descs[0])
        self.chains.append((descs[0], key, descs))
        self.posted += 1
        store16(self.memory, self.at + DRIVER + 2, self.posted)

    def used(self):
        """Whether there is something to take."""
        (index,) = struct.unpack_from("<H", self.memory.map, self.at + DEVICE + 2)
        return index != self.taken & 0xFFFF

    def sleep(self, ahead):
        """Asks for a call when so many more buffers are used than the next one."""
        if self.event_idx:
            store16(self.memory, self.at + DRIVER + 4 + 2 * SIZE, self.taken + ahead)

    def take(self):
        """
        Keys and lengths of the buffers of one used entry. In order, it may stand for a batch, of
        which all but the last have no length (section 2.7.9).
        """
        head, length = struct.unpack_from(
            "<II", self.memory.map, self.at + DEVICE + 4 + 8 * (self.taken % SIZE))
        if head not in (chain[0] for chain in self.chains):
            raise ValueError(f"used entry {self.taken} names descriptor {head}")
        batch = []
        while True:
            chain = self.chains.popleft()
            if chain[0] == head:
                break
            if self.in_order:
                self.free.extend(chain[2])
                batch.append((chain[1], None))
            else:
                self.chains.append(chain)
        self.free.extend(chain[2])
        batch.append((chain[1], length))
        self.taken += len(batch)
        return batch


class Packed:
    """A packed ring. Places count on through both turns; keys are the ids."""

    def __init__(self, memory, at, features, _rng):
        self.memory, self.at = memory, at
        self.event_idx, self.in_order = features & F_EVENT_IDX, features & F_IN_ORDER
        self.next = self.seen = 0
        self.chains = deque()  # (place, key, number of descriptors), oldest first

    def start(self):
        return 0x8000

    def table(self, at, parts):
        for i, (address, size, flags) in enumerate(parts):
            struct.pack_into("<QIHH", self.memory.map, at + 16 * i, address, size, 0, flags)

    def post(self, key, parts):
        flags = []
        for i, (address, size, extra) in enumerate(parts):
            place = (self.next + i) % (2 * SIZE)
            more = DESC_NEXT if i + 1 < len(parts) else 0
            flags.append((place % SIZE, extra | more | (AVAIL if place < SIZE else USED)))
            struct.pack_into("<QIH", self.memory.map, self.at + 16 * (place % SIZE), address,
                             size, key)
        for index, value in reversed(flags):
            store16(self.memory, self.at + 16 * index + 14, value)
        self.chains.append((self.next, key, len(parts)))
        self.next = (self.next + len(parts)) % (2 * SIZE)

    def used(self):
        (flags,) = struct.unpack_from("<H", self.memory.map,
                                      self.at + 16 * (self.seen % SIZE) + 14)
        return flags & (AVAIL | USED) == (AVAIL | USED if self.seen < SIZE else 0)

    def sleep(self, ahead):
        if not self.event_idx:
            return
        place = self.chains[ahead][0] if ahead < len(self.chains) else self.next
        # No place counts while it changes.
        store16(self.memory, self.at + DRIVER + 2, EVENTS_ALL)
        store16(self.memory, self.at + DRIVER, place % SIZE | (0x8000 if place < SIZE else 0))
        store16(self.memory, self.at + DRIVER + 2, EVENTS_PLACE)

    def take(self):
        """The same; a batch is one used descriptor in the place of its first (section 2.8.9)."""
        length, key = struct.unpack_from("<IH", self.memory.map,
                                         self.at + 16 * (self.seen % SIZE) + 8)
        if key not in (chain[1] for chain in self.chains):
            raise ValueError(f"the used descriptor at place {self.seen} has id {key}")
        batch = []
        if not self.in_order:
            chain = next(chain for chain in self.chains if chain[1] == key)
            self.chains.remove(chain)
        else:
            chain = self.chains.popleft()
            while chain[1] != key:
                batch.append((chain[1], None))
                self.seen += chain[2]
                chain = self.chains.popleft()
        self.seen = (self.seen + chain[2]) % (2 * SIZE)
        return batch + [(key, length)]


def make(memory, at, features, rng):
    return (Packed if features & F_RING_PACKED else Split)(memory, at, features, rng)
