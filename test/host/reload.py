#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
"""
What systemd does with a unit of Type=notify: runs ExecStart and ExecReload, and listens to what the
processes say. Arguments: the unit, the program, a folder with disk.img instead of /run, and the
unit's EAL_ARGS and DEVICES, which has disk0 at x.sock in that folder.
"""
import array
import os
import select
import shlex
import signal
import socket
import subprocess
import sys
import time

from blk_driver import BlkDriver
from blk_handover import Load, after
from blk_vhost_user import VhostUser
from control import Control

RELOADS = 3


class Service:
    def __init__(self, unit, program, folder, eal_args, devices):
        self.folder, self.devices = folder, devices
        self.commands = self.read(unit)
        self.program, self.eal_args = program, eal_args
        path = os.path.join(folder, "notify")
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.sock.bind(path)
        os.environ["NOTIFY_SOCKET"] = path
        self.main, self.ready, self.processes = None, 0, []

    @staticmethod
    def read(unit):
        """Its commands, by the name of the setting."""
        with open(unit, encoding="utf-8") as file:
            lines = [line for line in file.read().split("\n") if not line.startswith("#")]
        settings = dict(line.split("=", 1) for line in
                        "\n".join(lines).replace("\\\n", " ").split("\n") if "=" in line)
        if settings["Type"] != "notify" or settings["NotifyAccess"] != "all":
            raise ValueError("the unit does not listen")
        return settings

    def argv(self, setting):
        words = self.commands[setting].replace("%i", "test").replace("%t", self.folder).split()
        result = [self.program]
        for word in words[1:]:
            value = {"$EAL_ARGS": self.eal_args, "$DEVICES": self.devices}.get(word)
            result += shlex.split(value) if value is not None else [word]
        return result

    def run(self, setting):
        process = subprocess.Popen(self.argv(setting), stdin=subprocess.DEVNULL)
        self.processes.append(process)
        return process

    def listen(self):
        """Reads a message. A descriptor with it is closed: its sender waits for that."""
        while select.select([self.sock], [], [], 0)[0]:
            text, control, _, _ = self.sock.recvmsg(4096, socket.CMSG_SPACE(4))
            for _, _, data in control:
                for fd in array.array("i", data):
                    os.close(fd)
            for line in text.decode().split("\n"):
                if line.startswith("MAINPID="):
                    self.set_main(int(line[len("MAINPID="):]))
                self.ready += line == "READY=1"

    def set_main(self, pid):
        if not running(self.main):
            raise ValueError("the main process ended before the new one said that it is that")
        self.main = pid

    def wait_ready(self, nb):
        end = time.monotonic() + 30
        while self.ready < nb:
            self.listen()
            if time.monotonic() > end:
                raise TimeoutError("not ready")
            time.sleep(0.01)


def running(pid):
    """False for one that is dead, though nobody has waited for it."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def reload(service, load):
    """Returns the longest time without an answer."""
    old, ready = service.main, service.ready
    command = service.run("ExecReload")

    def done():
        service.listen()
        return command.poll() is not None

    stall = load.run(done)
    if command.returncode != 0:
        raise ValueError(f"the reload ended with {command.returncode}")
    service.listen()
    if service.ready == ready or service.main == old or running(old):
        raise ValueError(f"ready {service.ready}, main {service.main}, before {old}, which "
                         f"{'runs' if running(old) else 'ended'}")
    load.run(after(0.05))
    return stall


def names(control):
    with Control(control) as client:
        return [disk["name"] for disk in client.call("device.list")]


def failing(service, load, control):
    """A reload with arguments that are wrong changes nothing, and its command says so."""
    good, old = service.devices, service.main
    service.devices += " --device disk2,backend=nonsense"
    command = service.run("ExecReload")
    load.run(lambda: command.poll() is not None)
    service.devices = good
    if command.returncode == 0 or service.main != old or not running(old):
        raise ValueError("a reload that is wrong")
    if names(control) != ["disk0"]:
        raise ValueError(f"{names(control)} after a reload that is wrong")


def main():
    service = Service(*sys.argv[1:])
    folder = sys.argv[3]
    control = os.path.join(folder, "dpdk-vduse/blk-test/control")
    driver = BlkDriver(VhostUser(os.path.join(folder, "x.sock")), False)
    load = Load(driver)
    try:
        service.main = service.run("ExecStart").pid
        service.wait_ready(1)
        driver.connect()
        load.run(after(0.2))
        failing(service, load, control)
        stalls = [reload(service, load) for _ in range(RELOADS)]
        service.devices += f" --device disk1,backend=null,size=1M,iface={folder}/d1.sock"
        stalls.append(reload(service, load))
        if names(control) != ["disk0", "disk1"]:
            raise ValueError(f"{names(control)} instead of disk0 and disk1")
        load.drain()
    finally:
        driver.close()
        if running(service.main):
            os.kill(service.main, signal.SIGTERM)
        for process in service.processes:
            process.wait(30)
    end = time.monotonic() + 30
    while running(service.main) and time.monotonic() < end:
        time.sleep(0.01)
    print(f"{len(stalls)} reloads, {load.done} requests, no answer for {1000 * max(stalls):.0f} ms "
          "at most")


if __name__ == "__main__":
    main()
