#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
"""
Drives a disk at full load while an older build hands it over to a newer one and back, and one of the
two is killed meanwhile; then with write zeroes, which the older build does not have. Arguments: split
or packed, a folder with disk.img, both programs, and the arguments that serve it at x.sock there, up
to "--control".
"""
import os
import signal
import struct
import sys

from blk_driver import F_WRITE_ZEROES, BlkDriver, T_WRITE_ZEROES
from blk_handover import (BLOCK, Load, Servers, after, back, check_image, check_stalls, kill_one,
                          replaced, wait_serving)
from blk_vhost_user import VhostUser

ROUNDS = int(os.environ.get("TWO_BUILDS", "10"))
KILLS = int(os.environ.get("TWO_BUILDS_KILLS", "8"))


class ZeroingLoad(Load):
    """Writes zeroes, too, if the driver has that feature: a block that holds the number 0."""

    def post(self):
        if not self.driver.features & F_WRITE_ZEROES or self.random.random() < 0.7:
            super().post()
            return
        block = self.other_block()
        zeroes = struct.pack("<QII", 8 * block, BLOCK // 512, 0)
        self.out[self.driver.post(T_WRITE_ZEROES, 0, zeroes)] = (block, 0)


class Builds(Servers):
    """What is started next is the build that was chosen last."""

    def __init__(self, folder, programs, arguments):
        super().__init__(folder, [None, *arguments])
        self.programs = programs

    def use(self, build):
        self.command[0] = self.programs[build]


def up_and_down(load, builds, process, stalls):
    """From the older build to the newer one and back: the driver keeps what it has and was offered."""
    client = load.driver.link.client
    before = client.features()
    for _ in range(ROUNDS):
        for build in ("newer", "older"):
            builds.use(build)
            process, stall = replaced(load, builds, process)
            stalls[build].append(1000 * stall)
            features = client.features()
            if features != before:
                raise ValueError(f"{build}: features {features:#x}, not {before:#x}")
    return process


def kills(load, builds, process):
    """Kills each build when it has the disk, and then when it should get it."""
    serving, nb = "older", {}
    for i in range(KILLS):
        target = "newer" if serving == "older" else "older"
        victim = ("older", "newer")[i // 2 % 2]
        role = "new" if victim == target else "old"
        builds.use(target)
        before = process
        process = kill_one(load, builds, process, load.random.uniform(0, 0.1), role)
        # Whichever process goes on instead of the one before is of that build.
        if process is not before:
            serving = target
        nb[victim, role] = nb.get((victim, role), 0) + 1
    print("kills: " + ", ".join(f"{count} of the {victim} build as the {role} process"
                                for (victim, role), count in sorted(nb.items())))
    return process


def without_driver(builds, process, build):
    """Nobody uses a feature, so that each build can have the disk."""
    builds.use(build)
    new = builds.replace()
    if process.wait(60) != 0:
        raise ValueError(f"the old process ended with {process.returncode}")
    wait_serving(builds)
    return new


def refused(load, builds, process):
    """The older build lacks what the driver uses: the newer one serves on."""
    stalls = []
    builds.use("older")
    for _ in range(ROUNDS):
        unable = builds.replace()
        stalls.append(1000 * load.run(lambda: unable.poll() is not None))
        if unable.returncode != 1 or process.poll() is not None:
            raise ValueError(f"exit codes {unable.returncode} and {process.returncode}, "
                             "not 1 and none")
        load.run(after(0.1))
    return stalls


def killed_with_feature(load, builds, process):
    """The newer build is killed: the older one cannot go on, and another newer one does."""
    load.run(after(load.random.uniform(0, 0.1)))
    process.send_signal(signal.SIGKILL)
    process.wait()
    builds.use("older")
    code = builds.start().wait(60)
    if code != 1:
        raise ValueError(f"the older build ended with {code}, not 1")
    builds.use("newer")
    return back(load, builds.start())


def connected(load, folder, packed, features):
    """Another driver. It takes the features, and the disk is as the one before left it."""
    load.driver = BlkDriver(VhostUser(os.path.join(folder, "x.sock")), packed, features=features)
    load.driver.connect()
    load.run(after(0.5))


def gone(load):
    load.drain()
    load.driver.close()
    load.driver = None


def every_step(load, builds, process, folder, packed):
    stalls = {"newer": [], "older": []}
    connected(load, folder, packed, 0)
    if load.driver.link.client.features() & F_WRITE_ZEROES:
        raise ValueError("the older build offers write zeroes")
    process[0] = up_and_down(load, builds, process[0], stalls)
    load.drain()
    done = load.done
    process[0] = kills(load, builds, process[0])
    gone(load)
    process[0] = without_driver(builds, process[0], "newer")
    connected(load, folder, packed, F_WRITE_ZEROES)
    begin = load.done
    refusals = refused(load, builds, process[0])
    process[0] = killed_with_feature(load, builds, process[0])
    gone(load)
    end = load.done
    process[0] = without_driver(builds, process[0], "older")
    connected(load, folder, packed, 0)
    if load.driver.link.client.features() & F_WRITE_ZEROES:
        raise ValueError("the older build offers write zeroes")
    load.drain()
    check_stalls(f"{ROUNDS} upgrades", done, stalls["newer"])
    check_stalls(f"{ROUNDS} downgrades", done, stalls["older"])
    check_stalls(f"{ROUNDS} refusals", end - begin, refusals)


def main():
    packed, folder = sys.argv[1] == "packed", sys.argv[2]
    builds = Builds(folder, {"older": sys.argv[3], "newer": sys.argv[4]}, sys.argv[5:])
    builds.use("older")
    process, load = [builds.start()], ZeroingLoad(None)
    try:
        wait_serving(builds)
        every_step(load, builds, process, folder, packed)
    finally:
        if load.driver is not None:
            load.driver.close()
        process[0].terminate()
        process[0].wait()
    check_image(load, folder)


if __name__ == "__main__":
    main()
