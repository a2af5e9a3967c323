# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
"""
A virtio-net driver with several queue pairs at a vhost-user socket, whose device sends every frame
back on the pair that it came from. Each one that comes back is compared with what was sent: all
bytes, the header, the number of buffers, and the order. The driver sleeps until it is called.
"""
import os
import random
import select
import struct

import net_ring
import vhost_user
from net_ring import DESC_INDIRECT, DESC_WRITE, F_INDIRECT

F_MRG_RXBUF = 1 << 15
P_MQ = 1 << 0
HEADER = 12
LENGTH_MIN, LENGTH_MAX = 60, 14 + 65535
PATIENCE = 20

FIRST = 0x100000        # where memory begins in the driver's addresses
BUFFER = 2048           # of a driver that merges
GAP = 64                # bytes between pieces of a buffer that belong to no piece
PIECES = 8              # of a buffer, at most
WHOLE = 0x10800         # bytes for the longest frame with its header and gaps
SLOTS = 8               # for such frames
MERGED_SLOTS = 60       # buffers of a driver that merges, two pieces each at most
TABLE = 16 * PIECES
CONTENT = random.Random(1).randbytes(1 << 18)

# Shorter than any buffer, as long as one, one byte longer, and the longest there is.
EDGES = (LENGTH_MIN, LENGTH_MAX, BUFFER - HEADER, BUFFER - HEADER + 1, 1514, 2 * BUFFER - HEADER,
         LENGTH_MAX - 1, LENGTH_MIN + 1)


def frame(pair, number):
    """Length and content follow from the queue pair and the number."""
    rng = random.Random(pair << 32 | number)
    length = EDGES[number] if number < len(EDGES) else int(LENGTH_MIN * 1092.4 ** rng.random())
    head = struct.pack("<6s6sHHI", b"\x02\0\0\0\0\1", b"\x02\0\0\0\0\2", 0xB588, pair, number)
    at = rng.randrange(len(CONTENT) - length)
    return head + CONTENT[at:at + length - len(head)]


class Queue:
    """A virtqueue with its buffers, each of which has a slot in memory."""

    def __init__(self, memory, at, features, slots, size, rng):
        self.memory, self.features, self.rng, self.slots, self.size = (
            memory, features, rng, slots, size)
        self.ring = net_ring.make(memory, at, features, rng)
        self.tables, self.data, self.at = at + net_ring.ROOM, at + net_ring.ROOM + slots * TABLE, at
        self.call = os.eventfd(0, os.EFD_NONBLOCK)
        self.pieces = {}  # of a slot: offsets and lengths

    @staticmethod
    def room(slots, size):
        return (net_ring.ROOM + slots * (TABLE + size) + 0xFFF) & ~0xFFF

    def cut(self, slot, length, most):
        """So long a buffer in random pieces; the header may be one, or in two of them."""
        cuts = {self.rng.randrange(1, length) for _ in range(self.rng.randrange(most))}
        if cuts and self.rng.random() < 0.5:
            cuts.pop()
            cuts.add(self.rng.choice((HEADER, self.rng.randrange(1, HEADER + 20))))
        edges = [0, *sorted(cuts), length]
        at = self.data + slot * self.size
        self.pieces[slot] = [(at + first + GAP * i, end - first)
                             for i, (first, end) in enumerate(zip(edges, edges[1:]))]
        return self.pieces[slot]

    def post(self, slot, flags):
        parts = [(FIRST + at, size, flags) for at, size in self.pieces[slot]]
        if self.features & F_INDIRECT and self.rng.random() < 0.7:
            at = self.tables + slot * TABLE
            self.ring.table(at, parts)
            parts = [(FIRST + at, 16 * len(parts), DESC_INDIRECT)]
        self.ring.post(slot, parts)

    def take(self):
        batch = []
        while self.ring.used():
            batch += self.ring.take()
        return batch

    def write(self, slot, data):
        at = 0
        for where, size in self.pieces[slot]:
            self.memory.map[where:where + size] = data[at:at + size]
            at += size

    def read(self, slot, length):
        data = b"".join(self.memory.map[at:at + size] for at, size in self.pieces[slot])
        if length > len(data):
            raise ValueError(f"{length} bytes used of a buffer of {len(data)}")
        return data[:length]


class Pair:
    """A receive and a transmit queue. Frames are out in no larger number than there is room for."""

    def __init__(self, memory, at, features, number, frames):
        rng = random.Random(number)
        self.number, self.frames, self.merges = number, frames, features & F_MRG_RXBUF
        slots = (MERGED_SLOTS, BUFFER + GAP) if self.merges else (SLOTS, WHOLE)
        self.rx = Queue(memory, at, features, *slots, rng)
        self.tx = Queue(memory, at + Queue.room(*slots), features, SLOTS, WHOLE, rng)
        self.sent = self.received = self.bytes = 0
        self.out = []  # frames that have not come back, oldest first
        self.free = list(range(SLOTS))
        self.parts = []  # of a frame that has not come back as a whole: buffers
        for slot in range(slots[0]):
            self.offer(slot)

    @staticmethod
    def room(features):
        return (Queue.room(SLOTS, WHOLE) + (Queue.room(MERGED_SLOTS, BUFFER + GAP)
                if features & F_MRG_RXBUF else Queue.room(SLOTS, WHOLE)))

    def offer(self, slot):
        if self.merges:
            self.rx.cut(slot, BUFFER, 2)
        else:
            self.rx.cut(slot, HEADER + LENGTH_MAX, PIECES)
        self.rx.post(slot, DESC_WRITE)

    def buffers(self, length):
        return -(-(HEADER + length) // BUFFER) if self.merges else 1

    def fits(self, length):
        most = MERGED_SLOTS if self.merges else SLOTS
        return sum(self.buffers(len(data)) for data in self.out) + self.buffers(length) <= most

    def send(self):
        data = frame(self.number, self.sent)
        if not self.free or not self.fits(len(data)):
            return False
        slot = self.free.pop(self.tx.rng.randrange(len(self.free)))
        self.tx.cut(slot, HEADER + len(data), PIECES)
        self.tx.write(slot, bytes(HEADER) + data)
        self.tx.post(slot, 0)
        self.out.append(data)
        self.sent += 1
        return True

    def check(self, data):
        """One frame with its header, and what it was copied to is offered again."""
        wanted = self.out[0]
        header = struct.pack("<10xH", self.buffers(len(wanted)))
        if data[:HEADER] != header:
            raise ValueError(f"frame {self.received}: header {data[:HEADER].hex()}, "
                             f"not {header.hex()}")
        if len(data) - HEADER != len(wanted):
            raise ValueError(f"frame {self.received}: {len(data) - HEADER} bytes came back of "
                             f"{len(wanted)}")
        if data[HEADER:] != wanted:
            at = next(i for i, byte in enumerate(wanted) if byte != data[HEADER + i])
            raise ValueError(f"frame {self.received} of {len(wanted)} bytes differs at byte {at}")
        self.out.pop(0)
        self.received += 1
        self.bytes += len(wanted)

    def receive(self, slot, length):
        if length is None:
            raise ValueError("a receive buffer is used without a length")
        if not self.out:
            raise ValueError(f"{length} bytes came that nobody sent")
        self.parts.append(self.rx.read(slot, length))
        nb = self.buffers(len(self.out[0]))
        if len(self.parts) < nb and length != BUFFER:
            raise ValueError(f"frame {self.received}: buffer {len(self.parts)} of {nb} holds "
                             f"{length} bytes")
        if len(self.parts) == nb:
            self.check(b"".join(self.parts))
            self.parts = []
        self.offer(slot)

    def step(self):
        """Whether anything happened."""
        done, back = self.tx.take(), self.rx.take()
        for slot, length in done:
            if length:
                raise ValueError(f"{length} bytes used of a buffer that is not written to")
            self.free.append(slot)
        for slot, length in back:
            self.receive(slot, length)
        sent = False
        while self.sent < self.frames and self.send():
            sent = True
        return bool(done or back or sent)

    def finished(self):
        return self.received == self.frames and len(self.free) == SLOTS

    def sleep(self):
        """Asks for calls. Whether there is nothing to do before one."""
        out = SLOTS - len(self.free)
        self.tx.ring.sleep(self.tx.rng.randrange(max(out, 1)))
        self.rx.ring.sleep(0)
        return not self.tx.ring.used() and not self.rx.ring.used()


class NetDriver:
    """Connected with these features and so many pairs. Each pair sends so many frames."""

    def __init__(self, path, features, pairs, frames):
        room = Pair.room(features)
        self.features = features | vhost_user.F_VERSION_1
        # First: a caller may try again until there is somebody, and nothing is to be closed before.
        self.client = vhost_user.Client(path)
        self.memory = vhost_user.Memory(pairs * room, FIRST, "net-driver")
        self.pairs = [Pair(self.memory, i * room, features, i, frames) for i in range(pairs)]
        self.poll = select.poll()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.client.__exit__()
        for pair in self.pairs:
            os.close(pair.rx.call)
            os.close(pair.tx.call)
        self.memory.close()

    def connect(self):
        client = self.client
        client.send(vhost_user.SET_OWNER)
        offered = client.features()
        if self.features & ~offered:
            raise ValueError(f"not offered: {self.features & ~offered:#x}")
        client.ask(vhost_user.GET_PROTOCOL_FEATURES)
        client.send(vhost_user.SET_PROTOCOL_FEATURES,
                    struct.pack("<Q", vhost_user.P_REPLY_ACK |
                                (P_MQ if len(self.pairs) > 1 else 0)))
        client.ack(vhost_user.SET_FEATURES,
                   struct.pack("<Q", self.features | vhost_user.F_PROTOCOL_FEATURES))
        client.table([self.memory.region()], [self.memory.fd])
        for i, pair in enumerate(self.pairs):
            for index, queue in ((2 * i, pair.rx), (2 * i + 1, pair.tx)):
                desc = vhost_user.USER + FIRST + queue.at
                client.vring(index, FIRST + queue.at, call=queue.call, size=net_ring.SIZE,
                             start=queue.ring.start(), avail=desc + net_ring.DRIVER,
                             used=desc + net_ring.DEVICE)
                self.poll.register(queue.call, select.POLLIN)

    def sleep(self):
        if not all([pair.sleep() for pair in self.pairs]):
            return
        called = self.poll.poll(PATIENCE * 1000)
        if not called:
            state = ", ".join(f"{pair.received} of {pair.sent}" for pair in self.pairs)
            late = any(pair.tx.ring.used() or pair.rx.ring.used() for pair in self.pairs)
            raise ValueError(f"{'a call is lost' if late else 'nothing comes'}: came back {state}")
        for fd, _ in called:
            os.eventfd_read(fd)

    def exchange(self):
        """Until every frame has come back. Returns their bytes."""
        while not all(pair.finished() for pair in self.pairs):
            if not any([pair.step() for pair in self.pairs]):
                self.sleep()
        return sum(pair.bytes for pair in self.pairs)
