# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
"""groups.py DEVICE: puts the last of three virtqueues into an address space of its own.

The device returns what it reads. Both spaces use the same addresses for other memory, so a look-up
in the wrong one finds no chain. After "up" on stdout it waits for a line on stdin.
"""
import errno
import fcntl
import mmap
import struct
import sys

from vdpa_driver import (BACKEND_IOTLB_ASID, BACKEND_IOTLB_V2, D_NEXT, D_WRITE, F_ACCESS_PLATFORM,
                         F_VERSION_1, GET_AS_NUM, GET_GROUP_NUM, GET_VRING_GROUP, IOVA,
                         SET_GROUP_ASID, Queue, Vdpa)

SIZE, NUM, CTRL = 2 << 20, 16, 2
SPARE = IOVA + (1 << 30)


def check(what, got, wanted):
    print(f"{what}: {got}", flush=True)
    if got != wanted:
        print(f"failed: not {wanted}", flush=True)
        sys.exit(1)


class Groups(Vdpa):
    """A driver with memory in each address space, and virtqueues in the one that it says."""

    def __init__(self, path):
        super().__init__(path, BACKEND_IOTLB_V2 | BACKEND_IOTLB_ASID)
        self.memory = [mmap.mmap(-1, SIZE) for _ in range(2)]
        self.queues = []

    def number(self, ioctl):
        return struct.unpack("<I", fcntl.ioctl(self.fd, ioctl, bytes(4)))[0]

    def group(self, index):
        return struct.unpack("<II", fcntl.ioctl(self.fd, GET_VRING_GROUP,
                                                struct.pack("<II", index, 0)))[1]

    def move(self, group, asid):
        """Moves a group; returns the errno."""
        try:
            fcntl.ioctl(self.fd, SET_GROUP_ASID, struct.pack("<II", group, asid))
        except OSError as error:
            return error.errno
        return 0

    def reset(self):
        self.status()
        for asid in range(2):
            self.unmap(IOVA, SIZE, asid)

    def up(self, ctrl_space):
        """The device comes up with the control queue in a space, the other two in space 0."""
        self.negotiate(F_VERSION_1 | F_ACCESS_PLATFORM)
        spaces = (0, 0, ctrl_space)
        end, self.queues = [0, 0], []
        for asid in range(2):
            self.map(IOVA, SIZE, self.memory[asid], asid=asid)
        for index, asid in enumerate(spaces):
            queue = Queue(self.memory[asid], end[asid], NUM)
            queue.clear()
            end[asid] = queue.end
            self.queues.append(queue)
            self.vring(index, NUM, IOVA + queue.desc, IOVA + queue.avail, IOVA + queue.used)
        self.driver_ok()

    def echo(self, what):
        """A chain on each virtqueue comes back with what it says."""
        for index, queue in enumerate(self.queues):
            text = f"{what}, virtqueue {index}".encode()
            at = [queue.buffers + 4096 * i for i in range(2)]
            queue.memory[at[0]:at[0] + len(text)] = text
            queue.memory[at[1]:at[1] + len(text)] = bytes(len(text))
            queue.set_desc(0, queue.buffer(0), len(text), D_NEXT, 1)
            queue.set_desc(1, queue.buffer(1), len(text), D_WRITE)
            queue.offer(0)
            check(f"{what}, used by virtqueue {index}", queue.take(60), (0, len(text)))
            check(what, bytes(queue.memory[at[1]:at[1] + len(text)]), text)


def main():
    device = Groups(sys.argv[1])
    check("groups", device.number(GET_GROUP_NUM), 2)
    check("address spaces", device.number(GET_AS_NUM), 2)
    check("groups of the virtqueues", [device.group(index) for index in range(3)], [0, 0, 1])
    check("move beyond the last space", device.move(1, 2), errno.EINVAL)
    check("move beyond the last group", device.move(2, 1), errno.EINVAL)
    device.up(0)
    device.echo("one space")
    check("move while the driver is up", device.move(1, 1), errno.EBUSY)
    device.reset()
    check("move", device.move(1, 1), 0)
    device.up(1)
    device.echo("two spaces")
    device.map(SPARE, SIZE, device.memory[0], asid=1)
    device.echo("space 1 changed")
    device.unmap(SPARE, SIZE, 1)
    device.map(SPARE, SIZE, device.memory[1], asid=0)
    device.echo("space 0 changed")
    device.unmap(SPARE, SIZE, 0)
    device.reset()
    device.up(0)
    device.echo("one space after a reset")
    device.reset()
    check("move", device.move(1, 1), 0)
    device.up(1)
    # The rings are empty: where another process goes on is where they begin.
    print("up", flush=True)
    if not sys.stdin.readline():
        sys.exit(1)
    device.echo("another process")
    device.reset()
    device.close()
    print("done", flush=True)


main()
