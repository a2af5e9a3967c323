# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
"""rarp.py SOCKET LOG announce|flood: a front end asks a network device for RARP packets.

announce: before and after it sets up its ring; the port prints the packets that it receives to LOG.
flood: 100,000 messages beside packets of the driver, which are served all the same.
"""
import struct
import sys
import time

import vhost_user as vu
from vhost_user import Client, Memory, Ring

PATH, LOG, WHAT = sys.argv[1:4]
TX, FLOOD, BATCH = 1, 100000, 1000


def fail(why):
    sys.exit(f"FAIL: {why}")


def until(condition, what):
    end = time.monotonic() + 20
    while not condition():
        if time.monotonic() > end:
            fail(what)
        time.sleep(0.01)


def mac(last):
    return bytes((2, 0, 0, 0, 0, last))


def received(last):
    """RARP packets of an address in the log: broadcast, Ethernet type 0x8035."""
    text = f"src=02:00:00:00:00:{last:02X} - dst=FF:FF:FF:FF:FF:FF"
    with open(LOG, encoding="utf-8", errors="replace") as log:
        return sum(text in line and "type=0x8035" in line for line in log)


def refused(client, payload):
    try:
        client.ack(vu.SEND_RARP, payload)
    except ValueError:
        return
    fail(f"SEND_RARP with {payload.hex()} is not refused")


def hostile(client):
    """Wrong sizes, and addresses that no guest has."""
    for size in range(8):
        refused(client, mac(9).ljust(8, b"\0")[:size])
    for address in (bytes(6), b"\xff" * 6, bytes((3, 0, 0, 0, 0, 9)), bytes((1, 0, 0x5e, 0, 0, 9))):
        refused(client, address + bytes(2))


def negotiate(client, memory):
    (offered,) = struct.unpack("<Q", client.ask(vu.GET_PROTOCOL_FEATURES))
    if not offered & vu.P_RARP:
        fail("SEND_RARP is not offered")
    client.negotiate()
    client.table([memory.region()], [memory.fd])
    hostile(client)


def announce(client, memory):
    negotiate(client, memory)
    client.ack(vu.SEND_RARP, mac(7) + bytes(2))
    client.vring(TX, memory.first)
    until(lambda: received(7) == 1, "no RARP packet of a message that came before the ring")
    hostile(client)
    # What is beyond the address does not count.
    client.ack(vu.SEND_RARP, mac(8) + b"\xff\xff")
    until(lambda: received(8) == 1, "no RARP packet")
    if (received(7), received(9)) != (1, 0):
        fail("a RARP packet too many")


def served(ring, memory):
    before = ring.used()
    ring.offer(memory.first + 0x1000, 100)
    until(lambda: ring.used() != before, "the ring is not served")


def flood(client, memory):
    negotiate(client, memory)
    message = struct.pack("<3I", vu.SEND_RARP, 1, 8) + mac(10) + bytes(2)
    client.raw(message * BATCH)
    client.vring(TX, memory.first)
    ring = Ring(memory)
    for _ in range(FLOOD // BATCH):
        client.raw(message * BATCH)
        served(ring, memory)
    client.ack(vu.SEND_RARP, mac(11) + bytes(2))
    served(ring, memory)


memory_of_driver = Memory(1 << 20)
with Client(PATH) as one:
    {"announce": announce, "flood": flood}[WHAT](one, memory_of_driver)
print(f"{WHAT}: as expected", flush=True)
