#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
"""
The trace of one request. `trace.py write SOCKET` is a driver that writes 4 KiB to a disk whose lcore
sleeps. `trace.py check` reads what babeltrace2 prints of the trace of the disk's process, prints the
events of that request, and compares them with what the driver did.
"""
import re
import struct
import sys
import time

import vhost_user
from blk_driver import BlkDriver, FIRST, RINGS, ROOM, S_OK, SIZE, SLOTS, T_GET_ID, T_OUT
from blk_vhost_user import VhostUser

SECTOR, LENGTH = 8, 4096
USED_FLAGS, NO_NOTIFY = 0x800, 1
OP_WRITE = 1


def write(path):
    driver = BlkDriver(VhostUser(path), packed=False)
    driver.connect()
    try:
        if driver.status(T_GET_ID, 0, size=20) != S_OK:
            sys.exit("GET_ID failed")
        end = time.monotonic() + 10
        while struct.unpack_from("<H", driver.memory.map, USED_FLAGS)[0] & NO_NOTIFY:
            if time.monotonic() > end:
                sys.exit("the device does not ask for kicks")
        if driver.status(T_OUT, SECTOR, bytes(LENGTH)) != S_OK:
            sys.exit("the write failed")
    finally:
        driver.close()


def events(lines):
    """Each event as a name and its values."""
    for line in lines:
        found = re.match(r".* (lib\.[a-z_.]+): .*\{ (.*) \}$", line)
        if not found:
            sys.exit(f"no event: {line}")
        values = dict(value.split(" = ") for value in found.group(2).split(", "))
        yield line, found.group(1), {name: text.strip('"') if text[0] == '"' else int(text, 0)
                                     for name, text in values.items()}


def expect(found, name, **want):
    """One of the events has this name and these values."""
    if not any(event == name and want.items() <= values.items() for _, event, values in found):
        sys.exit(f"no {name} with {want}")


def check_request(found):
    """From the last request to the call after it."""
    take = max(i for i, event in enumerate(found) if event[1] == "lib.virtio_blk.take")
    call = next(i for i in range(take, len(found)) if found[i][1] == "lib.vduse.call")
    way = found[take:call + 1]
    for line, _, _ in way:
        print(line)
    queue = {"dev": "disk0", "vq": 0}
    request = {**queue, "head": way[0][2].get("head")}
    # Before or after completion, and twice if the lcore slept between: the backend's time decides.
    woken = [values for _, name, values in way if name == "lib.virtio_blk.wake"]
    if not woken or any(values != queue for values in woken):
        sys.exit(f"the lcore woke as {woken}")
    want = [
        ("lib.virtio_blk.take", {**request, "type": T_OUT, "sector": SECTOR,
                                 "out_len": 16 + LENGTH, "in_len": 1}),
        ("lib.virtio_blk.submit", {**request, "op": OP_WRITE, "offset": SECTOR * 512,
                                   "len": LENGTH}),
        ("lib.virtio_blk.complete", {**request, "status": S_OK}),
        ("lib.virtio_blk.used", request),
        ("lib.vduse.call", queue),
    ]
    got = [(name, values) for _, name, values in way if name != "lib.virtio_blk.wake"]
    if got != want:
        sys.exit(f"not the way of the request: {got}")


def check():
    found = list(events(sys.stdin.read().splitlines()))
    expect(found, "lib.vduse.vhost_user_msg", dev="disk0", request=vhost_user.SET_MEM_TABLE,
           size=8 + 32, nb_fds=1)
    expect(found, "lib.vduse.region_add", dev="disk0", iova=FIRST, size=RINGS + SLOTS * ROOM)
    expect(found, "lib.vduse.region_remove", iova=FIRST, size=RINGS + SLOTS * ROOM)
    expect(found, "lib.vduse.status", dev="disk0", status=0)
    expect(found, "lib.vduse.vq_start", dev="disk0", vq=0, size=SIZE, position=0)
    expect(found, "lib.vduse.vq_stop", dev="disk0", vq=0)
    check_request(found)


if __name__ == "__main__":
    if sys.argv[1] == "write":
        write(sys.argv[2])
    else:
        check()
