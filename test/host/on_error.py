#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
"""
Fills a disk whose file system is too small, lets it go on too early, replaces its process, kills it, enlarges the
file system and lets it go on. Arguments: split or packed, a folder, the file system in it, which holds
disk.img, dpdk-vduse-ctl, and a command line that serves the disk at x.sock there, up to "--control".
"""
import errno
import os
import signal
import subprocess
import sys
import time

from blk_driver import BlkDriver, S_OK, SLOTS, T_IN, T_OUT
from blk_vhost_user import VhostUser
from control import Control, Failed

BLOCK = 4096
BLOCKS = 1024


def content(block):
    return (block + 1).to_bytes(8, "little") * (BLOCK // 8)


class Disk:
    """Writes all blocks in order, as many at once as fit."""

    def __init__(self, driver):
        self.driver, self.next, self.done = driver, 0, 0

    def turn(self):
        while self.driver.free and self.next < BLOCKS:
            self.driver.post(T_OUT, 8 * self.next, content(self.next))
            self.next += 1
        taken = self.driver.take()
        if taken is None:
            return
        if taken[1] != S_OK:
            raise ValueError(f"status {taken[1]}")
        self.done += 1

    def run(self, until, seconds=30):
        end = time.monotonic() + seconds
        while not until():
            self.turn()
            if time.monotonic() > end:
                raise TimeoutError(f"{self.done} of {BLOCKS} blocks in {seconds} s, and no end")

    def check(self):
        for first in range(0, BLOCKS, SLOTS):
            blocks = range(first, min(first + SLOTS, BLOCKS))
            slots = [self.driver.post(T_IN, 8 * block, size=BLOCK) for block in blocks]
            self.driver.wait()
            for slot, block in zip(slots, blocks):
                if self.driver.data(slot, BLOCK) != content(block):
                    raise ValueError(f"block {block} has other bytes")


class Server:
    def __init__(self, folder, ctl, command):
        self.path, self.ctl, self.process = os.path.join(folder, "control.sock"), ctl, None
        self.command = [*command, "--control", self.path]

    def start(self, *more):
        self.process = subprocess.Popen([*self.command, *more], stdin=subprocess.DEVNULL)

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def device(self):
        try:
            with Control(self.path) as control:
                return control.call("device.list")[0]
        except (OSError, IndexError):
            return {"state": "none"}

    def held(self):
        return self.device()["state"] == "held"

    def go_on(self):
        subprocess.run([self.ctl, "--socket", self.path, "go-on", "disk0"], check=True)


def stands(disk, server):
    """It holds what is out: nothing comes of it, and the process has nothing to do."""
    disk.run(server.held)
    # What was submitted before may finish still.
    time.sleep(0.3)
    while (taken := disk.driver.take()) is not None:
        if taken[1] != S_OK:
            raise ValueError(f"status {taken[1]}")
        disk.done += 1
    done, begin = disk.done, cpu(server.process.pid)
    time.sleep(1)
    used = cpu(server.process.pid) - begin
    disk.turn()
    if disk.done != done:
        raise ValueError(f"{disk.done - done} requests were finished")
    if used > 0.2:
        raise ValueError(f"it used {used:.1f} s of a processor in a second")
    device = server.device()
    if device["held_errno"] != errno.ENOSPC or not 0 < device["held_requests"] <= SLOTS:
        raise ValueError(f"{device}")
    return device["held_requests"]


def cpu(pid):
    """Seconds that a process has used."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def refused(server):
    with Control(server.path) as control:
        try:
            control.call("device.remove", name="disk0")
        except Failed as error:
            if error.errno != "EBUSY":
                raise
            return
    raise ValueError("a disk that holds requests was removed")


def handed_over(disk, server):
    """A new process takes the disk with what is held, and holds it, too."""
    old = server.process
    server.start("--take-over", server.path)
    disk.run(lambda: old.poll() is not None)
    if old.returncode != 0:
        raise ValueError(f"the old process ended with {old.returncode}")
    return stands(disk, server)


def main():
    packed, folder, small, ctl = sys.argv[1] == "packed", *sys.argv[2:5]
    server = Server(folder, ctl, sys.argv[5:])
    driver = BlkDriver(VhostUser(os.path.join(folder, "x.sock")), packed)
    disk, held = Disk(driver), []
    server.start()
    try:
        driver.connect()
        held.append(stands(disk, server))
        refused(server)
        server.go_on()
        held.append(stands(disk, server))
        held.append(handed_over(disk, server))
        server.kill()
        driver.disconnect()
        server.start()
        driver.connect()
        held.append(stands(disk, server))
        subprocess.run(["mount", "-o", "remount,size=16M", small], check=True)
        server.go_on()
        disk.run(lambda: disk.done == BLOCKS)
        if server.device()["state"] != "serving":
            raise ValueError(f"{server.device()}")
        disk.check()
    finally:
        driver.close()
        server.process.terminate()
        server.process.wait()
    with open(os.path.join(small, "disk.img"), "rb") as file:
        for block in range(BLOCKS):
            if file.read(BLOCK) != content(block):
                raise ValueError(f"block {block} has other bytes in the image")
    print(f"held {held} requests of {SLOTS}; {BLOCKS} blocks written and read")


if __name__ == "__main__":
    main()
