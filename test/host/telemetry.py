#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
"""telemetry.py disk TELEMETRY SOCKET IMAGE STATE_DIR | net TELEMETRY SOCKET

Compares what the endpoints of DPDK's telemetry say with a load that this driver makes. net: prints
commands for testpmd.
"""
import json
import socket
import struct
import sys
import threading
import time

import blk_driver as blk
import vhost_user as vu
from blk_vhost_user import VhostUser

QUERIES = 1000


def fail(why):
    sys.exit(f"FAIL: {why}")


def step(what):
    print(f"-- {what}", flush=True)


class Telemetry:
    """A client. An answer is one datagram."""

    def __init__(self, path):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.sock.connect(path)
        self.max = json.loads(self.sock.recv(1024))["max_output_len"]

    def ask(self, endpoint, params=None):
        query = endpoint if params is None else f"{endpoint},{params}"
        self.sock.send(query.encode("latin-1"))
        return json.loads(self.sock.recv(self.max))[endpoint]


def same(answer, wanted, what):
    """wanted may leave out what is not known beforehand."""
    if answer is None:
        fail(f"{what}: no answer")
    for name, value in wanted.items():
        if answer.get(name) != value:
            fail(f"{what}: {name} is {answer.get(name)}, not {value}: {answer}")


def exactly(answer, wanted, what, free=()):
    """Everything but the names in free is known."""
    same(answer, wanted, what)
    rest = set(answer) ^ (set(wanted) | set(free))
    if rest:
        fail(f"{what}: {rest}")


def until(condition, what):
    end = time.monotonic() + 10
    while not condition():
        if time.monotonic() > end:
            fail(what)
        time.sleep(0.01)


def refused(client, name, other):
    """What is not there, and what no parameter is."""
    step("wrong parameters")
    all_of = ["/vduse/info", "/vduse/vq", "/vduse/iotlb", other]
    wrong = [None, "nobody", name + "x", name[:-1], f"{name},", f"{name},x", f"{name},-1",
             f"{name}, 1", f"{name},+1", f"{name},1x", f"{name},0,0,0", f"{name},65536",
             f"{name},99999999999999999999", "," + name, "%s%n", "\xff" * 900, f"{name}\"",
             "../" + name]
    for endpoint in all_of:
        for params in wrong:
            if client.ask(endpoint, params) is not None:
                fail(f"{endpoint},{params} has an answer")
    for params in ("x", "-1", "1,2", name):
        if client.ask("/vduse/list", params) is not None:
            fail(f"/vduse/list,{params} has an answer")


def while_queried(telemetry, name, endpoints, change, least):
    """Asks all endpoints in turn, and calls change in the meantime: so often at least, both."""
    ended, nb, changes = threading.Event(), 0, 0

    def ask():
        nonlocal nb
        client = Telemetry(telemetry)
        while not ended.is_set() or nb < QUERIES:
            endpoint = endpoints[nb % len(endpoints)]
            client.ask(endpoint, None if endpoint == "/vduse/list" else name)
            nb += 1

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    while asking.is_alive() and (changes < least or nb < QUERIES):
        change()
        changes += 1
    ended.set()
    asking.join(20)
    if nb < QUERIES:
        fail(f"no answer after {nb} queries")
    step(f"{nb} queries, {changes} changes")


BLK_ZERO = {name: 0 for name in (
    "reads", "writes", "flushes", "discards", "write_zeroes", "secure_erases", "others",
    "read_bytes", "written_bytes", "io_errors", "bad_requests", "unsupported", "bad_descriptors",
    "in_flight", "limited", "held")}


def blk_load(driver):
    """5 writes of 4 sectors, 3 reads of 2, 2 flushes, and one each of others."""
    for i in range(5):
        driver.status(blk.T_OUT, 4 * i, data=b"x" * 2048)
    for i in range(3):
        driver.status(blk.T_IN, i, size=1024)
    driver.status(blk.T_FLUSH, 0)
    driver.status(blk.T_FLUSH, 0)
    driver.status(blk.T_GET_ID, 0, size=20)
    driver.status(blk.T_DISCARD, 0, data=struct.pack("<QII", 0, 8, 0))
    driver.status(blk.T_WRITE_ZEROES, 0, data=struct.pack("<QII", 0, 8, 0))
    driver.status(blk.T_IN, 1 << 40, size=512)
    driver.status(99, 0)


BLK_LOAD = {**BLK_ZERO, "reads": 4, "writes": 5, "flushes": 2, "discards": 1, "write_zeroes": 1,
            "others": 2, "read_bytes": 3072, "written_bytes": 10240, "bad_requests": 1,
            "unsupported": 1, "queues": 2, "sectors": 2048}


def blk_latencies(answer):
    counts = {"read": 3, "write": 5, "flush": 2, "ranges": 2}
    rows = ("p50_ns", "p90_ns", "p99_ns", "p99_9_ns", "max_ns")
    exactly(answer, {"queues": 2, **{f"{kind}_count": nb for kind, nb in counts.items()}},
            "latencies", [f"{kind}_{row}" for kind in counts for row in ("mean_ns", *rows)])
    for kind in counts:
        values = [answer[f"{kind}_{row}"] for row in rows]
        if values != sorted(values) or not 0 < values[0] <= values[-1] < 10 * 10**9:
            fail(f"latencies of {kind}: {values}")
        if not 0 < answer[f"{kind}_mean_ns"] <= values[-1]:
            fail(f"mean latency of {kind}: {answer}")


def blk_driver_gone(path):
    driver = blk.BlkDriver(VhostUser(path), False, features=blk.F_FLUSH)
    driver.connect()
    driver.status(blk.T_IN, 0, size=512)
    driver.close()


def blk_with_driver(client, path, image, state):
    step("a driver and its load")
    features = blk.F_FLUSH | blk.F_DISCARD | blk.F_WRITE_ZEROES
    driver = blk.BlkDriver(VhostUser(path), False, features=features)
    driver.connect()
    blk_load(driver)
    until(lambda: client.ask("/vduse/blk", "disk0")["in_flight"] == 0, "requests in flight")
    calls = ("calls", "calls_suppressed")
    answer = client.ask("/vduse/blk", "disk0")
    exactly(answer, BLK_LOAD, "/vduse/blk", calls)
    if not 0 < answer["calls"] + answer["calls_suppressed"] <= 15:
        fail(f"calls: {answer}")
    exactly(client.ask("/vduse/blk", "disk0,0"), BLK_LOAD, "queue 0", calls)
    exactly(client.ask("/vduse/blk", "disk0,1"), {**BLK_ZERO, "queues": 2, "sectors": 2048},
            "queue 1", calls)
    blk_latencies(client.ask("/vduse/blk_latency", "disk0"))
    if client.ask("/vduse/blk_latency", "disk0,1")["read_count"] != 0:
        fail("latencies of queue 1")
    answer = client.ask("/vduse/info", "disk0")
    exactly(answer, {
        "name": "disk0", "path": path, "type": "block", "device_id": 2, "transport": "vhost-user",
        "api_version": 0, "status": "0xf", "virtqueues": 2, "address_spaces": 1, "taken_over": 0,
        "suspended": 0, "broken": 0, "regions": 1, "iotlb_updates": 0,
    }, "/vduse/info", ("offered", "features", "messages", "resets", "state_file"))
    if int(answer["features"], 16) & driver.features != driver.features or \
            int(answer["features"], 16) & ~int(answer["offered"], 16):
        fail(f"features: {answer}")
    if answer["messages"] < 1 or not answer["state_file"].startswith(state):
        fail(f"/vduse/info: {answer}")
    if client.ask("/vduse/info", path) != client.ask("/vduse/info", "disk0"):
        fail("a path in place of the name")
    exactly(client.ask("/vduse/vq", "disk0,0"), {
        "state": "running", "ready": 1, "size": blk.SIZE, "started_at": "0x0", "misses": 0,
        "faults": 0}, "/vduse/vq")
    exactly(client.ask("/vduse/vq", "disk0"), {
        "virtqueues": 2, "left_out": 0, "state": ["running", "idle"], "ready": [1, 0],
        "size": [blk.SIZE, 0], "started_at": ["0x0", "0x0"], "misses": [0, 0], "faults": [0, 0]},
            "/vduse/vq, all")
    size = len(driver.memory.map)
    exactly(client.ask("/vduse/iotlb", "disk0"), {
        "address_spaces": 1, "address_space": 0, "regions": 1, "from": 0, "left_out": 0,
        "first": [hex(blk.FIRST)], "last": [hex(blk.FIRST + size - 1)], "perm": ["rw"],
        "size": [size], "huge": [0]}, "/vduse/iotlb")
    if client.ask("/vduse/iotlb", "disk0,1") is not None:
        fail("a second address space")
    same(client.ask("/vduse/iotlb", "disk0,0,1"), {"left_out": 1, "from": 1}, "from region 1")
    driver.close()


def disk(telemetry, path, image, state):
    client = Telemetry(telemetry)
    exactly(client.ask("/vduse/list"), {"devices": 1, "left_out": 0, "names": ["disk0"]}, "list")
    same(client.ask("/vduse/list", "1"), {"devices": 1, "left_out": 1}, "list from 1")
    same(client.ask("/vduse/info", "disk0"), {"status": "0x0", "regions": 0}, "no driver")
    same(client.ask("/vduse/iotlb", "disk0"), {"regions": 0, "left_out": 0}, "no driver")
    same(client.ask("/vduse/blk", "disk0"), BLK_ZERO, "no driver")
    blk_with_driver(client, path, image, state)
    refused(client, "disk0", "/vduse/blk")
    if client.ask("/vduse/net", "disk0") is not None:
        fail("/vduse/net of a disk")
    step("queries while drivers come and go")
    while_queried(telemetry, "disk0", ("/vduse/list", "/vduse/info", "/vduse/vq",
                                       "/vduse/iotlb", "/vduse/blk", "/vduse/blk_latency"),
                  lambda: blk_driver_gone(path), 20)


TX, LENGTHS = 1, (60, 64, 65, 200, 300, 600, 1200, 1514)
NET_ZERO = {f"{way}_{name}": 0 for way in ("rx", "tx") for name in (
    "packets", "bytes", "drops", "nombuf", "bad_descriptors", "size_below_64", "size_64",
    "size_65_to_127", "size_128_to_255", "size_256_to_511", "size_512_to_1023",
    "size_1024_to_1518", "size_above_1518", "multicast", "broadcast", "oversize", "csum_passed",
    "csum_software", "bad_offloads", "gso_passed", "gso_software", "filtered")}
NET_LOAD = {**NET_ZERO, "pairs": 2, "pairs_used": 2, "rx_packets": 9, "rx_bytes": sum(LENGTHS) + 60,
            "rx_drops": 1, "rx_size_below_64": 2, "rx_size_64": 1, "rx_size_65_to_127": 1,
            "rx_size_128_to_255": 1, "rx_size_256_to_511": 1, "rx_size_512_to_1023": 1,
            "rx_size_1024_to_1518": 2, "rx_multicast": 1, "rx_broadcast": 1}
CALLS = [f"{way}_{name}" for way in ("rx", "tx") for name in ("calls", "calls_suppressed")]


def net_load(memory):
    """One packet of each length, a broadcast first, then one that is too short."""
    ring = vu.Ring(memory)
    at = 0x10000
    sizes = [*LENGTHS, 60, 5]
    for i, size in enumerate(sizes):
        first = {0: b"\xff" * 6, 1: b"\x01" + bytes(5)}.get(i, b"\x02" + bytes(5))
        memory.map[at + 12:at + 18] = first
        ring.offer(memory.first + at, 12 + size)
        # The ring holds few.
        until(lambda nb=i + 1: ring.used() == nb, f"packet {i} is not used")


def many_regions(client, driver, memory):
    """More than an answer has room for: pages follow one another without a gap."""
    firsts = [memory.first] + [(1 << 63) + i * 8192 for i in range(300)]
    for first in firsts[1:]:
        driver.add_region(memory.region(first, 4096), [memory.fd])
    found = []
    while len(found) < len(firsts):
        answer = client.ask("/vduse/iotlb", f"net_vduse0,0,{len(found)}")
        nb = min(128, len(firsts) - len(found))
        same(answer, {"regions": 301, "left_out": 301 - nb, "from": len(found)}, "a page")
        found += answer["first"]
        if not nb == len(answer["last"]) == len(answer["perm"]) == len(answer["size"]):
            fail(f"a page of {nb} regions: {answer}")
    if found != [hex(first) for first in firsts]:
        fail(f"regions: {found}")


def net_with_driver(client, path):
    step("packets")
    memory = vu.Memory(1 << 20)
    with vu.Client(path) as driver:
        driver.negotiate()
        driver.table([memory.region()], [memory.fd])
        driver.vring(TX, memory.first)
        net_load(memory)
        exactly(client.ask("/vduse/net", "net_vduse0"), NET_LOAD, "/vduse/net", CALLS)
        exactly(client.ask("/vduse/net", "net_vduse0,0"), NET_LOAD, "pair 0", CALLS)
        exactly(client.ask("/vduse/net", "net_vduse0,1"),
                {**NET_ZERO, "pairs": 2, "pairs_used": 2}, "pair 1", CALLS)
        same(client.ask("/vduse/info", "net_vduse0"),
             {"type": "net", "device_id": 1, "path": path, "regions": 1}, "/vduse/info")
        many_regions(client, driver, memory)
        same(client.ask("/vduse/vq", "net_vduse0,1"), {"state": "running", "ready": 1}, "vq 1")
    memory.close()


def net(telemetry, path):
    client = Telemetry(telemetry)
    net_with_driver(client, path)
    refused(client, "net_vduse0", "/vduse/net")
    if client.ask("/vduse/blk", "net_vduse0") is not None:
        fail("/vduse/blk of a network device")
    step("queries while a device comes and goes")
    attached = True
    # A port cannot be stopped while testpmd polls it.
    print("stop", flush=True)

    def change():
        nonlocal attached
        for command in (("port stop 0", "port detach 0") if attached else
                        (f"port attach net_vduse0,iface={path},queues=2", "port start 0")):
            print(command, flush=True)
        attached = not attached
        until(lambda: len(client.ask("/vduse/list")["names"]) == attached, "the device stays")

    while_queried(telemetry, "net_vduse0", ("/vduse/list", "/vduse/info", "/vduse/vq",
                                            "/vduse/iotlb", "/vduse/net"), change, 10)


if __name__ == "__main__":
    try:
        {"disk": disk, "net": net}[sys.argv[1]](*sys.argv[2:])
    finally:
        print("done", flush=True)
