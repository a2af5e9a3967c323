# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
"""
A sparse file on a FUSE file system (Linux's include/uapi/linux/fuse.h) of this process. It can
delay FSYNC and FALLOCATE for as long as a test needs, while it answers everything else.
"""
import ctypes
import errno
import multiprocessing
import os
import select
import struct
import time

GETATTR, OPEN, READ, WRITE, STATFS, RELEASE = 3, 14, 15, 16, 17, 18
FSYNC, FLUSH, INIT, FALLOCATE = 20, 25, 26, 43
NO_ANSWER = (2, 36, 42)  # FORGET, INTERRUPT, BATCH_FORGET
ASYNC_READ, BIG_WRITES = 1 << 0, 1 << 5
HEADER = 40
BLOCK = 4096
MNT_DETACH = 2


class FuseDisk:
    """The file at a path that exists, of size bytes; its server is a process of its own."""

    def __init__(self, at, size):
        self.at, self.size, self.blocks = at, size, {}
        self.hold = multiprocessing.Value("i", 0)
        self.nb_held = multiprocessing.Value("i", 0)
        self.changed = os.eventfd(0)
        self.held = []
        self.fuse = os.open("/dev/fuse", os.O_RDWR)
        self.libc = ctypes.CDLL(None, use_errno=True)
        options = f"fd={self.fuse},rootmode=100600,user_id=0,group_id=0".encode()
        if self.libc.mount(b"disk", at.encode(), b"fuse.disk", 0, options) != 0:
            raise OSError(ctypes.get_errno(), "mount", at)
        self.server = multiprocessing.Process(target=self.serve, daemon=True)
        self.server.start()

    def set_hold(self, hold):
        """Whether FSYNC and FALLOCATE wait from now on. Those that do are answered if not."""
        self.hold.value = hold
        os.eventfd_write(self.changed, 1)

    def close(self):
        self.libc.umount2(self.at.encode(), MNT_DETACH)
        # The file system ends with its server: no process waits for it any more.
        self.server.kill()
        self.server.join()
        os.close(self.fuse)
        os.close(self.changed)

    def serve(self):
        while True:
            ready = select.select([self.fuse, self.changed], [], [])[0]
            if self.changed in ready:
                os.eventfd_read(self.changed)
                if not self.hold.value:
                    self.let_go()
            if self.fuse in ready:
                try:
                    self.handle(os.read(self.fuse, 1 << 21))
                except OSError as error:
                    if error.errno == errno.ENODEV:
                        return
                    # A request that was taken back.
                    if error.errno not in (errno.ENOENT, errno.EINTR):
                        raise

    def let_go(self):
        for unique in self.held:
            self.answer(unique)
        self.held.clear()
        self.nb_held.value = 0

    def answer(self, unique, body=b"", error=0):
        os.write(self.fuse, struct.pack("<IiQ", 16 + len(body), -error, unique) + body)

    def attributes(self):
        now = int(time.time())
        return struct.pack("<QII6Q10I", 0, 0, 0, 1, self.size, 0, now, now, now, 0, 0, 0, 0o100600,
                           1, 0, 0, 0, BLOCK, 0)

    def handle(self, asked):
        _, op, unique = struct.unpack_from("<IIQ", asked)
        if op in NO_ANSWER:
            return
        if op == FALLOCATE:
            self.clear(*struct.unpack_from("<QQ", asked, HEADER + 8))
        if op in (FSYNC, FALLOCATE) and self.hold.value:
            self.held.append(unique)
            self.nb_held.value += 1
            return
        if op == INIT:
            body = struct.pack("<4I2H4I", 7, 31, BLOCK, ASYNC_READ | BIG_WRITES, 64, 48, 1 << 20, 1,
                               0, 0)
            self.answer(unique, body.ljust(64, b"\0"))
        elif op == GETATTR:
            self.answer(unique, self.attributes())
        elif op == OPEN:
            self.answer(unique, struct.pack("<QII", 1, 0, 0))
        elif op == READ:
            offset, size = struct.unpack_from("<QI", asked, HEADER + 8)
            self.answer(unique, self.read(offset, size))
        elif op == WRITE:
            offset, size = struct.unpack_from("<QI", asked, HEADER + 8)
            self.write(offset, asked[HEADER + 40:HEADER + 40 + size])
            self.answer(unique, struct.pack("<II", size, 0))
        elif op == STATFS:
            blocks = self.size // BLOCK
            self.answer(unique, struct.pack("<5Q4I", blocks, blocks, blocks, 1, 0, BLOCK, 255,
                                            BLOCK, 0).ljust(80, b"\0"))
        elif op in (RELEASE, FSYNC, FLUSH, FALLOCATE):
            self.answer(unique)
        else:
            self.answer(unique, error=errno.ENOSYS)

    def read(self, offset, size):
        """Whole blocks, but for the end."""
        blocks = range(offset // BLOCK, (offset + size + BLOCK - 1) // BLOCK)
        data = b"".join(self.blocks.get(block, bytes(BLOCK)) for block in blocks)
        return data[offset % BLOCK:offset % BLOCK + size]

    def clear(self, offset, size):
        for block in [block for block in self.blocks
                      if offset <= BLOCK * block and BLOCK * (block + 1) <= offset + size]:
            del self.blocks[block]

    def write(self, offset, data):
        first = offset // BLOCK
        old = bytearray(self.read(BLOCK * first, (offset % BLOCK + len(data) + BLOCK - 1) //
                                  BLOCK * BLOCK))
        old[offset % BLOCK:offset % BLOCK + len(data)] = data
        for i in range(len(old) // BLOCK):
            self.blocks[first + i] = bytes(old[BLOCK * i:BLOCK * i + BLOCK])
