#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
"""
Random clients of a vhost-user socket: messages in any order, valid, invalid and truncated, with
any file descriptors, and rings with any content. Arguments: the socket, its process, the duration
in seconds, and the seed. The process must survive and have as many files open as before.
"""
import os
import random
import struct
import sys
import time

import vhost_user as vu
from vhost_user import Client, Dropped, Memory

FEATURES = vu.F_VERSION_1 | 1 << 9 | 1 << 11
F_RING_PACKED = 1 << 34
NUMBERS = (0, 1, 2, 7, 64, 255, 256, 4096, 32768, 32769, 0x100000, vu.USER, vu.USER + 0x100000,
           vu.USER + 0x100800, 1 << 31, (1 << 32) - 1, 1 << 32, 1 << 63, (1 << 64) - 1)
VRINGS = (0, 0, 1, 2, 200, 255)


class Fuzz:
    """One random stream of clients."""

    def __init__(self, path, seed):
        self.path, self.random = path, random.Random(seed)
        self.memory = Memory(1 << 20, name="fuzz")
        self.null = os.open("/dev/null", os.O_RDWR)
        self.event = os.eventfd(0, os.EFD_NONBLOCK)
        self.messages = 0

    def number(self, bits=64):
        value = self.random.choice(NUMBERS + (self.random.getrandbits(64),))
        return value & ((1 << bits) - 1)

    def vring(self):
        return self.random.choice(VRINGS)

    def region(self):
        if self.random.random() < 0.4:
            return struct.pack("<4Q", *(self.number() for _ in range(4)))
        return self.memory.region(first=self.random.choice((0x100000, 0x200000, 0x300000)),
                                  size=self.random.choice((None, 4096)))

    def features(self):
        wanted = self.random.choice((FEATURES, FEATURES | F_RING_PACKED, self.number()))
        return struct.pack("<Q", wanted | vu.F_PROTOCOL_FEATURES), []

    def table(self):
        number = self.random.choice((0, 1, 2, 3, 8, 9))
        regions = b"".join(self.region() for _ in range(min(number, 8)))
        return struct.pack("<II", number, 0) + regions, [self.memory.fd] * min(number, 8)

    def slot(self):
        return bytes(8) + self.region(), [self.memory.fd]

    def state(self):
        return struct.pack("<II", self.vring(), self.number(32)), []

    def addresses(self):
        places = [self.number() for _ in range(3)]
        if self.random.random() < 0.7:
            places = [vu.USER + 0x100000 + at for at in (0, 0x800, 0x400)]
        return struct.pack("<2I4Q", self.vring(), 0, *places, 0), []

    def file(self):
        return struct.pack("<Q", self.vring() | self.random.choice((0, 0, 0x100))), [self.event]

    def config(self):
        size = self.random.choice((0, 1, 1, 4, 5, 6, 60, 256, 257))
        return (struct.pack("<3I", self.random.choice((32, 0, 59, 60, self.number(32))), size, 0) +
                self.random.randbytes(min(size, 256))), []

    def inflight(self):
        return struct.pack("<2Q2HI", self.random.choice((4096, self.number())),
                           self.random.choice((0, 4096)), self.random.choice((1, 2, 255)), 64,
                           0), [self.memory.fd]

    def anything(self):
        return self.random.randbytes(self.random.choice((0, 4, 8, 40))), []

    KINDS = {
        vu.SET_FEATURES: features, vu.SET_PROTOCOL_FEATURES: features, vu.SET_MEM_TABLE: table,
        vu.ADD_MEM_REG: slot, vu.REM_MEM_REG: slot, vu.GET_MAX_MEM_SLOTS: anything,
        vu.SET_VRING_NUM: state, vu.SET_VRING_BASE: state, vu.GET_VRING_BASE: state,
        vu.SET_VRING_ENABLE: state, vu.SET_VRING_ADDR: addresses, vu.SET_VRING_KICK: file,
        vu.SET_VRING_CALL: file, vu.GET_CONFIG: config, vu.SET_CONFIG: config,
        vu.GET_INFLIGHT_FD: inflight, vu.SET_INFLIGHT_FD: inflight, vu.GET_QUEUE_NUM: anything,
        4: anything, 14: file, 99: anything,  # RESET_OWNER, SET_VRING_ERR, none
    }
    NUMBERED = (vu.SET_VRING_NUM, vu.SET_VRING_BASE, vu.GET_VRING_BASE, vu.SET_VRING_ENABLE,
                vu.SET_VRING_ADDR, vu.SET_INFLIGHT_FD)

    def send(self, client):
        kind = self.random.choice(list(self.KINDS))
        payload, fds = self.KINDS[kind](self)
        if self.random.random() < 0.1 and kind not in self.NUMBERED:
            payload = payload[:self.random.randint(0, len(payload))]
        if self.random.random() < 0.15:
            fds = self.random.choices((self.memory.fd, self.null, self.event),
                                      k=self.random.randint(0, 8))
        client.send(kind, payload, fds, flags=self.random.choice((0, vu.NEED_REPLY)))
        self.messages += 1

    def scribble(self):
        at = self.random.randrange(0x1000)
        self.memory.map[at:at + 64] = self.random.randbytes(64)

    def drain(self, client):
        client.sock.setblocking(False)
        try:
            while client.sock.recv(4096):
                pass
        except BlockingIOError:
            pass
        client.sock.settimeout(10)

    def client(self):
        with Client(self.path) as client:
            if self.random.random() < 0.8:
                client.negotiate(FEATURES | self.random.choice((0, F_RING_PACKED)))
            if self.random.random() < 0.5:
                client.add_region(self.memory.region(), [self.memory.fd])
                client.vring(0, self.memory.first, size=64)
            for _ in range(self.random.randint(1, 40)):
                self.send(client)
                self.scribble()
                self.drain(client)


def nb_fds(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def main():
    path, pid, seconds, seed = sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), sys.argv[4]
    fuzz, before, clients, end = Fuzz(path, seed), nb_fds(pid), 0, time.monotonic() + seconds
    while time.monotonic() < end:
        clients += 1
        try:
            fuzz.client()
        except (Dropped, ValueError, ConnectionError, struct.error):
            pass
        os.kill(pid, 0)
    end = time.monotonic() + 10
    while nb_fds(pid) != before:
        if time.monotonic() > end:
            sys.exit(f"{before} files became {nb_fds(pid)}")
        time.sleep(0.1)
    print(f"{clients} clients, {fuzz.messages} messages, seed {seed}")


if __name__ == "__main__":
    main()
