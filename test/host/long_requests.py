#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
"""
Reads of 4 KiB while FLUSH, DISCARD and WRITE_ZEROES of 2 GiB are in flight on a disk of 9 TiB: in
the same queue, in another queue, and of another disk that the same core polls.

long_requests.py measure SOCKET OTHER FILE PID: FILE is the disk at SOCKET, of process PID. Prints
the p99 of reads without a long request and beside each kind.
long_requests.py held SOCKET OTHER FILE: makes FILE, an empty file, a disk that holds long requests
back until all reads are finished. Prints "mounted" when the disk can be served.
long_requests.py device SOCKET OTHER FILE: the same for a loop device with this file, whose page
cache is locked meanwhile: its own reads wait.
"""
import glob
import os
import random
import signal
import struct
import sys
import time

from blk_driver import (BlkDriver, F_DISCARD, F_FLUSH, F_WRITE_ZEROES, FIRST, S_OK, SIZE, SLOTS,
                        T_DISCARD, T_FLUSH, T_IN, T_OUT, T_WRITE_ZEROES)
from fuse_disk import FuseDisk
from vhost_user import Client, GET_CONFIG

BLOCK, SECTOR = 4096, 512
DISK = 9 << 40
HIGH = 8 << 40           # reads are above, long requests far below
LONG = 2 << 30
PIECE = 64 << 10         # one block of each is written before a range is discarded or zeroed
SHORT = 64 << 20         # of the loop device, which is slow
DIRTY = 8 << 20          # bytes before each flush
F_MQ = 1 << 12
UNMAP = 1
MAX_DISCARD, MAX_ZEROES = 36, 48  # of the configuration space
PID = (sys.argv + [""])[5]
PATIENCE = float(os.environ.get("VM_PATIENCE", "1"))
ANSWER_S = 30 * PATIENCE  # a read that is not finished by then waits for what is held
P99_S = 5 * PATIENCE
MANY = 16                 # flushes at a time in each queue
READS, READS_LEAST, READS_S = 500, 120, 5
KINDS = (("FLUSH", T_FLUSH, 0), ("DISCARD", T_DISCARD, 0), ("WRITE_ZEROES", T_WRITE_ZEROES, 0),
         ("WRITE_ZEROES with UNMAP", T_WRITE_ZEROES, UNMAP))


class Kicker:
    """Of one queue."""

    def __init__(self, client, index):
        self.client, self.index = client, index

    def kick(self):
        self.client.kick(self.index)


class Disk:
    """A connection with a driver for each of its queues."""

    def __init__(self, path, nb, features):
        end = time.monotonic() + ANSWER_S
        while not os.path.exists(path):
            if time.monotonic() > end:
                sys.exit(f"no socket at {path}")
            time.sleep(0.1)
        self.queues = [BlkDriver(None, False, first=FIRST + (i << 30)) for i in range(nb)]
        self.client = Client(path)
        self.client.sock.settimeout(ANSWER_S)
        self.client.negotiate(features | self.queues[0].features)
        self.client.table([queue.memory.region() for queue in self.queues],
                          [queue.memory.fd for queue in self.queues])
        for i, queue in enumerate(self.queues):
            self.client.vring(i, queue.first, size=SIZE)
            queue.link = Kicker(self.client, i)

    def config(self, offset, form):
        size = struct.calcsize(form)
        reply = self.client.ask(GET_CONFIG, struct.pack("<3I", offset, size, 0) + bytes(size))
        return struct.unpack(form, reply[12:])[0]

    def close(self):
        self.client.__exit__()
        for queue in self.queues:
            queue.memory.close()


def finished(queue, name, others=()):
    """Waits for one request of a queue. Returns its slot; others: called meanwhile."""
    end = time.monotonic() + ANSWER_S
    while (taken := queue.take()) is None:
        for other in others:
            other()
        if time.monotonic() > end:
            sys.exit(f"FAIL: {name}: a request is not finished in {ANSWER_S:.0f} s")
    if taken[1] != S_OK:
        sys.exit(f"FAIL: {name}: status {taken[1]}")
    return taken[0]


def long_request(queue, kind, flags, at=0, size=LONG):
    if kind == T_FLUSH:
        return queue.post(kind, 0)
    return queue.post(kind, 0, struct.pack("<QII", at // SECTOR, size // SECTOR, flags))


def check_disk(disk, path):
    """Its size, its limits, and that what is above 8 TiB can be told from what is below."""
    if disk.config(0, "<Q") != DISK // SECTOR:
        sys.exit(f"FAIL: capacity {disk.config(0, '<Q')}")
    for name, at in (("discard", MAX_DISCARD), ("write zeroes", MAX_ZEROES)):
        if disk.config(at, "<I") < LONG // SECTOR:
            sys.exit(f"FAIL: {name}: {disk.config(at, '<I')} sectors at most")
    queue = disk.queues[0]
    places = [LONG, HIGH - BLOCK, HIGH, HIGH + LONG, DISK - BLOCK]
    blocks = {at: random.randbytes(BLOCK) for at in places}
    for at, block in blocks.items():
        queue.post(T_OUT, at // SECTOR, block)
        finished(queue, "a write")
    for at, block in blocks.items():
        slot = queue.post(T_IN, at // SECTOR, size=BLOCK)
        if finished(queue, "a read") != slot or queue.data(slot, BLOCK) != block:
            sys.exit(f"FAIL: the block at {at} is not what was written")
    queue.post(T_FLUSH, 0)
    finished(queue, "a flush")
    with open(path, "rb") as file:
        for at, block in blocks.items():
            if os.pread(file.fileno(), BLOCK, at) != block:
                sys.exit(f"FAIL: {path} does not hold at {at} what was written")
    return blocks


def check_high(queue, blocks):
    for at, block in blocks.items():
        slot = queue.post(T_IN, at // SECTOR, size=BLOCK)
        finished(queue, "a read")
        if queue.data(slot, BLOCK) != block:
            sys.exit(f"FAIL: the block at {at} was changed")


def place(size):
    """Somewhere in the upper part of a disk."""
    return random.randrange(size * 8 // 9, size - BLOCK) // BLOCK * BLOCK // SECTOR


def p99(times):
    return sorted(times)[len(times) * 99 // 100]


class Beside:
    """Long requests of one kind in a queue, one after the other, while others read."""

    def __init__(self, disk, kind, flags, path):
        self.queue, self.kind, self.flags, self.path = disk.queues[0], kind, flags, path
        self.slot, self.began, self.times = None, 0, []

    def prepare(self):
        """What makes it long: dirty pages, or a range of many pieces."""
        block = b"\x55" * BLOCK
        step, end = (BLOCK, DIRTY) if self.kind == T_FLUSH else (PIECE, LONG)
        base = 2 * LONG if self.kind == T_FLUSH else 0
        with open(self.path, "r+b", buffering=0) as file:
            for at in range(base, base + end, step):
                os.pwrite(file.fileno(), block, at)

    def start(self):
        self.slot = long_request(self.queue, self.kind, self.flags)
        self.began = time.monotonic()

    def ended(self):
        self.slot = None
        self.times.append(time.monotonic() - self.began)

    def look(self):
        """Takes the long request if it is finished; only where the queue has no reads."""
        if self.slot is None:
            return
        taken = self.queue.take()
        if taken is not None:
            if taken[1] != S_OK:
                sys.exit(f"FAIL: a long request: status {taken[1]}")
            self.ended()


def timed_read(queue, size, beside):
    """How long one read takes. The long request may be finished in between."""
    begin = time.monotonic()
    slot = queue.post(T_IN, place(size), size=BLOCK)
    same = beside is not None and queue is beside.queue
    while True:
        got = finished(queue, "a read", [beside.look] if beside is not None and not same else [])
        if got == slot:
            return time.monotonic() - begin
        beside.ended()


def sleeps():
    """How often the polling cores slept, which they never have to."""
    nb = 0
    for task in glob.glob(f"/proc/{PID}/task/*"):
        with open(f"{task}/comm", encoding="ascii") as name:
            if "worker" not in name.read():
                continue
        with open(f"{task}/status", encoding="ascii") as status:
            nb += next(int(line.split()[1]) for line in status
                       if line.startswith("voluntary_ctxt_switches"))
    return nb


def reads(readers, beside):
    """Times of reads of each, by turns, with a long request in flight when each begins."""
    times, end = {who: [] for who, _, _ in readers}, time.monotonic() + READS_S
    nb, slept = 0, sleeps()
    while nb < READS and (time.monotonic() < end or nb < READS_LEAST):
        for who, queue, size in readers:
            if beside is not None and beside.slot is None:
                beside.prepare()
                beside.start()
            times[who].append(timed_read(queue, size, beside))
        nb += 1
    slept = sleeps() - slept
    while beside is not None and beside.slot is not None:
        finished(beside.queue, "a long request")
        beside.ended()
    return times, slept


def measure(disk, other, path):
    blocks = check_disk(disk, path)
    readers = (("same queue", disk.queues[0], DISK), ("other queue", disk.queues[1], DISK),
               ("other disk", other.queues[0], other.config(0, "<Q") * SECTOR))
    bad = []
    for name, kind, flags in (("nothing", None, 0), *KINDS):
        beside = None if kind is None else Beside(disk, kind, flags, path)
        times, slept = reads(readers, beside)
        nb = len(times["same queue"])
        lasted = "" if beside is None else (
            f", {len(beside.times)} of them, {1e3 * max(beside.times):.1f} ms at most")
        print(f"-- beside {name}{lasted}: {nb} reads each, {slept} sleeps of the core", flush=True)
        for who, taken in times.items():
            print(f"     {who}: p99 {1e3 * p99(taken):.3f} ms, longest {1e3 * max(taken):.1f} ms",
                  flush=True)
            if p99(taken) > P99_S:
                bad.append(f"{who}, beside {name}: p99 above {1e3 * P99_S:.0f} ms")
    check_high(disk.queues[1], blocks)
    if bad:
        sys.exit("\n".join(f"FAIL: {why}" for why in bad))


def rest():
    """The file system's server needs a core, too."""
    time.sleep(0.0001)


def held_reads(name, queue, size, nb_held):
    """Reads that are finished while long requests of the same queue, or another's, are held."""
    for _ in range(32):
        slot = queue.post(T_IN, place(size), size=BLOCK)
        if finished(queue, name, [rest]) != slot:
            sys.exit(f"FAIL: {name}: a long request was finished before it was let go")
        if nb_held.value == 0:
            sys.exit(f"FAIL: {name}: nothing was held")


def held(disk, other, path, fuse, device):
    """device: reads of the disk itself wait in the kernel, and nobody else's with them."""
    blocks = check_disk(disk, path)
    readers = [("other disk", other.queues[0], other.config(0, "<Q") * SECTOR)]
    if not device:
        readers += [("other queue", disk.queues[1], DISK), ("same queue", disk.queues[0], DISK)]
    for name, kind, flags in KINDS:
        fuse.set_hold(1)
        nb = MANY if kind == T_FLUSH else 4
        for queue in disk.queues:
            for i in range(nb):
                long_request(queue, kind, flags, i * LONG, SHORT if device else LONG)
        end = time.monotonic() + ANSWER_S
        while fuse.nb_held.value == 0:
            if time.monotonic() > end:
                sys.exit(f"FAIL: {name}: it does not come to the file system")
            time.sleep(0.01)
        if device:
            for queue in disk.queues:
                queue.post(T_IN, place(DISK), size=BLOCK)
        for who, queue, size in readers:
            held_reads(f"{who}, beside {name}", queue, size, fuse.nb_held)
        fuse.set_hold(0)
        for queue in disk.queues:
            while len(queue.free) < SLOTS:
                finished(queue, name, [rest])
        print(f"-- {2 * nb} of {name}: all reads were finished first", flush=True)
    blocks[LONG] = bytes(BLOCK)
    check_high(disk.queues[0], blocks)


def main():
    mode, path, other_path, file = sys.argv[1:5]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))
    fuse = FuseDisk(file, DISK) if mode != "measure" else None
    if fuse is not None:
        print("mounted", flush=True)
    try:
        disk = Disk(path, 2, F_FLUSH | F_DISCARD | F_WRITE_ZEROES | F_MQ)
        other = Disk(other_path, 1, 0)
        if fuse is None:
            measure(disk, other, file)
        else:
            held(disk, other, file, fuse, mode == "device")
        other.close()
        disk.close()
    finally:
        if fuse is not None:
            fuse.close()


if __name__ == "__main__":
    main()
