#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
"""
libblkio as the driver of a disk. Arguments: the library, the socket, the file of the disk, which
has at least 1 MiB. Its memory has two regions; the second is added while it runs.
"""
import ctypes as c
import random
import sys

BLOCK = 4096
BLOCKS = 256
DEPTH = 32


class Region(c.Structure):
    """struct blkio_mem_region"""
    _fields_ = [("addr", c.c_void_p), ("len", c.c_size_t), ("iova", c.c_uint64),
                ("fd_offset", c.c_int64), ("fd", c.c_int), ("flags", c.c_uint32)]


class Completion(c.Structure):
    """struct blkio_completion"""
    _fields_ = [("user_data", c.c_void_p), ("error", c.c_char_p), ("ret", c.c_int),
                ("reserved", c.c_uint8 * 12)]


class Blkio:
    """A disk, started, with one queue."""

    def __init__(self, library, path):
        self.lib = c.CDLL(library)
        self.lib.blkio_get_error_msg.restype = c.c_char_p
        self.lib.blkio_get_queue.restype = c.c_void_p
        self.blkio, self.regions = c.c_void_p(), []
        self.call("blkio_create", b"virtio-blk-vhost-user", c.byref(self.blkio))
        self.call("blkio_set_str", self.blkio, b"path", path.encode())
        self.call("blkio_connect", self.blkio)
        self.call("blkio_start", self.blkio)
        self.queue = c.c_void_p(self.lib.blkio_get_queue(self.blkio, 0))

    def call(self, name, *args):
        ret = getattr(self.lib, name)(*args)
        if ret < 0:
            raise OSError(-ret, f"{name}: {self.lib.blkio_get_error_msg().decode()}")
        return ret

    def number(self, name):
        value = c.c_uint64()
        self.call("blkio_get_uint64", self.blkio, name.encode(), c.byref(value))
        return value.value

    def memory(self, size):
        """Address of memory that the device may use."""
        region = Region()
        self.call("blkio_alloc_mem_region", self.blkio, c.byref(region), c.c_size_t(size))
        self.call("blkio_map_mem_region", self.blkio, c.byref(region))
        self.regions.append(region)
        return region.addr

    def forget(self):
        """Takes the memory away that came last."""
        region = self.regions.pop()
        self.call("blkio_unmap_mem_region", self.blkio, c.byref(region))
        self.lib.blkio_free_mem_region(self.blkio, c.byref(region))

    def request(self, name, *args):
        getattr(self.lib, "blkioq_" + name)(self.queue, *args, None, c.c_uint32(0))

    def wait(self, nb):
        done = (Completion * nb)()
        got = self.call("blkioq_do_io", self.queue, done, c.c_int(nb), c.c_int(nb), None)
        if got != nb or any(each.ret for each in done):
            raise ValueError(f"{got} of {nb} finished: {[each.ret for each in done]}")

    def close(self):
        self.lib.blkio_destroy(c.byref(self.blkio))


def transfer(disk, name, memory, blocks):
    """Each block in a place of its own."""
    for i, block in enumerate(blocks):
        disk.request(name, c.c_uint64(BLOCK * block), c.c_void_p(memory + BLOCK * i),
                     c.c_size_t(BLOCK))
    disk.wait(len(blocks))


def check(disk, memory, copy, chance):
    blocks = chance.sample(range(BLOCKS), DEPTH)
    for i, block in enumerate(blocks):
        copy[block] = chance.randbytes(BLOCK)
        c.memmove(memory + BLOCK * i, copy[block], BLOCK)
    transfer(disk, "write", memory, blocks)
    blocks = chance.sample(sorted(copy), DEPTH)
    c.memset(memory, 0xAA, BLOCK * DEPTH)
    transfer(disk, "read", memory, blocks)
    for i, block in enumerate(blocks):
        if c.string_at(memory + BLOCK * i, BLOCK) != copy[block]:
            raise ValueError(f"block {block} is not what was written")


def zeroes(disk, copy):
    block = min(copy)
    disk.request("write_zeroes", c.c_uint64(BLOCK * block), c.c_uint64(BLOCK))
    disk.wait(1)
    copy[block] = bytes(BLOCK)


def main():
    library, path, image = sys.argv[1:]
    disk, copy, chance = Blkio(library, path), {}, random.Random(1)
    print(f"{disk.number('capacity')} bytes, {disk.number('max-mem-regions')} regions")
    first = disk.memory(BLOCK * DEPTH)
    for _ in range(20):
        check(disk, first, copy, chance)
        check(disk, disk.memory(BLOCK * DEPTH), copy, chance)
        disk.forget()
        zeroes(disk, copy)
    disk.request("flush")
    disk.wait(1)
    disk.close()
    with open(image, "rb") as file:
        for block, data in copy.items():
            file.seek(BLOCK * block)
            if file.read(BLOCK) != data:
                raise ValueError(f"{image}: block {block} is not what was written")


if __name__ == "__main__":
    main()
