#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
"""
Drives a disk at full load while its process is replaced by a new one, ROUNDS times, and then while
one of the two is killed meanwhile; and by builds that offer other features. Arguments: split or
packed, a folder with disk.img, and a command line that serves it at x.sock there, up to "--control".
"""
import math
import os
import random
import signal
import statistics
import subprocess
import sys
import time

from blk_driver import BlkDriver, S_OK, SLOTS, T_IN, T_OUT
from blk_vhost_user import VhostUser
from control import Control

ROUNDS = int(os.environ.get("HANDOVERS", "4"))
KILLS = int(os.environ.get("HANDOVER_KILLS", "4"))
P99_MS = float(os.environ.get("HANDOVER_P99_MS", "inf"))
STALL_MS = float(os.environ.get("HANDOVER_STALL_MS", "200"))
NEWER = ",in-order=1,queues=2"
OLDER = ",packed=0"
UNABLE = ",ro=1"
BLOCK = 4096
BLOCKS = 256


class Load:
    """As many requests as fit, all the time. Each block holds the number that was written last."""

    def __init__(self, driver):
        self.driver, self.random, self.number = driver, random.Random(1), 0
        self.expected, self.out = {}, {}
        self.last, self.stall, self.done = time.monotonic(), 0, 0

    def other_block(self):
        """One that no request in flight is about."""
        block = self.random.randrange(BLOCKS)
        while block in (request[0] for request in self.out.values()):
            block = self.random.randrange(BLOCKS)
        return block

    def post(self):
        block = self.other_block()
        if block in self.expected and self.random.random() < 0.5:
            slot = self.driver.post(T_IN, 8 * block, size=BLOCK)
            self.out[slot] = (block, None)
            return
        self.number += 1
        slot = self.driver.post(T_OUT, 8 * block, self.number.to_bytes(8, "little") * (BLOCK // 8))
        self.out[slot] = (block, self.number)

    def finished(self, slot, status):
        block, number = self.out.pop(slot)
        if status != S_OK:
            raise ValueError(f"block {block}: status {status}")
        if number is not None:
            self.expected[block] = number
        elif self.driver.data(slot, BLOCK) != (self.expected[block].to_bytes(8, "little") *
                                               (BLOCK // 8)):
            raise ValueError(f"block {block} does not hold {self.expected[block]}")
        self.done += 1

    def turn(self, more=True):
        while more and self.driver.free:
            self.post()
        taken = self.driver.take()
        now = time.monotonic()
        self.stall = max(self.stall, now - self.last)
        if taken is None:
            return
        self.last = now
        self.finished(*taken)

    def run(self, until, seconds=40):
        """Runs until something is true. Returns the longest time without an answer."""
        end, begin = time.monotonic() + seconds, self.done
        self.last, self.stall = time.monotonic(), 0
        while not until():
            self.turn()
            if time.monotonic() > end:
                raise TimeoutError(f"{self.done - begin} requests in {seconds} s, and no end")
        return self.stall

    def drain(self):
        while self.out:
            self.turn(more=False)
            if time.monotonic() - self.last > 20:
                raise TimeoutError(f"{len(self.out)} requests are not finished")


class Servers:
    def __init__(self, folder, command):
        self.command = command
        self.path = os.path.join(folder, "control.sock")

    def start(self, *more, arguments=""):
        """arguments: of the disk, after those of the command line."""
        return subprocess.Popen([*self.command[:-1], self.command[-1] + arguments, "--control",
                                 self.path, *more], stdin=subprocess.DEVNULL)

    def replace(self, *more, arguments=""):
        return self.start("--take-over", self.path, *more, arguments=arguments)

    def state(self):
        """Of the disk in the process that answers; None: there is none."""
        try:
            with Control(self.path) as control:
                disks = control.call("device.list")
        except OSError:
            return None
        return disks[0]["state"] if disks else None


def after(seconds):
    end = time.monotonic() + seconds
    return lambda: time.monotonic() > end


def wait_serving(servers, seconds=60):
    end = time.monotonic() + seconds
    while servers.state() != "serving":
        if time.monotonic() > end:
            raise TimeoutError("no process serves the disk")
        time.sleep(0.05)


def replaced(load, servers, old, arguments=""):
    new = servers.replace(arguments=arguments)
    stall = load.run(lambda: old.poll() is not None)
    if old.returncode != 0:
        raise ValueError(f"the old process ended with {old.returncode}")
    load.run(after(0.05))
    return new, stall


def versions(load, servers, old):
    """
    Arguments stand for builds that offer more or less. The driver is never offered more than it was,
    and keeps what it took; one that cannot serve it leaves it to the process that does.
    """
    client = load.driver.link.client
    before = client.features()
    for arguments in (NEWER, "", NEWER, OLDER, NEWER):
        old, _ = replaced(load, servers, old, arguments)
        features = client.features()
        if features & ~before or (features != before and arguments != OLDER):
            raise ValueError(f"{arguments}: features {features:#x}, not {before:#x}")
        before = features
    unable = servers.replace(arguments=UNABLE)
    load.run(lambda: unable.poll() is not None)
    if unable.returncode != 1 or old.poll() is not None:
        raise ValueError(f"exit codes {unable.returncode} and {old.returncode}, not 1 and none")
    load.run(after(0.1))
    return replaced(load, servers, old)[0]


def not_all(servers, old, folder):
    """One that has another disk goes on with that: the new process does not have it."""
    with Control(servers.path) as control:
        control.call("device.add", device=f"disk1,backend=null,size=1M,iface={folder}/d1.sock")
    new = servers.replace("--control", servers.path + "2")
    with Control(servers.path) as control:
        end = time.monotonic() + 30
        while [disk["name"] for disk in control.call("device.list")] != ["disk1"]:
            if old.poll() is not None or time.monotonic() > end:
                raise ValueError("the old process did not keep its other disk")
            time.sleep(0.01)
        time.sleep(0.5)
        control.call("device.remove", name="disk1")
        control.call("process.stop")
    if old.wait(10) != 0:
        raise ValueError(f"the old process ended with {old.returncode}")
    os.rename(servers.path + "2", servers.path)
    return new


def kill_one(load, servers, old, seconds, victim):
    """Kills one of the two while the disk changes hands; one of them or a third goes on."""
    new = servers.replace()
    load.run(lambda: servers.state() != "serving")
    load.run(after(seconds))
    killed, other = (new, old) if victim == "new" else (old, new)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    time.sleep(1)
    if victim == "new" and other.poll() is None and servers.state() == "serving":
        load.run(after(0.2))
        return other
    if victim == "old" and other.poll() is None:
        return back(load, other)
    if other.poll() is None:
        other.terminate()
        other.wait()
    return back(load, servers.start())


def back(load, process):
    """The process has the disk, maybe with the connection; if not, the driver connects again."""
    try:
        load.run(after(1), 3)
        if load.stall < 0.9:
            return process
    except TimeoutError:
        pass
    load.driver.disconnect()
    load.driver.connect()
    load.run(after(0.2))
    return process


def check_image(load, folder):
    with open(os.path.join(folder, "disk.img"), "rb") as file:
        for block, number in load.expected.items():
            file.seek(block * BLOCK)
            if file.read(BLOCK) != number.to_bytes(8, "little") * (BLOCK // 8):
                raise ValueError(f"block {block} does not hold {number}")


def check_stalls(what, requests, stalls, most=math.inf):
    """
    Prints how long no request was answered, in milliseconds, and ends the test if that is too long.
    most: the limit of the 99th percentile.
    """
    stalls = sorted(stalls) or [0]
    p99 = stalls[math.ceil(0.99 * len(stalls)) - 1]
    print(f"{what}, {requests} requests, no answer for {statistics.median(stalls):.1f} ms "
          f"(median), {p99:.1f} ms (p99), {stalls[-1]:.1f} ms (longest)")
    if stalls[len(stalls) // 2] > STALL_MS or p99 > most:
        sys.exit(f"that is longer than {STALL_MS:.0f} ms (median) or {most:.0f} ms (p99)")


def every_handover(link, packed, folder, command):
    """link() is a driver's way to the disk, once a process serves it."""
    servers = Servers(folder, command)
    process = servers.start()
    wait_serving(servers)
    driver = BlkDriver(link(), packed)
    load, stalls = Load(driver), []
    try:
        driver.connect()
        load.run(after(0.2))
        for _ in range(ROUNDS):
            process, stall = replaced(load, servers, process)
            stalls.append(1000 * stall)
        if isinstance(driver.link, VhostUser):
            process = versions(load, servers, process)
        load.drain()
        begin = load.done
        process = not_all(servers, process, folder)
        for i in range(KILLS):
            process = kill_one(load, servers, process, load.random.uniform(0, 0.1),
                               ("new", "old")[i % 2])
        load.drain()
    finally:
        driver.close()
        process.terminate()
        process.wait()
    check_image(load, folder)
    print(f"{KILLS} kills, {load.done - begin} requests")
    check_stalls(f"{ROUNDS} handovers", begin, stalls, P99_MS)


if __name__ == "__main__":
    every_handover(lambda: VhostUser(os.path.join(sys.argv[2], "x.sock")), sys.argv[1] == "packed",
                   sys.argv[2], sys.argv[3:])
