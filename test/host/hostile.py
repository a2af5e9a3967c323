# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
"""hostile.py SOCKET LOG PID PART PARTS: clients that break the rules of vhost-user, one by one.

Each is dropped, or its virtqueue stops, with one line in LOG; then the next client is served.
PID is the process at the socket: it keeps no file and no mapping of theirs. PART of PARTS: every
PARTSth client from number PART on; the device limits the lines of its log.
"""
import os
import random
import signal
import struct
import sys
import time

import vhost_user as vu
from vhost_user import Client, Dropped, Memory

PATH, LOG, PID = sys.argv[1:4]
PART, PARTS = int(sys.argv[4]), int(sys.argv[5])


def fail(why):
    sys.exit(f"FAIL: {why}")


def lines():
    """What net_vduse logged, less that clients come and go."""
    with open(LOG, encoding="utf-8", errors="replace") as log:
        return [line for line in log if line.startswith(("VDUSE: ", "testpmd> VDUSE: "))
                and "client connected" not in line and "client disconnected" not in line
                and "driver is up" not in line and "driver reset" not in line]


def until(condition, what, seconds=10):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            fail(what)
        time.sleep(0.02)


def nb_fds():
    return len(os.listdir(f"/proc/{PID}/fd"))


def nb_maps():
    with open(f"/proc/{PID}/maps", encoding="utf-8") as maps:
        return sum("memfd:hostile" in line for line in maps)


def served():
    with Client(PATH) as client:
        if not client.features() & vu.F_VERSION_1:
            fail("no VERSION_1 is offered")


def dropped(client):
    """Whether the other side hangs up."""
    try:
        while client.sock.recv(4096):
            pass
    except ConnectionResetError:
        pass


def garbage(client):
    for _ in range(3):
        client.raw(random.Random(1).randbytes(4096))
    dropped(client)


def huge(client):
    client.raw(struct.pack("<3I", vu.SET_FEATURES, 1, 0xFFFFFFFF))
    dropped(client)


def half_a_head(client):
    client.raw(b"\1\0\0\0\1\0\0")


def half_a_payload(client):
    client.raw(struct.pack("<3I", vu.SET_MEM_TABLE, 1, 72) + b"\2\0\0\0")


def stalled(client):
    """The rest of the message does not come."""
    client.raw(struct.pack("<3I", vu.SET_MEM_TABLE, 1, 72))
    dropped(client)


def too_few_fds(client):
    memory = Memory(1 << 20)
    client.negotiate()
    client.send(vu.SET_MEM_TABLE, struct.pack("<II", 2, 0) + memory.region() +
                memory.region(first=1 << 30), [memory.fd])
    memory.close()
    dropped(client)


def too_many_regions(client):
    memory = Memory(1 << 20)
    client.send(vu.SET_MEM_TABLE, struct.pack("<II", 0xFFFFFFFF, 0) + memory.region(), [memory.fd])
    memory.close()
    dropped(client)


def no_file(client):
    """An eventfd holds no memory."""
    client.send(vu.SET_MEM_TABLE, struct.pack("<II4Q", 1, 0, 0, 4096, vu.USER, 0),
                [client.eventfd()])
    dropped(client)


def read_only(client):
    with open("/etc/passwd", "rb") as file:
        client.send(vu.SET_MEM_TABLE, struct.pack("<II4Q", 1, 0, 0, 16, vu.USER, 0),
                    [file.fileno()])
    dropped(client)


def overlap(client):
    memory = Memory(1 << 20)
    client.negotiate()
    try:
        client.table([memory.region(), memory.region(first=memory.first + 4096)],
                     [memory.fd, memory.fd])
    finally:
        memory.close()


def short_file(client):
    memory = Memory(1 << 20)
    client.negotiate()
    try:
        client.table([memory.region(size=2 << 20)], [memory.fd])
    finally:
        memory.close()


def wraps(client):
    memory = Memory(1 << 20)
    client.negotiate()
    try:
        client.table([struct.pack("<4Q", (1 << 64) - 4096, 8192, vu.USER, 0)], [memory.fd])
    finally:
        memory.close()


def unaligned_file(client):
    memory = Memory(1 << 20)
    client.negotiate()
    try:
        client.table([memory.region(size=4096, offset=1)], [memory.fd])
    finally:
        memory.close()


def cut_before(client):
    """Before the ring is set up there."""
    memory = Memory(1 << 20)
    client.negotiate()
    client.table([memory.region()], [memory.fd])
    os.ftruncate(memory.fd, 0)
    try:
        client.vring(1, memory.first)
        said("took away memory in use")
    finally:
        os.close(memory.fd)


def cut_while_running(client):
    memory = Memory(1 << 20)
    client.negotiate()
    client.table([memory.region()], [memory.fd])
    client.vring(1, memory.first)
    os.ftruncate(memory.fd, 0)
    os.close(memory.fd)
    said("took away memory in use")


def slot_without_file(client):
    client.add_region(struct.pack("<4Q", 0, 4096, vu.USER, 0), [])


def slot_with_files(client):
    client.add_region(struct.pack("<4Q", 0, 4096, vu.USER, 0), [client.eventfd()] * 8)


def slot_cut_off(client):
    client.ack(vu.ADD_MEM_REG, bytes(32), [client.eventfd()])


def slot_no_file(client):
    client.add_region(struct.pack("<4Q", 0, 4096, vu.USER, 0), [client.eventfd()])


def slots_that_meet(client):
    memory = Memory(1 << 20)
    try:
        client.add_region(memory.region(), [memory.fd])
        client.add_region(memory.region(first=memory.first + 4096), [memory.fd])
    finally:
        memory.close()


def too_many_slots(client):
    memory = Memory(4096, first=0)
    (most,) = struct.unpack("<Q", client.ask(vu.GET_MAX_MEM_SLOTS))
    try:
        for i in range(most + 1):
            client.add_region(memory.region(first=i << 20), [memory.fd])
    finally:
        memory.close()


def slot_of_none(client):
    client.remove_region(struct.pack("<4Q", 0, 4096, vu.USER, 0))


def slot_below_a_ring(client):
    memory = Memory(1 << 20)
    client.negotiate()
    client.add_region(memory.region(), [memory.fd])
    client.vring(1, memory.first)
    client.remove_region(memory.region(), [memory.fd])
    memory.close()


def set_up(client, **where):
    memory = Memory(1 << 20)
    client.negotiate()
    client.table([memory.region()], [memory.fd])
    try:
        client.vring(1, memory.first, **where)
    finally:
        memory.close()


def outside(client):
    set_up(client, used=vu.USER + (1 << 40))


def over_the_end(client):
    set_up(client, avail=vu.USER + 0x200000 - 8)


def unaligned(client):
    set_up(client, desc=vu.USER + 0x100001)


def odd_size(client):
    set_up(client, size=7)


def no_eventfd(client):
    there, here = os.pipe()
    try:
        set_up(client, call=here)
    finally:
        os.close(there)
        os.close(here)


def not_offered(client):
    client.negotiate(features=(1 << 64) - 1)


def changed_features(client):
    set_up(client)
    client.ack(vu.SET_FEATURES, struct.pack("<Q", vu.F_PROTOCOL_FEATURES))


def log_base(client):
    memory = Memory(4096)
    client.send(vu.SET_LOG_BASE, struct.pack("<2Q", 4096, 0), [memory.fd] * 8)
    memory.close()
    dropped(client)


def log_outside(client):
    set_up(client)
    log = Memory(4096)
    client.send(vu.SET_LOG_BASE, struct.pack("<2Q", 4096, 1), [log.fd])
    log.close()
    dropped(client)


def inflight(client):
    memory = Memory(4096)
    client.send(vu.SET_INFLIGHT_FD, struct.pack("<2Q2H", 4096, 0, 2, 32768), [memory.fd])
    memory.close()
    dropped(client)


def left_behind(client):
    """What a client sent before it hung up is read before the next one is served."""
    memory = Memory(4096)
    client.negotiate()
    os.kill(int(PID), signal.SIGSTOP)
    try:
        client.send(vu.SET_INFLIGHT_FD, struct.pack("<2Q2HI", 4096, 0, 2, 32768, 0), [memory.fd])
        client.sock.close()
        other = Client(PATH)
    finally:
        os.kill(int(PID), signal.SIGCONT)
    with other:
        other.features()
    memory.close()


def iotlb(client):
    client.send(vu.IOTLB_MSG, struct.pack("<3Q2B", 0, 4096, vu.USER, 3, 2) + bytes(6))
    dropped(client)


def iotlb_with_file(client):
    client.send(vu.IOTLB_MSG, struct.pack("<3Q2B", 0, 4096, vu.USER, 3, 2) + bytes(6),
                [client.eventfd()])
    dropped(client)


def config_too_long(client):
    client.send(vu.GET_CONFIG, struct.pack("<3I", 0, 257, 0) + bytes(257))
    dropped(client)


def config_lies(client):
    client.send(vu.GET_CONFIG, struct.pack("<3I", 0, 256, 0) + bytes(8))
    dropped(client)


def config_past_the_end(client):
    client.send(vu.GET_CONFIG, struct.pack("<3I", 0xFFFFFFF0, 32, 0) + bytes(32))
    dropped(client)


def config_with_fds(client):
    client.send(vu.SET_CONFIG, struct.pack("<3I", 0, 8, 0) + bytes(8), [client.eventfd()])
    dropped(client)


def far_queue(client):
    """More virtqueues than the device has are of no effect."""
    memory = Memory(1 << 20)
    client.negotiate()
    client.table([memory.region()], [memory.fd])
    client.vring(200, memory.first)
    client.ask(vu.GET_VRING_BASE, struct.pack("<II", 200, 0))
    memory.close()


def second(client):
    client.features()
    with Client(PATH) as other:
        dropped(other)
    client.features()


# Each with the line that it is worth, if it is worth one.
CASES = {
    garbage: "no version", huge: "longer than any", half_a_head: None, half_a_payload: None,
    stalled: "half a message", not_offered: "not offered", far_queue: None, left_behind: "not offered",
    odd_size: "cannot start",
    too_few_fds: "other descriptors", too_many_regions: "other descriptors",
    no_file: "no shared memory", read_only: "no shared memory",
    unaligned_file: "not aligned in its file",
    overlap: "overlaps", short_file: "longer than its file", wraps: "wraps around",
    slot_without_file: "malformed", slot_with_files: "malformed", slot_cut_off: "malformed",
    slot_no_file: "no shared memory", slots_that_meet: "overlaps",
    too_many_slots: "adds a region to 509", slot_of_none: "of no region",
    slot_below_a_ring: "in no region any more",
    cut_before: "took away memory in use",
    cut_while_running: "took away memory in use",
    outside: "are in no region", over_the_end: "are in no region", unaligned: "cannot start",
    no_eventfd: "is no eventfd", changed_features: "changed features",
    log_base: "malformed", log_outside: "is not within its file", inflight: "not offered",
    iotlb: "not offered", iotlb_with_file: "malformed",
    config_too_long: "malformed", config_lies: "malformed", config_past_the_end: "malformed",
    config_with_fds: "malformed", second: "turned away",
}
before = []


def said(text):
    until(lambda: any(text in line for line in lines()[len(before):]), f"\"{text}\" is not said")


def run(case, text):
    global before
    before = lines()
    print(f"{case.__name__}: {text or 'dropped'}", flush=True)
    try:
        with Client(PATH) as client:
            case(client)
            # The poller may say it, later than the client is answered: it must find the client.
            if text is not None:
                said(text)
    except (Dropped, ValueError):
        pass
    if text is not None:
        said(text)
    served()
    until(lambda: nb_fds() == idle, f"{case.__name__}: {idle} files became {nb_fds()}")
    until(lambda: nb_maps() == 0, f"{case.__name__}: its memory is still mapped")
    new = lines()[len(before):]
    if text is None:
        if new:
            fail(f"{case.__name__}: logged {new}")
    elif len(new) != 1 or text not in new[0]:
        fail(f"{case.__name__}: one line with \"{text}\" was wanted, not {new}")


served()


def settled(steady=5, limit=100):
    """The number of files once it stays: nothing says when the first client is let go."""
    seen = [nb_fds()]
    while len(seen) < limit and (len(seen) < steady or len(set(seen[-steady:])) > 1):
        time.sleep(0.2)
        seen.append(nb_fds())
    return seen[-1]


# The first client makes the process open what it keeps.
idle = settled()
for each, line in list(CASES.items())[PART::PARTS]:
    run(each, line)
