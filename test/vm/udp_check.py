# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
"""UDP datagrams of random content, each with its number and a checksum.

udp_check.py send ADDRESS COUNT     exit 1 unless the receiver got all of them
udp_check.py large ADDRESS COUNT    likewise, but in buffers of 40 for the kernel to segment
udp_check.py receive COUNT          exit 1 unless all of them arrive undamaged

The receiver acknowledges what arrives, and the sender has few datagrams on the way. So no queue
between them overflows, however slow the machine is, and a datagram that is lost is a fault.
"""
import os
import random
import socket
import struct
import sys
import zlib

PORT = 5300
HEADER = struct.Struct("!II")
ACK = struct.Struct("!I")
BIGGEST = 1472
UDP_SEGMENT = 103  # linux/udp.h
SEGMENT, SEGMENTS = 1400, 40
# Datagrams on the way: two large packets. A ring of 256 descriptors has room for them, and so has a
# socket buffer of net.core.rmem_max, 208 KiB, with a page for each.
WINDOW = 2 * SEGMENTS
ACK_EVERY = 20
PATIENCE = 60


def datagram(number, size=None):
    if size is None:
        size = random.randint(HEADER.size, BIGGEST)
    payload = os.urandom(size - HEADER.size)
    return HEADER.pack(number, zlib.crc32(payload, number)) + payload


def send(address, count, nb):
    """Sends nb datagrams with each call; the kernel segments them if they are many."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.settimeout(PATIENCE)
    sock.connect((address, PORT))
    if nb > 1:
        sock.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, SEGMENT)
    sent = arrived = 0
    while arrived < count:
        last = min(sent + nb, count)
        if sent < count and last - arrived <= WINDOW:
            size = SEGMENT if nb > 1 else None
            sock.send(b"".join(datagram(i, size) for i in range(sent, last)))
            sent = last
            continue
        try:
            arrived = max(arrived, ACK.unpack(sock.recv(ACK.size))[0])
        except socket.timeout:
            print(f"udp: {sent} of {count} sent, {arrived} acknowledged", flush=True)
            return 1
    return 0


def damaged(data):
    number, checksum = HEADER.unpack_from(data)
    return zlib.crc32(data[HEADER.size:], number) != checksum


def receive(count):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    sock.bind(("", PORT))
    sock.settimeout(PATIENCE)
    print("ready", flush=True)
    seen, bad = set(), 0
    try:
        while len(seen) + bad < count:
            data, sender = sock.recvfrom(65536)
            if len(data) < HEADER.size or damaged(data):
                bad += 1
            else:
                seen.add(HEADER.unpack_from(data)[0])
            arrived = len(seen) + bad
            if arrived % ACK_EVERY == 0 or arrived == count:
                sock.sendto(ACK.pack(arrived), sender)
    except socket.timeout:
        pass
    print(f"udp: {len(seen)} of {count} arrived, {bad} damaged", flush=True)
    return 0 if len(seen) == count and bad == 0 else 1


def main():
    if sys.argv[1] in ("send", "large"):
        nb = SEGMENTS if sys.argv[1] == "large" else 1
        return send(sys.argv[2], int(sys.argv[3]), nb)
    return receive(int(sys.argv[2]))


if __name__ == "__main__":
    sys.exit(main())
