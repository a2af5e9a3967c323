#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
"""
Frames for host_34_vlan, and what came back of them. Arguments: make FILE, or check FILE and how the
frames must have changed: same, stripped, or inserted=TCI (stripped, then each with this tag).
Exit code 0: they are all there, byte for byte and in order.
"""
import struct
import sys

TPID = b"\x81\x00"
ADDRESSES = bytes.fromhex("020000000001" "020000000002")
# Two tags: only the outer one is the port's business. 0x88a8 is no tag that it knows.
TAGS = [b"", TPID + b"\x01\x23", TPID + b"\xef\xff", TPID + b"\x00\x05" + TPID + b"\x00\x06",
        b"\x88\xa8\x00\x07"]
HEADER = struct.pack("=IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)


def frames():
    for length in (60, 64, 333, 1514):
        for tag in TAGS:
            # 60 bytes is the least of a frame with its tag; the others grow by it.
            rest = length - 14 - (len(tag) if length == 60 else 0)
            body = bytes((length + 31 * i) & 0xFF for i in range(rest))
            yield ADDRESSES + tag + b"\x88\xb5" + body


def changed(frame, how):
    if how != "same" and frame[12:14] == TPID:
        frame = frame[:12] + frame[16:]
    if how.startswith("inserted="):
        frame = frame[:12] + TPID + struct.pack(">H", int(how.split("=")[1], 0)) + frame[12:]
    return frame


def make(path):
    with open(path, "wb") as out:
        out.write(HEADER)
        for frame in frames():
            out.write(struct.pack("=IIII", 0, 0, len(frame), len(frame)) + frame)


def read(path):
    with open(path, "rb") as file:
        data = file.read()
    at, found = len(HEADER), []
    while at + 16 <= len(data):
        (length,) = struct.unpack_from("=I", data, at + 8)
        found.append(data[at + 16:at + 16 + length])
        at += 16 + length
    return found


def check(path, how):
    want = [changed(frame, how) for frame in frames()]
    got = read(path)
    if how.startswith("inserted="):
        # Forwarding in this mode writes other addresses.
        want, got = [f[12:] for f in want], [f[12:] for f in got]
    if len(got) != len(want):
        sys.exit(f"{len(got)} frames, not {len(want)}")
    for i, (one, other) in enumerate(zip(got, want)):
        if one != other:
            sys.exit(f"frame {i}: {one[:40].hex()} ({len(one)}), not {other[:40].hex()} "
                     f"({len(other)})")
    print(f"{how}: {len(got)} frames as they must be")


if sys.argv[1] == "make":
    make(sys.argv[2])
else:
    check(sys.argv[2], sys.argv[3])
