# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
"""A minimal vhost-user driver, with which a test can send valid and invalid messages."""
import array
import ctypes
import mmap
import os
import socket
import struct

GET_FEATURES, SET_FEATURES, SET_OWNER, SET_MEM_TABLE = 1, 2, 3, 5
SET_LOG_BASE, SET_VRING_NUM, SET_VRING_ADDR, SET_VRING_BASE = 6, 8, 9, 10
GET_VRING_BASE, SET_VRING_KICK, SET_VRING_CALL = 11, 12, 13
GET_PROTOCOL_FEATURES, SET_PROTOCOL_FEATURES, GET_QUEUE_NUM = 15, 16, 17
SET_VRING_ENABLE, SEND_RARP, SET_BACKEND_CHANNEL, IOTLB_MSG = 18, 19, 21, 22
GET_CONFIG, SET_CONFIG, GET_INFLIGHT_FD, SET_INFLIGHT_FD = 24, 25, 31, 32
VRING_NO_FD = 1 << 8  # a virtqueue's number without a descriptor
GET_MAX_MEM_SLOTS, ADD_MEM_REG, REM_MEM_REG = 36, 37, 38
BACKEND_CONFIG_CHANGE = 2

NEED_REPLY = 8
F_PROTOCOL_FEATURES = 1 << 30
F_VERSION_1 = 1 << 32
P_RARP, P_REPLY_ACK, P_BACKEND_CHANNEL, P_CONFIG = 1 << 2, 1 << 3, 1 << 5, 1 << 9

RING = 8
USER = 0x7F0000000000  # where the driver pretends to have its memory


class Dropped(Exception):
    """The other side closed the connection."""


class Memory:
    """A file of driver memory, at the same place in its addresses and guest physical."""

    def __init__(self, size, first=0x100000, name="hostile"):
        self.fd = os.memfd_create(name)
        self.size, self.first = size, first
        os.ftruncate(self.fd, size)
        self.map = mmap.mmap(self.fd, size)

    def region(self, first=None, size=None, offset=0):
        first = self.first if first is None else first
        return struct.pack("<4Q", first, size or self.size, USER + first, offset)

    def close(self):
        self.map.close()
        os.close(self.fd)


class Client:
    """One connection; fds that go with it are closed with it."""

    def __init__(self, path):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(10)
        self.sock.connect(path)
        self.fds, self.kicks = [], {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()
        for fd in self.fds:
            os.close(fd)

    def raw(self, data, fds=()):
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
        try:
            self.sock.sendmsg([data], rights)
        except (BrokenPipeError, ConnectionResetError) as error:
            raise Dropped from error

    def send(self, kind, payload=b"", fds=(), flags=0):
        self.raw(struct.pack("<3I", kind, 1 | flags, len(payload)) + payload, fds)

    def receive(self):
        try:
            head = self.sock.recv(12, socket.MSG_WAITALL)
            if len(head) < 12:
                raise Dropped
            size = struct.unpack("<3I", head)[2]
            return self.sock.recv(size, socket.MSG_WAITALL) if size else b""
        except ConnectionResetError as error:
            raise Dropped from error

    def ask(self, kind, payload=b"", fds=()):
        self.send(kind, payload, fds)
        return self.receive()

    def ack(self, kind, payload=b"", fds=()):
        """Sends, and waits until it was done. Raises if it was refused."""
        self.send(kind, payload, fds, NEED_REPLY)
        (refused,) = struct.unpack("<Q", self.receive())
        if refused:
            raise ValueError(f"message {kind} refused")

    def features(self):
        return struct.unpack("<Q", self.ask(GET_FEATURES))[0]

    def eventfd(self):
        fd = os.eventfd(0, os.EFD_NONBLOCK)
        self.fds.append(fd)
        return fd

    def negotiate(self, features=F_VERSION_1):
        self.send(SET_OWNER)
        self.features()
        self.ask(GET_PROTOCOL_FEATURES)
        self.send(SET_PROTOCOL_FEATURES,
                  struct.pack("<Q", P_REPLY_ACK | P_BACKEND_CHANNEL | P_CONFIG))
        self.ack(SET_FEATURES, struct.pack("<Q", features | F_PROTOCOL_FEATURES))

    def table(self, regions, fds):
        self.ack(SET_MEM_TABLE, struct.pack("<II", len(regions), 0) + b"".join(regions), fds)

    def add_region(self, region, fds):
        self.ack(ADD_MEM_REG, bytes(8) + region, fds)

    def remove_region(self, region, fds=()):
        self.ack(REM_MEM_REG, bytes(8) + region, fds)

    def addresses(self, index, first, **where):
        """Three rings in a page from first, unless said otherwise."""
        place = {"desc": USER + first, "avail": USER + first + 0x400,
                 "used": USER + first + 0x800, **where}
        self.ack(SET_VRING_ADDR, struct.pack("<2I4Q", index, 0, place["desc"], place["used"],
                                             place["avail"], 0))

    def call(self, index, fd):
        """Says where a virtqueue's interrupts go: an eventfd, or None for nowhere."""
        self.ack(SET_VRING_CALL, struct.pack("<Q", index | (VRING_NO_FD if fd is None else 0)),
                 [] if fd is None else [fd])

    def vring(self, index, first, call=None, size=RING, start=0, **where):
        """A virtqueue is kicked off and enabled. call: None for a new eventfd, False for none."""
        fd = self.eventfd() if call is None else call
        self.call(index, None if fd is False else fd)
        self.ack(SET_VRING_NUM, struct.pack("<II", index, size))
        self.ack(SET_VRING_BASE, struct.pack("<II", index, start))
        self.addresses(index, first, **where)
        self.kicks[index] = self.eventfd()
        self.ack(SET_VRING_KICK, struct.pack("<Q", index), [self.kicks[index]])
        self.ack(SET_VRING_ENABLE, struct.pack("<II", index, 1))

    def kick(self, index):
        """Wakes a device that sleeps, after something was made available. None before vring()."""
        if index in self.kicks:
            os.eventfd_write(self.kicks[index], 1)

    def base(self, index):
        """Stops a virtqueue: where it stopped."""
        return struct.unpack("<II", self.ask(GET_VRING_BASE, struct.pack("<II", index, 0)))[1]


class Ring:
    """The driver's side of a split ring that Client.vring() set up in memory."""

    def __init__(self, memory):
        self.memory, self.nb, self.at = memory, 0, 0

    def offer(self, address, size):
        """Makes a buffer that the device reads available."""
        slot = self.nb % RING
        struct.pack_into("<QIHH", self.memory.map, self.at + 16 * slot, address, size, 0, 0)
        struct.pack_into("<H", self.memory.map, self.at + 0x404 + 2 * slot, slot)
        self.nb += 1
        # struct.pack_into() would write zeroes first, and the device looks all the time.
        index = ctypes.c_uint16.from_buffer(self.memory.map, self.at + 0x402)
        index.value = self.nb & 0xFFFF
        # Or the mapping could not be closed.
        del index

    def used(self):
        return struct.unpack_from("<H", self.memory.map, self.at + 0x802)[0]
