# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
"""The memory of the two QEMUs of a migration, while neither runs the guest.

TCG of QEMU 7.2 loses pages that the guest's processors wrote, with QEMU's own disk as well: in the
migrations in which it looks at the dirty log more than three times, as it does on a busy machine.
So what the device wrote last is compared, of which only the dirty log under test tells QEMU. Other
pages that differ are copied.

Input: two QEMUs, and the page frames of the buffers that only the device writes. Output: faults,
one line each; a target whose memory is the source's. Thread: one.
"""
import mmap
import os
import struct

PAGE = 4096
DIMM = 8 << 20  # bytes of a memory device
PART = 2 << 20  # of the memory: compared at once
DESC = 16  # bytes of a packed descriptor
AVAIL, USED = 1 << 7, 1 << 15  # of its flags


def memory_of(qemu):
    """The file of the guest's memory from address 0 on, not those of its memory devices."""
    folder = f"/proc/{qemu.process.pid}/fd"
    for fd in os.listdir(folder):
        if ("memory-backend-memfd" in os.readlink(f"{folder}/{fd}")
                and os.stat(f"{folder}/{fd}").st_size != DIMM):
            with open(f"{folder}/{fd}", "r+b") as file:
                return mmap.mmap(file.fileno(), 0)
    raise FileNotFoundError(f"{qemu.name}: no memory")


def rings_of(qemu):
    """(is it packed, what QEMU says of it) for each ring that the driver set up."""
    for device in qemu.ask("x-query-virtio"):
        path = device["path"]
        status = qemu.ask("x-query-virtio-status", path=path)
        packed = any("RING_PACKED" in name for name in status["guest-features"]["transports"])
        for nth in range(status["num-vqs"]):
            ring = qemu.ask("x-query-virtio-queue-status", path=path, queue=nth)
            if ring["vring-desc"] != 0:
                yield packed, ring


def is_used(memory, start):
    """The device wrote the packed descriptor last."""
    flags, = struct.unpack_from("<H", memory, start + DESC - 2)
    return bool(flags & AVAIL) == bool(flags & USED)


def ranges_of_device(source, memory, buffers):
    """(what, start, length): the source's device was the last that wrote there."""
    for frame in buffers:
        yield "a buffer", frame * PAGE, PAGE
    for packed, ring in rings_of(source):
        nb, used, table = ring["vring-num"], ring["vring-used"], ring["vring-desc"]
        # Behind an IOMMU it is an address of the driver: rings are left to the unit tests of the log.
        if used >= len(memory):
            continue
        if not packed:
            yield "a used ring", used, 6 + 8 * nb
            continue
        yield "the device's event suppression", used, 4
        for start in range(table, table + nb * DESC, DESC):
            if is_used(memory, start):
                yield "a used descriptor", start, DESC


def hand_over(source, target, buffers):
    """Returns the faults, and how many pages had to be copied."""
    old, new = memory_of(source), memory_of(target)
    faults = [f"{what} at {start:#x}: the target has {new[start:start + length][:16].hex()}..., not "
              f"{old[start:start + length][:16].hex()}..."
              for what, start, length in ranges_of_device(source, old, buffers)
              if old[start:start + length] != new[start:start + length]]
    nb = 0
    for part in range(0, len(old), PART):
        if old[part:part + PART] == new[part:part + PART]:
            continue
        for start in range(part, min(part + PART, len(old)), PAGE):
            if old[start:start + PAGE] != new[start:start + PAGE]:
                new[start:start + PAGE] = old[start:start + PAGE]
                nb += 1
    return faults, nb
