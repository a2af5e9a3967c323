# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
"""A virtio driver over /dev/vhost-vdpa-N in a few lines: what a test wants to say, right or wrong.

Vdpa is the device, for rings of any kind; Device and Queue are split ones, whose addresses (iova)
are offsets in one piece of memory, plus IOVA.
"""
import ctypes
import fcntl
import mmap
import os
import struct
import time

IOVA = 0x10000000
F_INDIRECT_DESC, F_VERSION_1, F_ACCESS_PLATFORM = 1 << 28, 1 << 32, 1 << 33
D_NEXT, D_WRITE, D_INDIRECT = 1, 2, 4

ACKNOWLEDGE, DRIVER, DRIVER_OK, FEATURES_OK = 1, 2, 4, 8
BACKEND_IOTLB_V2, BACKEND_IOTLB_ASID = 1 << 1, 1 << 3
IOTLB_UPDATE, IOTLB_INVALIDATE, ACCESS_RW = 2, 3, 3


def _ioc(direction, number, size):
    return direction << 30 | size << 16 | 0xAF << 8 | number


GET_FEATURES, SET_FEATURES = _ioc(2, 0x00, 8), _ioc(1, 0x00, 8)
SET_OWNER = _ioc(0, 0x01, 0)
SET_VRING_NUM, SET_VRING_ADDR = _ioc(1, 0x10, 8), _ioc(1, 0x11, 40)
SET_VRING_BASE, GET_VRING_BASE = _ioc(1, 0x12, 8), _ioc(3, 0x12, 8)
SET_VRING_KICK = _ioc(1, 0x20, 8)
SET_BACKEND_FEATURES = _ioc(1, 0x25, 8)
SET_STATUS, GET_CONFIG = _ioc(1, 0x72, 1), _ioc(2, 0x73, 8)
SET_VRING_ENABLE = _ioc(1, 0x75, 8)
GET_AS_NUM, GET_GROUP_NUM = _ioc(2, 0x7A, 4), _ioc(2, 0x81, 4)
GET_VRING_GROUP, SET_GROUP_ASID = _ioc(3, 0x7B, 8), _ioc(1, 0x7C, 8)


class Queue:
    """A split ring and room for one buffer of 4 KiB for each descriptor."""

    def __init__(self, memory, start, num):
        self.memory, self.num = memory, num
        self.desc = start
        self.avail = self.desc + 16 * num
        self.used = (self.avail + 6 + 2 * num + 3) & ~3
        self.buffers = (self.used + 6 + 8 * num + 4095) & ~4095
        self.end = self.buffers + 4096 * num
        self.next = self.seen = 0

    def clear(self):
        """A ring as new."""
        self.memory[self.desc:self.buffers] = bytes(self.buffers - self.desc)
        self.next = self.seen = 0

    def buffer(self, index):
        """The iova of a descriptor's own buffer."""
        return IOVA + self.buffers + 4096 * index

    def set_desc(self, index, iova, length, flags=0, following=0):
        """Writes a descriptor of the ring."""
        struct.pack_into("<QIHH", self.memory, self.desc + 16 * index, iova, length, flags,
                         following)

    def offer(self, head, step=1):
        """Makes a chain available; with another step the index lies."""
        struct.pack_into("<H", self.memory, self.avail + 4 + 2 * (self.next % self.num), head)
        self.next = (self.next + step) & 0xFFFF
        # struct.pack_into() would write zeroes first, and the device looks all the time.
        ctypes.c_uint16.from_buffer(self.memory, self.avail + 2).value = self.next

    def take(self, seconds=5.0):
        """The next used element (head, length), or None when time is up."""
        end = time.monotonic() + seconds
        while struct.unpack_from("<H", self.memory, self.used + 2)[0] == self.seen:
            if time.monotonic() > end:
                return None
            time.sleep(0.001)
        element = struct.unpack_from("<II", self.memory,
                                     self.used + 4 + 8 * (self.seen % self.num))
        self.seen = (self.seen + 1) & 0xFFFF
        return element


class Vdpa:
    """An open vhost-vdpa device, and what can be said to it."""

    def __init__(self, path, backend=BACKEND_IOTLB_V2):
        self.fd, self.kicks = os.open(path, os.O_RDWR | os.O_CLOEXEC), {}
        fcntl.ioctl(self.fd, SET_OWNER)
        fcntl.ioctl(self.fd, SET_BACKEND_FEATURES, struct.pack("<Q", backend))

    def close(self):
        for fd in (self.fd, *self.kicks.values()):
            os.close(fd)

    def map(self, iova, size, memory, offset=0, asid=0):
        """Shows bytes of a mapping of ours to the device, in an address space."""
        first = ctypes.c_char.from_buffer(memory)
        message = struct.pack("<IIQQQBB", 2, asid, iova, size, ctypes.addressof(first) + offset,
                              ACCESS_RW, IOTLB_UPDATE)
        # Or the mapping could not be closed.
        del first
        os.write(self.fd, message.ljust(72, b"\0"))

    def unmap(self, iova, size, asid=0):
        """Takes them away again."""
        message = struct.pack("<IIQQQBB", 2, asid, iova, size, 0, 0, IOTLB_INVALIDATE)
        os.write(self.fd, message.ljust(72, b"\0"))

    def status(self, *bits):
        """Sets the device status; without bits that is a reset."""
        fcntl.ioctl(self.fd, SET_STATUS, bytes([sum(bits)]))

    def offered(self):
        return struct.unpack("<Q", fcntl.ioctl(self.fd, GET_FEATURES, bytes(8)))[0]

    def config(self, offset, size):
        """Bytes of the configuration space."""
        ask = struct.pack("<II", offset, size) + bytes(size)
        return fcntl.ioctl(self.fd, GET_CONFIG, ask)[8:]

    def negotiate(self, features):
        """Takes features after a reset."""
        self.status(ACKNOWLEDGE, DRIVER)
        fcntl.ioctl(self.fd, SET_FEATURES, struct.pack("<Q", features))
        self.status(ACKNOWLEDGE, DRIVER, FEATURES_OK)

    def vring(self, index, num, desc, avail, used, base=0):
        """A virtqueue is enabled, its rings at these addresses."""
        fcntl.ioctl(self.fd, SET_VRING_NUM, struct.pack("<II", index, num))
        fcntl.ioctl(self.fd, SET_VRING_ADDR,
                    struct.pack("<IIQQQQ", index, 0, desc, used, avail, 0))
        fcntl.ioctl(self.fd, SET_VRING_BASE, struct.pack("<II", index, base))
        if index not in self.kicks:
            self.kicks[index] = os.eventfd(0, os.EFD_NONBLOCK)
        fcntl.ioctl(self.fd, SET_VRING_KICK, struct.pack("<Ii", index, self.kicks[index]))
        fcntl.ioctl(self.fd, SET_VRING_ENABLE, struct.pack("<II", index, 1))

    def driver_ok(self):
        self.status(ACKNOWLEDGE, DRIVER, FEATURES_OK, DRIVER_OK)


class Device(Vdpa):
    """A device with memory shown to it and split queues, set up by up()."""

    def __init__(self, path, nb_queues=2, num=64, features=F_INDIRECT_DESC):
        super().__init__(path)
        self.features = features | F_VERSION_1 | F_ACCESS_PLATFORM
        self.memory = mmap.mmap(-1, 2 << 20)
        self.shown = False
        self.queues, start = [], 0
        for _ in range(nb_queues):
            self.queues.append(Queue(self.memory, start, num))
            start = self.queues[-1].end

    def up(self):
        """Resets the device and brings it up with empty rings."""
        self.down()
        self.negotiate(self.features)
        self.map(IOVA, len(self.memory), self.memory)
        self.shown = True
        for index, queue in enumerate(self.queues):
            queue.clear()
            self.vring(index, queue.num, IOVA + queue.desc, IOVA + queue.avail, IOVA + queue.used)
        self.driver_ok()

    def down(self):
        """Resets the device and takes its memory away."""
        self.status()
        if self.shown:
            self.unmap(IOVA, len(self.memory))
        self.shown = False
