#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
"""metrics.py EXPORTER WORK PROCESS SOCKET TOP PART...

PROCESS is the folder with the telemetry socket of a dpdk-vduse-blk that serves SOCKET, WORK a folder for
files, TOP the source tree. See host_52_metrics.sh.
"""
import contextlib
import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import threading
import time

import yaml

import blk_driver as blk
import vhost_user as vu
from blk_vhost_user import VhostUser
from telemetry import NET_LOAD, TX, blk_load, fail, net_load, step, until

EXPORTER, WORK, PROCESS, SOCKET, TOP = sys.argv[1:6]
TELEMETRY = f"{PROCESS}/dpdk_telemetry.v2"
PREFIX = os.path.basename(PROCESS)
HTTP = f"{WORK}/http.sock"
TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8"
SECONDS = 3 * float(os.environ.get("VM_PATIENCE", 1))


@contextlib.contextmanager
def exporter(*args, listen=f"unix:{HTTP}"):
    """Ends with exit code 0."""
    with subprocess.Popen([EXPORTER, "--listen", listen, *args], stdout=subprocess.PIPE,
                          text=True) as process:
        try:
            if "listens" not in process.stdout.readline():
                fail(f"no exporter at {listen}")
            yield process
            process.terminate()
            if process.wait(20) != 0:
                fail(f"the exporter ends with {process.returncode}")
        finally:
            process.kill()


def connect(where=HTTP):
    family = socket.AF_UNIX if isinstance(where, str) else \
        socket.AF_INET6 if ":" in where[0] else socket.AF_INET
    sock = socket.socket(family)
    sock.settimeout(20)
    sock.connect(where)
    return sock


def http(where=HTTP, request="GET /metrics"):
    """Returns the status, the headers in lower case, and the body."""
    with connect(where) as sock:
        sock.sendall(f"{request} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        data = b""
        while part := sock.recv(65536):
            data += part
    head, _, body = data.partition(b"\r\n\r\n")
    status, *headers = head.decode().split("\r\n")
    return int(status.split()[1]), [line.lower() for line in headers], body.decode()


SAMPLE = re.compile(r'([a-z_]+)\{((?:[a-z_]+="(?:[^"\\\n]|\\["\\n])*",?)*)\} (\d+(?:\.\d+)?)')
LABEL = re.compile(r'([a-z_]+)="((?:[^"\\]|\\.)*)"')
ESCAPED = re.compile(r"\\(.)")
SUFFIXES = {"gauge": [""], "counter": ["_total"], "info": ["_info"],
            "histogram": ["_bucket", "_count", "_sum"]}


def parse(text):
    """Returns {(name, labels): value}. The rules of OpenMetrics 1.0 that this text can break."""
    samples, families, family = {}, {}, None
    lines = text.split("\n")
    if lines[-2:] != ["# EOF", ""] or "# EOF" in lines[:-2]:
        fail(f"the end: {lines[-2:]}")
    for line in lines[:-2]:
        if line.startswith("# "):
            _, kind, name, value = line.split(" ", 3)
            if kind == "TYPE":
                if name in families:
                    fail(f"twice: {line}")
                family, families[name] = name, value
            if name != family or kind not in ("TYPE", "UNIT", "HELP") or \
                    (kind == "UNIT" and not name.endswith("_" + value)):
                fail(line)
            continue
        match = SAMPLE.fullmatch(line)
        if match is None or match[1] not in [family + end for end in SUFFIXES[families[family]]]:
            fail(f"in {family}: {line}")
        key = (match[1], frozenset((label, ESCAPED.sub(lambda m: "\n" if m[1] == "n" else m[1], text))
                                   for label, text in LABEL.findall(match[2])))
        bound = dict(key[1]).get("le", "+Inf")
        if key in samples or bound not in ("+Inf", repr(float(bound))):
            fail(f"twice, or a bound in another form: {line}")
        samples[key] = float(match[3])
    try:
        from prometheus_client.openmetrics.parser import text_string_to_metric_families
    except ImportError:
        return samples
    known = {(s.name, frozenset(s.labels.items())): float(s.value)
             for f in text_string_to_metric_families(text) for s in f.samples}
    if known != samples:
        fail(f"the parsers differ: {set(known.items()) ^ set(samples.items())}")
    return samples


def scrape(where=HTTP):
    begin = time.monotonic()
    status, headers, body = http(where)
    if time.monotonic() - begin > SECONDS:
        fail(f"an answer after {time.monotonic() - begin} s")
    if status != 200 or f"content-type: {TYPE}" not in headers:
        fail(f"{status} {headers}")
    return parse(body)


def value(samples, name, process=PREFIX, **labels):
    return samples.get((name, frozenset({"process": process, **labels}.items())))


def same(samples, wanted, **labels):
    """wanted: values by name."""
    for name, number in wanted.items():
        if value(samples, name, **labels) != number:
            fail(f"{name}{labels} is {value(samples, name, **labels)}, not {number}")


def port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def arguments():
    refused = [("--listen", f"0.0.0.0:{port()}"), ("--listen", f"[::]:{port()}"), ("--listen", "x"),
               ("--listen", "127.0.0.1:"), ("--listen", "unix:"), ("--listen", "localhost:http"),
               ("--file-prefix", "../x"), ("--file-prefix", ""), ("--telemetry", "x" * 200),
               ("--file-prefix", "a", "--file-prefix", "a"), ("--telemetry", "\udcff"), ("x",),
               ("--listen", f"unix:{WORK}/no/folder")]
    for args in refused:
        done = subprocess.run([EXPORTER, *args], capture_output=True, timeout=20, check=False)
        if done.returncode not in (1, 2) or not done.stderr:
            fail(f"{args}: {done}")
    with exporter("--any-address", listen=(f"0.0.0.0:{(number := port())}")):
        scrape(("127.0.0.1", number))


def blk_histograms(samples):
    labels = {"device": "disk0"}
    for operation, count in {"read": 3, "write": 5, "flush": 2, "ranges": 2}.items():
        name, labels["operation"] = "vduse_blk_latency_seconds", operation
        buckets = sorted((float(dict(key[1])["le"]), number) for key, number in samples.items()
                         if key[0] == f"{name}_bucket" and dict(key[1])["operation"] == operation)
        numbers = [number for _, number in buckets]
        if len(buckets) != 23 or numbers != sorted(numbers) or buckets[-1] != (float("inf"), count) \
                or buckets[0][0] != 1e-6 or numbers[-2] != count:
            fail(f"buckets of {operation}: {buckets}")
        same(samples, {f"{name}_count": count}, **labels)
        total = value(samples, f"{name}_sum", **labels)
        # No request took longer than the bound of its bucket, and none less than the one below.
        steps = list(zip(buckets, [(0, 0), *buckets]))
        most = sum((n - m) * le for (le, n), (_, m) in steps if n > m)
        least = sum((n - m) * low for (_, n), (low, m) in steps if n > m)
        if not least * 15 / 16 <= total <= most:
            fail(f"sum of {operation}: {total}, not {least} to {most}")


def blk_counters(samples):
    same(samples, {"vduse_up": 1, "vduse_devices": 1})
    same(samples, {"vduse_device_driver_ok": 1, "vduse_device_broken": 0, "vduse_device_regions": 1,
                   "vduse_device_driver_failed": 0, "vduse_blk_capacity_bytes": 1 << 20},
         device="disk0")
    same(samples, {"vduse_device_info": 1}, device="disk0", type="block", transport="vhost-user",
         path=SOCKET)
    if not value(samples, "vduse_device_mapped_bytes", device="disk0"):
        fail("no memory is mapped")
    wanted = {"vduse_blk_requests_total": ("operation", {
        "read": 4, "write": 5, "flush": 2, "discard": 1, "write_zeroes": 1, "secure_erase": 0,
        "other": 2}), "vduse_blk_bytes_total": ("operation", {"read": 3072, "write": 10240}),
        "vduse_blk_errors_total": ("reason", {
            "io": 0, "bad_request": 1, "unsupported": 1, "bad_descriptor": 0})}
    for name, (label, numbers) in wanted.items():
        for what, number in numbers.items():
            for queue, times in (("0", 1), ("1", 0)):
                same(samples, {name: number * times}, device="disk0", queue=queue, **{label: what})
    same(samples, {"vduse_blk_in_flight": 0, "vduse_blk_held": 0, "vduse_virtqueue_ready": 1,
                   "vduse_virtqueue_error": 0, "vduse_virtqueue_iotlb_misses_total": 0}, device="disk0", queue="0")
    same(samples, {"vduse_virtqueue_ready": 0}, device="disk0", queue="1")


def blk_part():
    driver = blk.BlkDriver(VhostUser(SOCKET), False,
                           features=blk.F_FLUSH | blk.F_DISCARD | blk.F_WRITE_ZEROES)
    with exporter("--file-prefix", PREFIX):
        if stat.S_IMODE(os.stat(HTTP).st_mode) != 0o660:
            fail("mode of the socket")
        same(scrape(), {"vduse_device_driver_ok": 0}, device="disk0")
        driver.connect()
        blk_load(driver)
        until(lambda: value(scrape(), "vduse_blk_in_flight", device="disk0", queue="0") == 0,
              "requests in flight")
        samples = scrape()
        blk_counters(samples)
        blk_histograms(samples)
    if os.path.exists(HTTP):
        fail("the socket is left")
    number = port()
    # All processes that are found: among them this one.
    for where, listen in ((("127.0.0.1", number), f"127.0.0.1:{number}"),
                          (("::1", number), f"[::1]:{number}")):
        with exporter(listen=listen):
            blk_counters(scrape(where))
            for request, status in (("GET /", 404), ("GET /metricsx", 404), ("POST /metrics", 405),
                                    ("HEAD /metrics", 405), ("DELETE /metrics", 405)):
                if http(where, request)[0] != status:
                    fail(f"{request}: {http(where, request)}")
    driver.close()


def net():
    memory = vu.Memory(1 << 20)
    with exporter("--file-prefix", PREFIX), vu.Client(SOCKET) as driver:
        driver.negotiate()
        driver.table([memory.region()], [memory.fd])
        driver.vring(TX, memory.first)
        net_load(memory)
        samples = scrape()
        same(samples, {"vduse_device_info": 1}, device="net_vduse0", type="net", path=SOCKET,
             transport="vhost-user")
        wanted = {"packets": 9, "bytes": NET_LOAD["rx_bytes"], "drops": 1, "multicast_packets": 1,
                  "broadcast_packets": 1}
        others = ("nombuf", "bad_descriptors", "oversize", "filtered", "bad_offloads",
                  "checksums_passed", "checksums_computed", "segmentation_passed",
                  "segmentation_done")
        for direction, queue in (("rx", "0"), ("rx", "1"), ("tx", "0"), ("tx", "1")):
            labels = {"device": "net_vduse0", "direction": direction, "queue": queue}
            served = (direction, queue) == ("rx", "0")
            for name in (*wanted, *others):
                same(samples, {f"vduse_net_{name}_total": wanted.get(name, 0) * served}, **labels)
            for name, number in NET_LOAD.items():
                if name.startswith("rx_size_"):
                    same(samples, {"vduse_net_sized_packets_total": number * served},
                         size=name[8:], **labels)
    memory.close()


def kill(pid):
    with exporter():
        same(scrape(), {"vduse_up": 1})
        os.kill(int(pid), signal.SIGKILL)
        until(lambda: open(f"/proc/{pid}/stat", encoding="ascii").read().split()[2] in "ZX"
              if os.path.exists(f"/proc/{pid}") else True, "the process stays")
        samples = scrape()
        if value(samples, "vduse_up") != 0 or value(samples, "vduse_devices") is not None:
            fail("a killed process is up")
        same(scrape(), {"vduse_up": 0})
    with exporter():
        if value(scrape(), "vduse_up") is not None:
            fail("a socket that was left is taken for a process")
    with exporter("--file-prefix", PREFIX):
        same(scrape(), {"vduse_up": 0})


class Fake:
    """A telemetry socket. answer(query) gives datagrams; None: no answer."""

    def __init__(self, path, answer, greeting=b'{"max_output_len": 16384}', accepts=True):
        self.answer, self.greeting = answer, greeting
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.sock.bind(path)
        self.sock.listen(16 if accepts else 0)
        if accepts:
            threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            conn, _ = self.sock.accept()
            threading.Thread(target=self.serve, args=(conn,), daemon=True).start()

    def serve(self, conn):
        with conn, contextlib.suppress(OSError):
            if self.greeting is not None:
                conn.send(self.greeting)
            while query := conn.recv(1024):
                for data in self.answer(query.decode()):
                    conn.send(data)


def endless(_query=None):
    while True:
        yield b'{"/vduse/list": {"names": ["' + b"x" * 8000 + b'"], "devices": 1000000}}'


def endpoint(query):
    return query.split(",")[0]


def same_for_all(answer):
    """The same answer at each endpoint."""
    return lambda query: [json.dumps({endpoint(query): answer}).encode()]


def endless_names(query):
    """Always more devices; each one has endless queues and regions."""
    if endpoint(query) == "/vduse/list":
        first = int(query.split(",")[1])
        return same_for_all({"names": [f"d{first + i}" for i in range(128)], "devices": 1 << 40})(query)
    return same_for_all({"name": query.split(",")[1], "type": "block", "address_spaces": 1 << 40,
                         "regions": 1 << 40, "size": [1 << 62] * 100, "queues": 1 << 40})(query)


ODD_NAME = 'a"b\\c\nd'
ODD = {
    "names": [ODD_NAME, ODD_NAME, 7, None, {}, "b"], "devices": 6, "name": ODD_NAME, "type": "block",
    "status": "zz", "broken": -1, "suspended": 1.5, "messages": 1 << 62, "resets": "1", "path": "\n",
    "address_spaces": 1, "regions": 1, "size": [1, "x", -1], "state": [1, "error"], "ready": {"a": 1},
    "queues": 2, "reads": [], "writes": 3, "le_ns": [5, 3], "read": [1, 2], "read_count": 2,
    "read_sum_ns": 1, "write": [1], "write_count": 1, "sectors": 1 << 62}


def hostile_processes():
    """Path and fake process by name; and whether it is up."""
    garbage = b"\xff\x00{]" * 100
    makers = {
        "silent": dict(answer=lambda q: [], greeting=None),
        "mute": dict(answer=lambda q: []),
        "garbage": dict(answer=lambda q: [garbage], greeting=garbage),
        "rubbish": dict(answer=lambda q: [garbage]),
        "endless": dict(answer=endless),
        "names": dict(answer=endless_names),
        "long": dict(answer=lambda q: [b'{"' + b"x" * 60000 + b'": 1}']),
        "deep": dict(answer=lambda q: [b'{"/vduse/list":' + b"[" * 8000 + b"]" * 8000 + b"}"]),
        "huge": dict(answer=same_for_all(None), greeting=b'{"max_output_len": 9000000000000000000}'),
        "none": dict(answer=lambda q: [], accepts=False),
        "odd": dict(answer=same_for_all(ODD)),
    }
    return {name: Fake(f"{WORK}/{name}", **how) for name, how in makers.items()}


def hostile():
    fakes = hostile_processes()
    good = Fake(f"{WORK}/good", same_for_all({"names": [], "devices": 0}))
    waiting = [socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) for _ in range(3)]
    for sock in waiting:
        # Nobody accepts: the queue of this socket is full.
        sock.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            sock.connect(f"{WORK}/none")
    args = []
    for name in (*fakes, "good", "missing"):
        args += ["--telemetry", f"{WORK}/{name}"]
    with exporter(*args) as process:
        for _ in range(3):
            samples = scrape()
            for name in (*fakes, "missing"):
                if name != "odd":
                    same(samples, {"vduse_up": 0}, process=f"{WORK}/{name}")
            same(samples, {"vduse_up": 1, "vduse_devices": 0}, process=f"{WORK}/good")
            same(samples, {"vduse_up": 1, "vduse_devices": 1}, process=f"{WORK}/odd")
            # Only what is a number, of the first device of that name.
            odd = [dict(labels) for name, labels in samples if name == "vduse_blk_requests_total"
                   and ("process", f"{WORK}/odd") in labels]
            if [(labels["device"], labels["operation"]) for labels in odd] != \
                    [(ODD_NAME, "write")] * 2:
                fail(f"of odd answers: {odd}")
            if any(name.startswith("vduse_blk_latency") for name, _ in samples):
                fail("a histogram that does not ascend")
        if process.poll() is not None:
            fail("the exporter ended")
    del good


def trickle(ended):
    """A client that sends a byte now and then, until it is cut off."""
    with contextlib.suppress(BrokenPipeError, ConnectionResetError), connect() as sock:
        sock.sendall(b"GET /metrics HTTP/1.1\r\nX: ")
        while True:
            time.sleep(0.5)
            sock.sendall(b"x")
    ended.append(time.monotonic())


def clients():
    good = Fake(f"{WORK}/good", same_for_all({"names": [], "devices": 0}))
    with exporter("--telemetry", f"{WORK}/good") as process:
        step("some that read nothing")
        slow = [connect() for _ in range(8)]
        for sock in slow[:4]:
            sock.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n" * 100)
        same(scrape(), {"vduse_up": 1}, process=f"{WORK}/good")
        for sock in slow:
            sock.close()
        step("garbage")
        for data in (b"\x00" * 100, b"GET /metrics", b"\r\n" * 1000, b"GET " + b"x" * 100000,
                     b"GET /metrics HTTP/1.1\r\n" + b"a: b\r\n" * 10000,
                     b"POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 999999999\r\n\r\n"):
            with connect() as sock, contextlib.suppress(OSError):
                sock.sendall(data)
        same(scrape(), {"vduse_up": 1}, process=f"{WORK}/good")
        step("clients that trickle")
        ended, begin = [], time.monotonic()
        for _ in range(24):
            threading.Thread(target=trickle, args=(ended,), daemon=True).start()
        while len(ended) < 16 and time.monotonic() - begin < 60:
            same(scrape(), {"vduse_up": 1}, process=f"{WORK}/good")
            time.sleep(0.2)
        if len(ended) < 16:
            fail(f"{24 - len(ended)} clients of 24 are still there")
        # 3 s if there are many; 10 s is for few.
        if ended[0] - begin > 3 * SECONDS:
            fail(f"cut off after {ended[0] - begin} s")
        step(f"{len(ended)} were cut off after {max(ended) - begin:.1f} s")
        if process.poll() is not None:
            fail("the exporter ended")
    del good


def strings(tree, keys):
    """All texts that are members of one of these names."""
    if isinstance(tree, dict):
        for key, item in tree.items():
            if key in keys and isinstance(item, str):
                yield item
            yield from strings(item, keys)
    if isinstance(tree, list):
        for item in tree:
            yield from strings(item, keys)


def names():
    with exporter("--telemetry", f"{WORK}/nobody"):
        body = http()[2]
    known = {name + end for name, kind in re.findall(r"# TYPE (\S+) (\S+)", body)
             for end in SUFFIXES[kind]}
    folder = f"{TOP}/config/prometheus"
    with open(f"{folder}/dashboard.json", encoding="ascii") as file:
        dashboard = json.load(file)
    panels = list(strings(dashboard["panels"], ("expr",)))
    panels += [variable["query"] for variable in dashboard["templating"]["list"]
               if variable["type"] == "query"]
    with open(f"{folder}/dpdk-vduse.rules.yml", encoding="ascii") as file:
        rules = yaml.safe_load(file)
    for group in rules["groups"]:
        for rule in group["rules"]:
            if not {"alert", "expr", "labels", "annotations"} <= set(rule):
                fail(f"rule {rule}")
    expressions = panels + list(strings(rules, ("expr",)))
    if len(expressions) < 15:
        fail(f"{len(expressions)} expressions")
    for text in expressions:
        used = set(re.findall(r"vduse_[a-z0-9_]+", text))
        if not used or not used <= known or any(text.count(a) != text.count(b)
                                                for a, b in ("()", "{}", "[]")):
            fail(f"{text}: {used - known}")


if __name__ == "__main__":
    {"arguments": arguments, "blk": blk_part, "kill": kill, "hostile": hostile, "clients": clients, "net": net,
     "names": names}[sys.argv[6]](*sys.argv[7:])
