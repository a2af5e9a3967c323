# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
"""Writes a pcap file of simple IMIX: 7 small, 4 medium and 1 full-sized packet."""

import struct

SIZES = [64] * 7 + [570] * 4 + [1518]
# Spread as evenly as 12 packets can be.
ORDER = [0, 7, 1, 2, 8, 3, 11, 4, 9, 5, 10, 6]


def frame(size, number):
    """An Ethernet frame, without its check sequence, that no one takes for a protocol."""
    head = bytes.fromhex("020000000001020000000002") + struct.pack(">HI", 0x88B5, number)
    return head + bytes(size - 4 - len(head))


def write(path, rounds=16):
    """rounds times 12 packets."""
    with open(path, "wb") as pcap:
        pcap.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        for number in range(rounds * len(ORDER)):
            data = frame(SIZES[ORDER[number % len(ORDER)]], number)
            pcap.write(struct.pack("<IIII", 0, number, len(data), len(data)) + data)
