# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
"""UDP datagrams of random content, each with its number and a checksum.

udp_check.py send ADDRESS COUNT     1000 a second
udp_check.py large ADDRESS COUNT    likewise, but in buffers of 40 for the kernel to segment
udp_check.py receive COUNT          exit 1 unless all of them arrive undamaged
"""
import os
import random
import socket
import struct
import sys
import time
import zlib

PORT = 5300
HEADER = struct.Struct("!II")
RATE = 1000
BIGGEST = 1472
UDP_SEGMENT = 103  # linux/udp.h
SEGMENT, SEGMENTS = 1400, 40


def datagram(number, size=None):
    if size is None:
        size = random.randint(HEADER.size, BIGGEST)
    payload = os.urandom(size - HEADER.size)
    return HEADER.pack(number, zlib.crc32(payload, number)) + payload


def send(address, count):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    start = time.monotonic()
    for number in range(count):
        sock.sendto(datagram(number), (address, PORT))
        time.sleep(max(0.0, start + number / RATE - time.monotonic()))


def send_large(address, count):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, SEGMENT)
    start = time.monotonic()
    for first in range(0, count, SEGMENTS):
        last = min(first + SEGMENTS, count)
        sock.sendto(b"".join(datagram(i, SEGMENT) for i in range(first, last)), (address, PORT))
        time.sleep(max(0.0, start + last / RATE - time.monotonic()))


def damaged(data):
    number, checksum = HEADER.unpack_from(data)
    return zlib.crc32(data[HEADER.size:], number) != checksum


def receive(count):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    sock.bind(("", PORT))
    sock.settimeout(60)
    print("ready", flush=True)
    seen, bad = set(), 0
    try:
        while len(seen) + bad < count:
            data = sock.recv(65536)
            if len(data) < HEADER.size or damaged(data):
                bad += 1
            else:
                seen.add(HEADER.unpack_from(data)[0])
    except socket.timeout:
        pass
    print(f"udp: {len(seen)} of {count} arrived, {bad} damaged", flush=True)
    return 0 if len(seen) == count and bad == 0 else 1


def main():
    if sys.argv[1] == "send":
        send(sys.argv[2], int(sys.argv[3]))
        return 0
    if sys.argv[1] == "large":
        send_large(sys.argv[2], int(sys.argv[3]))
        return 0
    return receive(int(sys.argv[2]))


if __name__ == "__main__":
    sys.exit(main())
