# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
"""hostile_ring.py DEVICE OTHER: breaks the rings of DEVICE, one way after the other.

Whatever DEVICE sends comes out of OTHER, and the other way round. On stdout a line "broken NAME
QUEUE" or "mended NAME QUEUE" for each way, then it waits for a line on stdin: there is something
to look at. QUEUE is 0 (the driver receives) or 1 (it sends).
"""
import sys

from vdpa_driver import D_INDIRECT, D_NEXT, D_WRITE, IOVA, Device

RX, TX = 0, 1
HEADER = 12
FRAME = bytes.fromhex("020000000002020000000001 88b5") + bytes(range(100))


def fail(why):
    print(f"failed: {why}", flush=True)
    sys.exit(1)


def outside(queue, flags):
    queue.set_desc(5, 0xDEAD00000000, 128, flags)
    queue.offer(5)


def across(queue, flags):
    """Begins in the last page of all memory and ends behind it."""
    queue.set_desc(5, IOVA + len(queue.memory) - 64, 128, flags)
    queue.offer(5)


def wrap(queue, flags):
    queue.set_desc(5, 0xFFFFFFFFFFFFFFC0, 128, flags)
    queue.offer(5)


def loop(queue, flags):
    queue.set_desc(5, queue.buffer(5), 64, flags | D_NEXT, 6)
    queue.set_desc(6, queue.buffer(6), 64, flags | D_NEXT, 5)
    queue.offer(5)


def index(queue, _flags):
    queue.offer(queue.num + 3)


def following(queue, flags):
    queue.set_desc(5, queue.buffer(5), 64, flags | D_NEXT, queue.num)
    queue.offer(5)


def more(queue, flags):
    """More is available than the ring holds."""
    queue.set_desc(5, queue.buffer(5), 128, flags)
    queue.offer(5, step=queue.num + 1)


def nested(queue, _flags):
    table = queue.buffers + 4096 * 6
    queue.memory[table:table + 16] = (queue.buffer(7)).to_bytes(8, "little") + \
        (16).to_bytes(4, "little") + D_INDIRECT.to_bytes(2, "little") + bytes(2)
    queue.set_desc(5, IOVA + table, 16, D_INDIRECT)
    queue.offer(5)


def odd_table(queue, _flags):
    queue.set_desc(5, queue.buffer(6), 24, D_INDIRECT)
    queue.offer(5)


WAYS = [outside, across, wrap, loop, index, following, more, nested, odd_table]


def offer_buffers(device, nb=8):
    queue = device.queues[RX]
    for _ in range(nb):
        head = queue.next % 32
        queue.set_desc(head, queue.buffer(head), 2048, D_WRITE)
        queue.offer(head)


def send(device, what):
    """One packet, which the device side takes."""
    queue = device.queues[TX]
    head = queue.next % 4
    offset = queue.buffers + 4096 * head
    device.memory[offset:offset + HEADER + len(FRAME)] = bytes(HEADER) + FRAME
    queue.set_desc(head, queue.buffer(head), HEADER + len(FRAME))
    queue.offer(head)
    if queue.take() != (head, 0):
        fail(f"{what}: the packet was not taken")


def carry(sender, receiver, what):
    """One packet, whole."""
    send(sender, what)
    got = receiver.queues[RX].take()
    if got is None:
        fail(f"{what}: the packet did not arrive")
    offset = receiver.queues[RX].buffers + 4096 * got[0] + HEADER
    if got[1] != HEADER + len(FRAME) or receiver.memory[offset:offset + len(FRAME)] != FRAME:
        fail(f"{what}: the packet is damaged")


def settle(sender, receiver, what):
    """Queues start a moment after the device is up; what comes before is lost."""
    for _ in range(40):
        send(sender, what)
        if receiver.queues[RX].take(0.1) is not None:
            return
    fail(f"{what}: no packet arrives")


def look(state, way, number):
    print(f"{state} {way.__name__} {number}", flush=True)
    if not sys.stdin.readline():
        fail("nobody looks")


def break_one(device, other, way, number):
    """The queue stops; the device's other queue and the other device go on."""
    name = f"{way.__name__} on queue {number}"
    device.up()
    other.up()
    offer_buffers(other)
    if number == TX:
        offer_buffers(device)
        settle(other, device, f"before {name}")
    settle(device, other, f"before {name}")
    way(device.queues[number], D_WRITE if number == RX else 0)
    if number == TX:
        carry(other, device, f"beside {name}")
    else:
        send(other, f"to {name}")
        carry(device, other, f"beside {name}")
    look("broken", way, number)
    if device.queues[number].take(0) is not None:
        fail(f"{name}: a bad chain was used")
    device.up()
    offer_buffers(device)
    settle(other, device, f"after {name}")
    carry(device, other, f"after {name}")
    look("mended", way, number)


def main():
    device, other = (Device(path) for path in sys.argv[1:3])
    for way in WAYS:
        for number in (TX, RX):
            break_one(device, other, way, number)
    device.down()
    other.down()
    print("done", flush=True)


main()
