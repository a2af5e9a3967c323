#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
"""
Drives the disk of a service at x.sock in a folder while systemd starts, reloads and restarts it, and
when it was killed. Arguments: the folder, and the name of the service.
"""
import os
import signal
import subprocess
import sys
import time

from blk_driver import BlkDriver
from blk_handover import Load, after
from blk_vhost_user import VhostUser

RELOADS = 3


class Service:
    def __init__(self, name):
        self.name = name

    def begin(self, verb):
        return subprocess.Popen(["systemctl", "--user", verb, self.name],
                                stdin=subprocess.DEVNULL)

    def run(self, verb):
        if self.begin(verb).wait(60) != 0:
            status = subprocess.run(["systemctl", "--user", "--no-pager", "status", self.name],
                                    stdout=subprocess.PIPE, check=False, text=True)
            raise ValueError(f"systemctl {verb} failed: {status.stdout}")

    def show(self, what):
        result = subprocess.run(["systemctl", "--user", "show", "--value", "-p", what, self.name],
                                stdout=subprocess.PIPE, check=True, text=True)
        return result.stdout.strip()


def during(load, service, verb):
    """The longest time without an answer meanwhile. The process is another one then."""
    before, command = service.show("MainPID"), service.begin(verb)
    stall = load.run(lambda: command.poll() is not None)
    load.run(after(0.3))
    state, pid = service.show("ActiveState"), service.show("MainPID")
    if command.returncode != 0 or state != "active" or pid in (before, "0"):
        raise ValueError(f"{verb}: {command.returncode}, {state}, process {before}, then {pid}")
    if service.show("NRestarts") != "0":
        raise ValueError(f"{verb}: systemd had to start the service again")
    return 1000 * stall


def restart(load, service):
    """The service is left: its driver connects again."""
    load.drain()
    service.run("restart")
    load.driver.disconnect()
    load.driver.connect()
    load.run(after(0.3))


def killed(load, service):
    """Milliseconds until the first answer of the process that systemd starts instead."""
    before = service.show("MainPID")
    os.kill(int(before), signal.SIGKILL)
    load.driver.disconnect()
    begin, done = time.monotonic(), load.done
    # connect() tries ten times a second; the driver of a virtual machine once a second.
    while service.show("MainPID") in (before, "0"):
        pass
    load.driver.connect()
    load.run(lambda: load.done > done)
    return 1000 * (time.monotonic() - begin)


def main():
    service = Service(sys.argv[2])
    service.run("start")
    driver = BlkDriver(VhostUser(os.path.join(sys.argv[1], "x.sock")), False)
    load = Load(driver)
    try:
        driver.connect()
        load.run(after(0.2))
        stalls = [during(load, service, "reload") for _ in range(RELOADS)]
        restart(load, service)
        stalls.append(during(load, service, "reload"))
        recovery = killed(load, service)
        load.drain()
    finally:
        driver.close()
    service.run("stop")
    print(f"{len(stalls)} reloads, {load.done} requests, no answer for {max(stalls):.0f} ms "
          f"at most, and {recovery:.0f} ms after a kill")


if __name__ == "__main__":
    main()
