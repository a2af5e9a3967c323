#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
"""blk_upgrade_kill_vdpa.py DEVICE split|packed FOLDER COMMAND...: what blk_16_upgrade_kill.sh does to a
disk of this kernel, over /dev/vhost-vdpa-N and with a driver that verifies every byte.

FOLDER is KILL_STEP_DIR of kill_step.c, which is preloaded into COMMAND. PYTHONPATH names test/host.
"""
import os
import signal
import subprocess
import sys
import time

from blk_driver import BlkDriver
from blk_handover import Load, Servers, after, check_image, replaced, wait_serving
from blk_vdpa import VhostVdpa

VICTIMS = os.environ.get("VICTIMS", "new old").split()
EVERY = int(os.environ.get("EVERY", "1"))
OVER = "handed over to another process"


class Logged(Servers):
    """Each process has a log of its own in the folder."""

    def __init__(self, folder, command):
        super().__init__(folder, command)
        self.folder, self.all = folder, []

    def start(self, *more, arguments=""):
        path = os.path.join(self.folder, f"process{len(self.all)}.log")
        with open(path, "wb") as log:
            process = subprocess.Popen(
                [*self.command[:-1], self.command[-1] + arguments, "--control", self.path, *more],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        process.log = path
        self.all.append(process)
        return process

    def stop(self):
        """The one that serves, and after a failure others."""
        for process in self.all:
            if process.poll() is None:
                process.terminate()
                process.wait(30)


class Timed(Load):
    """Knows the longest time without an answer, over several calls of run()."""

    def __init__(self, driver):
        super().__init__(driver)
        self.answered, self.worst = time.monotonic(), 0

    def finished(self, slot, status):
        super().finished(slot, status)
        now = time.monotonic()
        self.worst, self.answered = max(self.worst, now - self.answered), now


def logged(process, text):
    with open(process.log, encoding="utf-8", errors="replace") as file:
        return text in file.read()


class Kills:
    def __init__(self, load, servers, folder):
        self.load, self.servers, self.folder, self.ready = load, servers, folder, 0

    def path(self, name):
        return os.path.join(self.folder, name)

    def set(self, victim=None, number=0):
        for name in ("kill.old", "kill.new", "steps"):
            if os.path.exists(self.path(name)):
                os.unlink(self.path(name))
        if victim is not None:
            with open(self.path("kill." + victim), "w", encoding="ascii") as file:
                file.write(f"{number}\n")

    def steps(self, process):
        """Returns the process that serves then, and the chosen steps."""
        self.set()
        process, _ = replaced(self.load, self.servers, process)
        self.load.run(lambda: os.path.exists(self.servers.path) and
                      self.servers.state() == "serving")
        with open(self.path("steps"), encoding="ascii") as file:
            steps = [line.split(maxsplit=2) for line in file]
        if len(steps) < 30:
            raise ValueError(f"steps of a handover: {steps}")
        self.ready = next(int(number) for victim, number, what in steps
                          if victim == "new" and what.strip() == "after send READY")
        return process, sorted((victim, int(number), what.strip())
                               for victim, number, what in steps
                               if victim in VICTIMS and int(number) % EVERY == 0)

    def goes_on(self, lost=lambda: False):
        """Until more requests are finished than were in flight, or nobody has the disk."""
        begin = self.load.done
        self.load.run(lambda: self.load.done > begin + 64 or lost())

    def kill(self, old, victim, number):
        """Returns the process that serves then, the longest stall in seconds, and what happened."""
        self.set(victim, number)
        self.load.worst = 0
        new = self.servers.replace()
        killed, other = (new, old) if victim == "new" else (old, new)
        self.load.run(lambda: killed.poll() is not None)
        if killed.returncode != -signal.SIGKILL:
            raise ValueError(f"{victim} ended with {killed.returncode}, and was not killed")
        self.set()

        def lost():
            return other.poll() is not None or (victim == "new" and logged(old, OVER))

        self.goes_on(lost)
        if not lost():
            return other, self.load.worst, "the other one serves"
        # Until the new process says that it is ready, nothing changes hands.
        if victim == "new" and number < self.ready:
            raise ValueError(f"step {number}: the old process does not serve on")
        process = self.servers.replace()
        self.goes_on()
        other.wait(30)
        return process, self.load.worst, "the next one serves"


def every_step(packed, device, folder, command):
    servers = Logged(folder, command)
    process = servers.start()
    wait_serving(servers)
    driver = BlkDriver(VhostVdpa(device), packed)
    load = Timed(driver)
    kills = Kills(load, servers, folder)
    try:
        driver.connect()
        load.run(after(0.2))
        process, steps = kills.steps(process)
        print(f"{'victim':6} {'step':32} {'stall ms':>8}  result")
        for victim, number, what in steps:
            process, stall, result = kills.kill(process, victim, number)
            print(f"{victim:6} {number:2} {what:29} {1000 * stall:8.0f}  {result}", flush=True)
            load.run(lambda: servers.state() == "serving")
        load.drain()
    finally:
        driver.close()
        servers.stop()
    check_image(load, folder)
    print(f"{len(steps)} kills, {load.done} requests")


if __name__ == "__main__":
    every_step(sys.argv[2] == "packed", sys.argv[1], sys.argv[3], sys.argv[4:])
