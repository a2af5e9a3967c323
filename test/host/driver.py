# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
"""driver.py SOCKET PID LOG STDIN: a driver that does what QEMU does and virtio_user does not.

Its memory changes while a virtqueue runs, its call descriptor too; it asks where a virtqueue
stopped, starts it again there, and reads the configuration space. PID is the testpmd there.
"""
import os
import select
import socket
import struct
import sys
import time

import vhost_user as vu
from vhost_user import Client, Memory, Ring

PATH, PID, LOG, STDIN = sys.argv[1:5]
PACKET = 12 + 60
BUFFER = 0x10000  # in each memory
TX = 1


def fail(why):
    sys.exit(f"FAIL: {why}")


def until(condition, what):
    end = time.monotonic() + 10
    while not condition():
        if time.monotonic() > end:
            fail(what)
        time.sleep(0.01)


def step(what):
    print(f"-- {what}", flush=True)


def carried(ring, memory, nb=1):
    """The device reads nb packets that lie in memory."""
    for _ in range(nb):
        ring.offer(memory.first + BUFFER, PACKET)
    until(lambda: ring.used() == ring.nb & 0xFFFF, f"used {ring.used()} of {ring.nb} packets")


def said(text):
    with open(LOG, encoding="utf-8", errors="replace") as log:
        return sum(text in line for line in log)


def positions(client, memory):
    step("a virtqueue stops, and goes on where it was")
    ring = Ring(memory)
    client.vring(TX, memory.first)
    for nb in (5, 3, 8, 1):
        carried(ring, memory, nb)
        base = client.base(TX)
        if base != ring.nb:
            fail(f"it stopped at {base}, not at {ring.nb}")
        client.vring(TX, memory.first, start=base)
    carried(ring, memory)
    return ring


def told_call(client):
    """A new call descriptor; the call that may be owed to it is there, and read."""
    fd = client.eventfd()
    client.call(TX, fd)
    until(lambda: select.select([fd], [], [], 0)[0], "a new call descriptor is not called")
    os.eventfd_read(fd)
    return fd


def calls(client, memory, ring):
    step("interrupts go where the driver said last")
    old = told_call(client)
    carried(ring, memory)
    until(lambda: select.select([old], [], [], 0)[0], "no interrupt")
    os.eventfd_read(old)
    new = told_call(client)
    carried(ring, memory)
    until(lambda: select.select([new], [], [], 0)[0], "no interrupt at the new descriptor")
    if select.select([old], [], [], 0)[0]:
        fail("an interrupt at the old descriptor")


def hotplug(client, memory, ring):
    step("memory comes and goes under a running virtqueue")
    other = Memory(1 << 20, first=1 << 32, name="other")
    client.table([other.region(), memory.region()], [other.fd, memory.fd])
    carried(ring, other, 3)
    carried(ring, memory, 3)
    client.table([memory.region()], [memory.fd])
    with open(f"/proc/{PID}/maps", encoding="utf-8") as maps:
        if "memfd:other" in maps.read():
            fail("the region that went is still mapped")
    carried(ring, memory, 3)
    if said("mismatches"):
        fail("where the virtqueue goes on was not known")
    ring.offer(other.first + BUFFER, PACKET)
    until(lambda: said("memory in no region that permits it, address") == 1, "a packet in no region is no fault")
    other.close()


def moved_rings(client, memory):
    step("rings move while the virtqueue is enabled")
    ring = Ring(memory)
    memory.map[0:0x1000] = bytes(0x1000)
    client.vring(TX, memory.first)
    carried(ring, memory, 4)
    old = memory.map[0:0x1000]
    memory.map[0x2000:0x3000] = old
    memory.map[0:0x1000] = bytes(0x1000)
    client.addresses(TX, memory.first + 0x2000)
    ring.at = 0x2000
    carried(ring, memory, 4)


def config(client):
    step("the configuration space")
    ask = struct.pack("<3I", 0, 20, 0) + bytes(20)
    answer = client.ask(vu.GET_CONFIG, ask)[12:]
    mac, status, pairs, mtu, rest = struct.unpack("<6sHHH8s", answer)
    if (mac.hex(), status, pairs, mtu, any(rest)) != ("020000000001", 1, 1, 1400, False):
        fail(f"it reads {answer.hex()}")
    client.ack(vu.SET_CONFIG, ask)
    if client.ask(vu.GET_CONFIG, ask)[12:] != answer:
        fail("a driver could write to it")


def field(client, offset, size):
    ask = struct.pack("<3I", offset, size, 0) + bytes(size)
    return int.from_bytes(client.ask(vu.GET_CONFIG, ask)[12:], "little")


def told(client, channel, command, offset, size, value):
    with open(STDIN, "w", encoding="utf-8") as stdin:
        stdin.write(command)
    kind, _, payload = struct.unpack("<3I", channel.recv(12, socket.MSG_WAITALL))
    if (kind, payload) != (vu.BACKEND_CONFIG_CHANGE, 0):
        fail(f"message {kind} of {payload} bytes")
    now = field(client, offset, size)
    if now != value:
        fail(f"it reads {now:#x} at {offset}, not {value:#x}, after {command!r}")


def notifications(client):
    step("changes of the configuration space are told")
    ours, theirs = socket.socketpair()
    ours.settimeout(10)
    client.ack(vu.SET_BACKEND_CHANNEL, b"", [theirs.fileno()])
    theirs.close()
    told(client, ours, "stop\nport stop 0\n", 6, 2, 0)
    told(client, ours, "port start 0\nstart\n", 6, 2, 1)
    told(client, ours, "port config mtu 0 1350\n", 10, 2, 1350)
    told(client, ours, "mac_addr set 0 02:00:00:00:00:03\n", 0, 6, 0x030000000002)
    ours.close()


def main():
    memory = Memory(1 << 20)
    with Client(PATH) as client:
        client.negotiate()
        client.table([memory.region()], [memory.fd])
        ring = positions(client, memory)
        calls(client, memory, ring)
        hotplug(client, memory, ring)
        client.base(TX)
        moved_rings(client, memory)
        config(client)
        notifications(client)
    memory.close()


main()
