#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
"""
control_check.py CONTROL FOLDER PID: every method and error of the control socket, hostile clients,
and many disks that come and go while disk0, at FOLDER/disk0.sock, is under verifying load. The process
has no other device. Afterwards it has the threads and file descriptors that it had.
"""
import json
import os
import random
import socket
import stat
import sys
import threading
import time

from blk_driver import BlkDriver, SLOTS, T_GET_ID, T_IN, T_OUT
from blk_vhost_user import VhostUser
from control import Control, Failed

PATH, FOLDER, PID = sys.argv[1:4]
DISKS = 500
BLOCK = 4096
BLOCKS = 256
COUNTERS = {"reads", "writes", "flushes", "discards", "write_zeroes", "secure_erases", "others",
            "read_bytes", "written_bytes", "io_errors", "bad_requests", "unsupported",
            "bad_descriptors", "calls", "calls_suppressed", "in_flight", "limited",
            "held"}
FUZZ_S = 3


def step(what):
    print(f"-- {what}", flush=True)


def same(found, expected):
    if found != expected:
        raise ValueError(f"{found!r} is not {expected!r}")


def until(condition, what):
    end = time.monotonic() + 10
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(what)
        time.sleep(0.01)


def resources():
    return len(os.listdir(f"/proc/{PID}/fd")), len(os.listdir(f"/proc/{PID}/task"))


def disk(name, what):
    return f"{name},iface={FOLDER}/{name}.sock,{what}"


def refused(control, errno, method, **params):
    """The method fails: with an errno name, or with a code."""
    try:
        control.call(method, **params)
    except Failed as failed:
        same(failed.errno or failed.code, errno)
        if not failed.message:
            raise ValueError("an error without a text") from failed
        return failed.message
    raise ValueError(f"{method} {params} was not refused")


class Load(threading.Thread):
    """Writes disk0 and reads it back, and measures the longest time that a round took."""

    def __init__(self):
        super().__init__()
        self.driver = BlkDriver(VhostUser(f"{FOLDER}/disk0.sock"), False)
        self.over, self.error, self.rounds, self.longest = threading.Event(), None, 0, 0
        self.random = random.Random(1)

    def round(self):
        blocks = self.random.sample(range(BLOCKS), SLOTS)
        texts = [self.random.randbytes(BLOCK) for _ in blocks]
        for block, text in zip(blocks, texts):
            self.driver.post(T_OUT, 8 * block, text)
        self.driver.wait()
        slots = [self.driver.post(T_IN, 8 * block, size=BLOCK) for block in blocks]
        self.driver.wait()
        for slot, text in zip(slots, texts):
            if self.driver.data(slot, BLOCK) != text:
                raise ValueError("a block does not hold what was written")
        self.rounds += 1

    def run(self):
        try:
            self.driver.connect()
            while not self.over.is_set():
                begin = time.monotonic()
                self.round()
                self.longest = max(self.longest, time.monotonic() - begin)
        except Exception as error:  # pylint: disable=broad-except
            self.error = error

    def end(self):
        self.over.set()
        self.join()
        self.driver.close()
        if self.error is not None:
            raise self.error


def protocol(control):
    step("JSON-RPC")
    for line, code in ((b"", -32700), (b"{", -32700), (b"\xff\xfe", -32700), (b'{"a":"\xc3\xa9', -32700),
                       (b"[" * 10000, -32700), (b'{"a":' * 10000, -32700),
                       (b'{"id":1,"id":2}', -32700), (b'{"a":"\\u0000"}', -32700),
                       (b"1" * 60000, -32700),
                       (b'"' + "\u00e9".encode() * 30000 + b"]", -32700),
                       (b"1", -32600), (b"null", -32600), (b"[]", -32600), (b"{}", -32600),
                       (b'[{"jsonrpc":"2.0","id":1,"method":"version"}]', -32600),
                       (b'{"jsonrpc":"1.0","id":1,"method":"version"}', -32600),
                       (b'{"jsonrpc":"2.0","id":{},"method":"version"}', -32600),
                       (b'{"jsonrpc":"2.0","id":1,"method":1}', -32600),
                       (b'{"jsonrpc":"2.0","id":1,"method":"version","params":1}', -32600),
                       (b'{"jsonrpc":"2.0","id":1,"method":"nothing"}', -32601),
                       (b'{"jsonrpc":"2.0","id":1,"method":"version","params":[1]}', -32602)):
        answer = control.raw(line)
        same((answer["jsonrpc"], answer["error"]["code"]), ("2.0", code))
        same(answer["id"], 1 if code in (-32601, -32602) or b'"id":1,"method":1' in line or
             b'"1.0"' in line or b'"params":1}' in line else None)
    same(control.raw(b'{"jsonrpc":"2.0","id":"x","method":"device.list"}')["id"], "x")
    # A notification has no answer, so that the next answer is that of the next request.
    control.send(b'{"jsonrpc":"2.0","method":"device.list"}\n')
    control.send(b'{"jsonrpc":"2.0","method":"nothing"}\n')
    found = control.call("version")
    same((found["program"], found["pid"]), ("dpdk-vduse-blk", int(PID)))
    same((found["version"][0].isdigit(), found["dpdk"].startswith("DPDK ")), (True, True))


def methods(control):
    step("methods and their errors")
    for method, params in (("version", {"x": 1}), ("device.list", {"x": 1}), ("device.stats", {}),
                           ("device.stats", {"name": 1}), ("device.add", {}),
                           ("device.remove", {"name": "disk1", "force": 1}),
                           ("device.resize", {"names": "disk1"}), ("log.set", {"type": "lib.*"}),
                           ("log.set", {"type": "lib.*", "level": "loud"}),
                           ("log.set", {"type": "lib.*", "level": 9}),
                           ("log.set", {"type": "lib.*", "level": 0}),
                           ("config.save", {"path": 1})):
        refused(control, -32602, method, **params)
    for method in ("device.stats", "device.remove", "device.resize", "device.limits",
                   "device.handover"):
        same("no-disk" in refused(control, "ENODEV", method, name="no-disk"), True)
        refused(control, "ENODEV", method, name="\u00e9" * 300)
    for text in ("", "a b,backend=null", "disk1", "disk1,backend=null,iface=nowhere",
                 disk("disk1", "backend=null,queues=0"), disk("disk1", "backend=null,nothing=1")):
        refused(control, "EINVAL", "device.add", device=text)
    refused(control, "ENOENT", "device.add",
            device=f"disk1,iface={FOLDER}/none/x.sock,backend=null")
    refused(control, "ENOENT", "device.add", device=disk("disk1", f"backend=file,path={FOLDER}/no"))
    same(control.names(), ["disk0"])
    image = f"{FOLDER}/disk1.img"
    with open(image, "wb") as file:
        file.truncate(1 << 20)
    text = disk("disk1", f"backend=file,path={image},queues=2,ro=1,serial=S1")
    same(control.call("device.add", device=text), True)
    refused(control, "EEXIST", "device.add", device=text)
    refused(control, "EEXIST", "device.add", device=f"disk2,iface={FOLDER}/disk1.sock,backend=null")
    same(control.call("device.list")[1],
         {"name": "disk1", "path": f"{FOLDER}/disk1.sock", "backend": "file", "state": "serving",
          "driver": "down", "queues": 2, "capacity_bytes": 1 << 20, "read_only": True,
          "serial": "S1"})
    os.truncate(image, 2 << 20)
    same(control.call("device.resize", name="disk1"), {"capacity_bytes": 2 << 20})
    refused(control, "EINVAL", "device.limits", name="disk1", iops=-1)
    same(control.call("device.limits", name="disk1", iops=100, bps=1 << 20), True)
    same(control.call("device.limits", name="disk1"), True)
    for level in ("emerg", "debug", "info", 8, 1, 7):
        same(control.call("log.set", type="lib.vduse.*", level=level), True)
    found = control.call("device.stats", name="disk1")
    same((found["name"], len(found["queues"]), set(found["sum"])), ("disk1", 2, COUNTERS))
    save(control, image)
    limits(control)
    serial(control)
    same(control.call("device.remove", name="disk1"), True)
    same((control.names(), os.path.exists(f"{FOLDER}/disk1.sock")), (["disk0"], False))


def save(control, image):
    path = f"{FOLDER}/saved"
    refused(control, "EINVAL", "config.save")
    refused(control, "ENOENT", "config.save", path=f"{FOLDER}/none/saved")
    same(control.call("config.save", path=path), True)
    same(stat.S_IMODE(os.stat(path).st_mode), 0o600)
    same(sorted(name for name in os.listdir(FOLDER) if name.startswith("saved")), ["saved"])
    with open(path, encoding="utf-8") as file:
        text = file.read()
    if f"[disk1]\niface = {FOLDER}/disk1.sock\nbackend = file\npath = {image}\n" not in text:
        raise ValueError(text)


def saved(control, name):
    """What config.save says of a disk."""
    path = f"{FOLDER}/saved"
    control.call("config.save", path=path)
    with open(path, encoding="utf-8") as file:
        sections = file.read().split("\n\n")
    lines = next(text for text in sections if text.startswith(f"[{name}]\n")).splitlines()[1:]
    same(len(lines), len({line.split(" = ")[0] for line in lines}))
    return dict(line.split(" = ", 1) for line in lines)


def limits(control):
    step("limits are saved")
    before = saved(control, "disk1")
    same("iops" in before or "bps" in before, False)
    refused(control, "EINVAL", "device.limits", name="disk1", iops=10**9 + 1)
    for iops, bps in ((100, 0), (200, 1 << 20), (0, 1 << 40), (0, 0)):
        control.call("device.limits", name="disk1", iops=iops, bps=bps)
        expected = {key: str(value) for key, value in (("iops", iops), ("bps", bps)) if value}
        same(saved(control, "disk1"), {**before, **expected})


def serial(control):
    step("another serial number while a driver uses the disk")
    driver = BlkDriver(VhostUser(f"{FOLDER}/disk1.sock"), False)
    driver.connect()

    def answered():
        slot = driver.post(T_GET_ID, 0, size=20)
        driver.wait()
        return driver.data(slot, 20).rstrip(b"\0").decode()

    same(answered(), "S1")
    for text in ("another, with a comma"[:20], "x" * 20, "#[y]=z"):
        same(control.call("device.serial", name="disk1", serial=text), True)
        same(answered(), text)
        same(saved(control, "disk1")["serial"], text)
        same(control.call("device.list")[1]["serial"], text)
    for wrong in ("", "x" * 21, "a\nb", "a\tb", "\u00e9", " a", "a ", "\x7f"):
        refused(control, "EINVAL", "device.serial", name="disk1", serial=wrong)
    refused(control, -32602, "device.serial", name="disk1")
    refused(control, -32602, "device.serial", name="disk1", serial=1)
    same((answered(), saved(control, "disk1")["serial"]), ("#[y]=z", "#[y]=z"))
    driver.close()


def many(control):
    step(f"{DISKS} disks while disk0 is used")
    names = [f"many{i}" for i in range(DISKS)]
    begin = time.monotonic()
    for i, name in enumerate(names):
        what = "backend=ram,size=64K" if i % 2 else "backend=null,size=1M"
        control.call("device.add", device=disk(name, what))
    same(control.names(), ["disk0"] + names)
    for name in names:
        control.call("device.resize", name=name)
    drivers = [BlkDriver(VhostUser(f"{FOLDER}/{name}.sock"), False) for name in names[1:6:2]]
    for driver in drivers:
        driver.connect()
        same(driver.status(T_OUT, 0, bytes(512)), 0)
    same([one["driver"] for one in control.call("device.list")[1:7]], ["down", "up"] * 3)
    for name in names:
        control.call("device.remove", name=name)
    for driver in drivers:
        driver.close()
    same(control.names(), ["disk0"])
    print(f"{time.monotonic() - begin:.1f} s")


def slow(control, load):
    step("a disk that takes seconds to finish its requests is removed")
    control.call("device.add",
                 device=disk("slow", "backend=fault,under=null,delay=2000000,in-order=1"))
    driver = BlkDriver(VhostUser(f"{FOLDER}/slow.sock"), False)
    driver.connect()
    for block in range(8):
        driver.post(T_OUT, 8 * block, bytes(512))
    until(lambda: control.call("device.stats", name="slow")["sum"]["in_flight"] == 8, "no requests")
    removed = []

    def remove():
        with Control(PATH) as other:
            other.call("device.remove", name="slow")
            removed.append(time.monotonic())

    remover = threading.Thread(target=remove)
    remover.start()
    until(lambda: control.call("device.list")[1]["state"] == "stopping", "it does not stop")
    load.longest, begin, rounds = 0, time.monotonic(), load.rounds
    refused(control, "EBUSY", "device.remove", name="slow")
    refused(control, "EBUSY", "device.resize", name="slow")
    refused(control, "EEXIST", "device.add", device=disk("slow", "backend=null"))
    control.call("device.add", device=disk("other", "backend=null"))
    control.call("device.remove", name="other")
    took = time.monotonic() - begin
    remover.join()
    driver.close()
    same(control.names(), ["disk0"])
    print(f"{removed[0] - begin:.1f} s; other calls took {took:.1f} s, disk0 did "
          f"{load.rounds - rounds} rounds, the longest in {load.longest * 1000:.0f} ms")
    if took > (removed[0] - begin) / 2 or load.longest > 2:
        raise ValueError("others were delayed")


def rivals():
    step("clients that add and remove the same disks at once")
    seen, errors = {}, []

    def act(seed):
        try:
            chance = random.Random(seed)
            with Control(PATH) as control:
                for _ in range(150):
                    name = f"rival{chance.randrange(2)}"
                    try:
                        method = chance.choice(("add", "remove", "resize", "stats"))
                        what = {"device": disk(name, "backend=null")} if method == "add" else {
                            "name": name}
                        control.call(f"device.{method}", **what)
                        result = "OK"
                    except Failed as failed:
                        result = failed.errno
                    seen[result] = seen.get(result, 0) + 1
        except Exception as error:  # pylint: disable=broad-except
            errors.append(error)

    clients = [threading.Thread(target=act, args=(seed,)) for seed in range(4)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    print(seen)
    if errors:
        raise errors[0]
    if not {"OK", "ENODEV", "EEXIST"} <= set(seen) <= {"OK", "ENODEV", "EEXIST", "EBUSY"}:
        raise ValueError("other errors than these, or not all of them")
    with Control(PATH) as control:
        for name in control.names()[1:]:
            control.call("device.remove", name=name)


def hostile():
    step("clients that send too much, and little by little")
    with Control(PATH) as client:
        for byte in b'{"jsonrpc":"2.0","id":1,"method":"version"}\n':
            client.send(bytes([byte]))
        same(client.line()["result"]["pid"], int(PID))
        longest = b'{"jsonrpc":"2.0","id":1,"method":"version"}'
        same("result" in client.raw(longest + b" " * (65536 - len(longest))), True)
        client.sock.sendall(b" " * 65537)
        same(client.line()["error"]["code"], -32600)
        same(client.line(), None)


class Deaf(threading.Thread):
    """A client that sends requests and reads nothing, until it is disconnected."""

    def __init__(self):
        super().__init__()
        self.error, self.took = None, 0

    def run(self):
        line = b'{"jsonrpc":"2.0","id":1,"method":"device.list"}\n'
        begin = time.monotonic()
        try:
            with Control(PATH, 20) as control:
                while True:
                    control.send(line * 1000)
        except (BrokenPipeError, ConnectionResetError):
            self.took = time.monotonic() - begin
        except Exception as error:  # pylint: disable=broad-except
            self.error = error

    def end(self):
        self.join()
        if self.error is not None:
            raise self.error
        print(f"disconnected after {self.took:.1f} s")
        if not 9 < self.took < 20:
            raise ValueError("not after 10 s")


def crowd(before):
    step("more than 16 clients")
    clients = [Control(PATH) for _ in range(15)]
    for client in clients:
        client.call("version")
    with Control(PATH) as late:
        same(late.line()["error"]["code"], -32000)
        same(late.line(), None)
    for client in clients:
        client.close()
    until(lambda: resources() == before, "the clients are not gone")
    with Control(PATH) as next_one:
        next_one.call("version")


def mutate(chance, line):
    data = bytearray(line)
    for _ in range(chance.randrange(1, 5)):
        at = chance.randrange(len(data))
        kind = chance.randrange(4)
        if kind == 0:
            data[at] = chance.randrange(256)
        elif kind == 1:
            data[at:at] = chance.choice((b"[", b"{", b'"', b"\n", b"\0", b"1e999", b"\\ud800"))
        elif kind == 2:
            del data[at:at + chance.randrange(1, 8)]
        else:
            data[at:at] = data[:chance.randrange(len(data))]
        if not data:
            return b"{"
    return bytes(data)


def fuzz():
    seed = int(os.environ.get("CONTROL_SEED", "1"))
    step(f"random requests, seed {seed}")
    chance = random.Random(seed)
    requests = [json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
                for method, params in (
                    ("version", {}), ("device.list", {}), ("device.stats", {"name": "disk0"}),
                    ("device.add", {"device": disk("fuzz", "backend=null,size=1M")}),
                    ("device.remove", {"name": "fuzz", "force": False}),
                    ("device.resize", {"name": "disk0"}),
                    ("device.serial", {"name": "disk0", "serial": "fuzz"}),
                    ("log.set", {"type": "lib.vduse.nothing", "level": "info"}))]
    end, sent = time.monotonic() + FUZZ_S, 0
    while time.monotonic() < end:
        with Control(PATH) as client:
            try:
                for _ in range(chance.randrange(1, 50)):
                    line = chance.choice(requests)
                    # A socket or file in another folder would be made.
                    if b"device.add" not in line and chance.randrange(8):
                        line = mutate(chance, line)
                    client.send(line + b"\n")
                    sent += 1
                if chance.randrange(2):
                    client.sock.shutdown(socket.SHUT_WR)
                    while client.line() is not None:
                        pass
            except (BrokenPipeError, ConnectionResetError):
                pass
    print(f"{sent} requests")
    with Control(PATH) as control:
        until(lambda: busy_over(control), "a device does not go")
        same(control.names(), ["disk0"])


def busy_over(control):
    """Removes what the random requests added, when nobody acts on it any more."""
    for name in control.names()[1:]:
        try:
            control.call("device.remove", name=name)
        except Failed:
            return False
    return len(control.names()) == 1


def main():
    # disk0's driver spins, and is not to keep the other threads waiting.
    sys.setswitchinterval(0.0002)
    with Control(PATH) as control:
        control.call("device.add", device=disk("warm", "backend=ram,size=64K"))
        control.call("device.remove", name="warm")
        load = Load()
        load.start()
        until(lambda: load.rounds > 0, "disk0 is not served")
        before = resources()
        try:
            protocol(control)
            methods(control)
            deaf = Deaf()
            deaf.start()
            many(control)
            slow(control, load)
            rivals()
            step("a client that does not read has delayed nobody")
            deaf.end()
            until(lambda: resources() == before, "the rivals are not gone")
            crowd(before)
            hostile()
            fuzz()
        finally:
            load.end()
        print(f"disk0: {load.rounds} rounds, the longest took {load.longest * 1000:.0f} ms")
        found = control.call("device.stats", name="disk0")
        same(found["sum"]["writes"], found["sum"]["reads"])
        same(found["sum"]["writes"], SLOTS * load.rounds)
        print(f"file descriptors, threads: {before} before")
    # The client's own, and the connection to disk0.
    until(lambda: resources()[1] == before[1] - 1 and resources()[0] <= before[0] - 1,
          f"file descriptors, threads: {resources()} afterwards")


main()
