#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
"""
ctl_check.py CTL FOLDER COMMAND...: dpdk-vduse-ctl top while a driver writes disk0, at FOLDER/disk0.sock, and reads it
back, and while the process is replaced that COMMAND starts; and dpdk-vduse-ctl at servers of this program
that answer anything.
"""
import json
import os
import pty
import socket
import subprocess
import sys
import threading
import time

from blk_handover import Servers
from blk_driver import BlkDriver, SLOTS, T_IN, T_OUT
from blk_vhost_user import VhostUser
from control import Control

CTL, FOLDER = sys.argv[1:3]
COMMAND = sys.argv[3:]
BLOCK = 4096
BLOCKS = 256
IOPS = 400
HUGE = 500
ROUNDED = 60000  # bytes per second, of a table


def step(what):
    print(f"-- {what}", flush=True)


def same(found, expected):
    if found != expected:
        raise ValueError(f"{found!r} is not {expected!r}")


def near(found, expected, slack=0):
    if not 0.75 * expected - slack <= found <= 1.25 * expected + slack:
        raise ValueError(f"{found} is not about {expected}")


def run(*arguments, code=0):
    """The lines of the standard output, or of an error."""
    ended = subprocess.run([CTL, *arguments], capture_output=True, timeout=20, check=False)
    if ended.returncode != code:
        raise ValueError(f"{arguments}: exit code {ended.returncode}: {ended.stderr}")
    text = ended.stderr if code else ended.stdout
    if any(c < 32 and c != 10 or c == 127 for c in text):
        raise ValueError(f"control characters in {text}")
    return text.decode().splitlines()


class Load(threading.Thread):
    """Writes disk0 and reads it back until end()."""

    def __init__(self):
        super().__init__()
        self.driver = BlkDriver(VhostUser(f"{FOLDER}/disk0.sock"), False)
        self.over, self.error, self.turn = threading.Event(), None, 0

    def round(self):
        self.turn += 1
        blocks = [(self.turn * SLOTS + i) % BLOCKS for i in range(SLOTS)]
        texts = [bytes([(self.turn + block) % 256]) * BLOCK for block in blocks]
        for block, text in zip(blocks, texts):
            self.driver.post(T_OUT, 8 * block, text)
        self.driver.wait()
        slots = [self.driver.post(T_IN, 8 * block, size=BLOCK) for block in blocks]
        self.driver.wait()
        for slot, text in zip(slots, texts):
            same(self.driver.data(slot, BLOCK), text)

    def run(self):
        try:
            self.driver.connect()
            while not self.over.is_set():
                self.round()
        except Exception as error:  # pylint: disable=broad-except
            self.error = error

    def end(self):
        self.over.set()
        self.join()
        self.driver.close()
        if self.error is not None:
            raise self.error


def measured(control, seconds, *arguments):
    """What top prints, and how many requests per second disk0 had meanwhile."""
    def requests():
        found = control.call("device.stats", name="disk0")["sum"]
        return found["reads"] + found["writes"]

    before, begin = requests(), time.monotonic()
    lines = run("top", "--count", "2", "--interval", str(seconds), *arguments)
    return lines, (requests() - before) / (time.monotonic() - begin)


def fits(rate, seconds, intervals):
    """
    intervals has, for each interval of so many seconds, reads, writes and bytes of both per second, and
    how many were limited. Half are reads and half writes; disk0 has a limit.
    """
    print(f"{rate:.0f} requests per second", flush=True)
    near(sum(reads + writes for reads, writes, *_ in intervals) / len(intervals), rate)
    for reads, writes, read_bytes, written_bytes, limited in intervals:
        near(read_bytes, reads * BLOCK, ROUNDED)
        near(written_bytes, writes * BLOCK, ROUNDED)
        near(reads, writes, 2 * SLOTS / seconds)
        if reads + writes > 1.25 * IOPS or limited == 0:
            raise ValueError(f"{reads} reads, {writes} writes, {limited} limited")


def terminal():
    """What top prints on a terminal of 24 lines."""
    parent, child = pty.openpty()
    with subprocess.Popen([CTL, "top", "--count", "2", "--interval", "0.2"], stdout=child) as top:
        os.close(child)
        text = b""
        try:
            while True:
                text += os.read(parent, 65536)
        except OSError:  # the end
            pass
        same(top.wait(), 0)
    os.close(parent)
    same(text.count(b"\x1b[H\x1b[J"), 2)
    same(text.count(b"NAME"), 2)


def top():
    step("rates of a load")
    with Control(f"{FOLDER}/control.sock") as control:
        control.call("device.limits", name="disk0", iops=IOPS)
        load = Load()
        load.start()
        try:
            while control.call("device.stats", name="disk0")["sum"]["reads"] == 0:
                if load.error:
                    break
                time.sleep(0.01)
            lines, rate = measured(control, 1)
            json_lines, json_rate = measured(control, 2, "--json")
            terminal()
        finally:
            load.end()
    print("\n".join(lines), flush=True)
    disks = ["NAME", "disk0", "disk-1"]
    same([row.split(" ")[0] for row in lines], disks + [""] + disks)
    intervals = []
    for row in (lines[1], lines[5]):
        reads, writes, read_mb, written_mb, in_flight, errors, limited = map(float, row.split()[1:])
        intervals.append((reads, writes, read_mb * 1e6, written_mb * 1e6, limited))
        same((errors, in_flight <= SLOTS), (0, True))
    fits(rate, 1, intervals)
    same(lines[2].split()[1:], ["0", "0", "0.0", "0.0", "0", "0", "0"])
    found = [json.loads(text) for text in json_lines]
    same([[disk["name"] for disk in disks] for disks in found], 2 * [["disk0", "disk-1"]])
    keys = ("read_iops", "write_iops", "read_bytes_per_s", "write_bytes_per_s", "limited")
    fits(json_rate, 2, [[disks[0][key] for key in keys] for disks in found])


def replaced():
    step("top goes on when the process is replaced, and ends when it ends")
    folder = f"{FOLDER}/replaced"
    os.mkdir(folder)
    with open(f"{folder}/image", "wb") as file:
        file.truncate(1 << 20)
    servers = Servers(folder, [*COMMAND, "--device",
                               f"disk0,iface={folder}/x.sock,backend=file,path={folder}/image"])
    process = servers.start()
    try:
        while servers.state() != "serving":
            same(process.poll(), None)
            time.sleep(0.01)
        with subprocess.Popen([CTL, "--socket", servers.path, "--json", "top", "--interval", "0.1"],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE) as shown:
            for _ in range(2):
                shown.stdout.readline()
                old, process = process, servers.replace()
                same(old.wait(30), 0)
                line_of_new = shown.stderr.readline().decode()
                if f"connected again, to process {process.pid}\n" not in line_of_new:
                    raise ValueError(line_of_new)
                rows = [json.loads(shown.stdout.readline()) for _ in range(20)]
                same([row["name"] for row in rows[-1]], ["disk0"])
            process.terminate()
            same(process.wait(30), 0)
            begin = time.monotonic()
            shown.stdout.read()
            last = shown.stderr.read().decode()
            if "no process serves it" not in last:
                raise ValueError(last)
            same(shown.wait(10), 1)
            if not 3 < time.monotonic() - begin < 15:
                raise ValueError("it did not wait for another process, or too long")
    finally:
        process.terminate()
        process.wait()


class Server(threading.Thread):
    """Serves one client: answer(request) says what to send; None: wait until the client has gone."""

    def __init__(self, answer):
        super().__init__()
        self.path, self.answer = f"{FOLDER}/fake.sock", answer
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen()

    def serve(self, client):
        with client.makefile("rb") as lines:
            for line in lines:
                data = self.answer(json.loads(line))
                if data is None:
                    continue
                client.sendall(data)
                if not data.endswith(b"\n"):
                    return

    def run(self):
        client = self.listener.accept()[0]
        try:
            self.serve(client)
        except OSError:  # it does not want the rest
            pass
        client.close()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.join()
        self.listener.close()
        os.unlink(self.path)


def faced(answer, *arguments, code=0, timeout=None):
    timeout = timeout or ("0.5" if code else "10")
    with Server(answer) as server:
        return run("--socket", server.path, "--timeout", timeout, *arguments, code=code)


def line(what):
    return json.dumps(what).encode() + b"\n"


def result(what):
    return lambda request: line({"jsonrpc": "2.0", "id": request["id"], "result": what})


def error(what):
    return lambda request: line({"jsonrpc": "2.0", "id": request["id"], "error": what})


def fails(text, answer, *arguments):
    lines = faced(answer, *(arguments or ("list",)), code=1)
    if len(lines) != 1 or text not in lines[0]:
        raise ValueError(f"{lines} does not say {text!r}")


def hostile():
    step("servers that answer anything")
    begin = time.monotonic()
    fails("no answer within 0.5 s", lambda _: None)
    fails("no answer within 0.5 s", lambda _: None, "stop")
    if not 1 <= time.monotonic() - begin < 8:
        raise ValueError("the time-out has another length")
    fails("without an answer", lambda _: b"")
    # It ends.
    same(faced(lambda _: b"", "stop"), [])
    same(faced(lambda _: b"", "--json", "stop"), ["true"])
    fails("without the end of its answer", lambda _: b'{"jsonrpc": "2.0"')
    for text in (b"\n", b"garbage\n", b"\xff\xfe\x1b[2J\n", b"[" * 100000 + b"\n", b'{"id":1,"id":1}\n',
                 b'{"a":"\\u0000"}\n'):
        fails("the answer is not JSON", lambda _, text=text: text)
    for what in ([], {}, {"jsonrpc": "2.0"}, {"jsonrpc": "2.0", "id": 1}, {"id": 1, "result": []},
                 {"jsonrpc": "2.0", "id": 2, "result": []}, {"jsonrpc": "2.0", "result": []},
                 {"jsonrpc": "2.0", "id": "1", "result": []}, {"jsonrpc": "2.0", "id": 1, "error": 5}):
        fails("not one of JSON-RPC 2.0", lambda _, what=what: line(what))
    fails("without a text", error({"code": 1}))
    fails("a?[2J?b?", error({"code": 1, "message": "a\x1b[2J\nb\u202e"}))
    fails("there are 16 clients", lambda _: line({"jsonrpc": "2.0", "id": None,
                                                  "error": {"message": "there are 16 clients"}}))
    for what in (5, None, "text"):
        for command in (("list",), ("stats", "x"), ("resize", "x"), ("version",), ("add", "x")):
            fails("another form", result(what), *command)
    fails("another form", result({}), "list")
    fails("another form", result({"sum": {}}), "stats", "x")
    fails("list of disks is none", result({}), "top")
    fails("a disk without a name", result([1]), "top")
    same(faced(result([1]), "list")[1].split(), ["-", "0"] + 7 * ["-"])
    lines = faced(lambda _: b"x" * (65 << 20) + b"\n", "list", code=1, timeout="10")
    same((len(lines), "more than 64 MiB" in lines[0]), (1, True))


def huge():
    step(f"{HUGE} disks, and one that is removed")
    disks = [{"name": f"disk{i}\x1b]0;x\x07", "serial": "x" * 20000, "capacity_bytes": 2**63 - 1}
             for i in range(HUGE)]
    lines = faced(result(disks), "list")
    same((len(lines), lines[-1].split()[:2]), (HUGE + 1, [f"disk{HUGE - 1}?]0;x?", "8E"]))
    same(json.loads(faced(result(disks), "--json", "list")[0]), disks)
    calls = 0

    def answer(request):
        nonlocal calls
        if request["method"] == "device.list":
            return result(disks)(request)
        calls += 1
        if request["params"]["name"] == disks[7]["name"]:
            return error({"message": "gone", "data": {"errno": "ENODEV"}})(request)
        return result({"sum": {"reads": 10 * calls, "writes": -1, "read_bytes": 2**63 - 1}})(request)

    rows = json.loads(faced(answer, "--json", "top", "--count", "1", "--interval", "0.1")[0])
    same((len(rows), calls), (HUGE - 1, 2 * HUGE))
    same(rows, sorted(rows, key=lambda row: -row["read_iops"]))


if __name__ == "__main__":
    top()
    replaced()
    hostile()
    huge()
