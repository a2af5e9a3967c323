# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
"""What the tests of live migration share: QEMUs and their migrations."""
import json
import os
import socket
import subprocess
import sys
import time

from migrate_memory import DIMM, hand_over

MEMORY = "192M"
NB_DIMMS = 16
FAST, SLOW, POSTCOPY = 1 << 30, 8 << 20, 48 << 20  # bytes a second
DOWNTIME_MS = 300


def fail(why):
    sys.exit(f"FAIL: {why}")


def start(args, **kwargs):
    """A process that the kernel ends when this one ends, however that happens."""
    return subprocess.Popen(["setpriv", "--pdeathsig", "KILL"] + args, stdin=subprocess.DEVNULL,
                            **kwargs)


def memory_args(regions):
    """regions: also 16 memory devices. They are above 4 GiB, so that the dirty log is large, and too small
    for Linux to use."""
    args = ["-machine", "q35,memory-backend=memory", "-object", memory_file("memory", MEMORY),
            "-m", f"{MEMORY},slots={NB_DIMMS},maxmem=8G" if regions else MEMORY]
    for i in range(NB_DIMMS if regions else 0):
        args += ["-object", memory_file(f"dimm{i}", DIMM), "-device", f"pc-dimm,memdev=dimm{i}"]
    return args


def memory_file(name, size):
    return f"memory-backend-memfd,id={name},size={size},share=on"


def check_regions(pid):
    """The back end has a file of memory for each of many regions."""
    folder = f"/proc/{pid}/fd"
    files = {os.stat(f"{folder}/{fd}").st_ino for fd in os.listdir(folder)
             if "memory-backend-memfd" in os.readlink(f"{folder}/{fd}")}
    if len(files) < NB_DIMMS + 1:
        fail(f"the back end has {len(files)} files of memory, not {NB_DIMMS + 1}")
    print(f"the back end has {len(files)} files of the guest's memory", flush=True)


class Qemu:
    """A guest whose files are work/qemuNTH.*. It waits for another one's state if incoming.

    program: QEMU, the kernel and the initramfs. device: the arguments for the device under test.
    mode: "regions", see memory_args; "postcopy": it runs as soon as it has the state, before its memory;
    "viommu": the device is behind an IOMMU, in which Linux maps each buffer for one use only.
    """

    def __init__(self, work, nth, program, device, incoming, mode=""):
        self.name, self.state = f"{work}/qemu{nth}", f"{work}/state{nth}"
        qemu, kernel, initramfs = program
        args = [qemu, "-accel", "tcg,thread=multi", "-cpu", "max,-la57",
                "-nodefaults", "-nographic", "-no-reboot", "-serial", f"file:{self.name}.console",
                "-qmp", f"unix:{self.name}.qmp,server=on,wait=off",
                "-kernel", kernel, "-initrd", initramfs, "-append",
                "console=ttyS0 loglevel=4 panic=-1 mitigations=off net.ifnames=0"
                + (" intel_iommu=on iommu.strict=1" if mode == "viommu" else "")]
        args += memory_args(mode == "regions")
        args += ["-device", "intel-iommu,device-iotlb=on"] if mode == "viommu" else []
        args += device
        if incoming:
            args += ["-incoming", f"unix:{self.state}"] + ([] if mode == "postcopy" else ["-S"])
        with open(f"{self.name}.log", "wb") as log:
            self.process = start(args, stdout=log, stderr=log)
        self.sock = socket.socket(socket.AF_UNIX)
        until(self.connects, 60, f"{self.name}: no monitor")
        self.sock.settimeout(120)
        self.qmp = self.sock.makefile("rw", encoding="utf-8")
        self.qmp.readline()
        self.ask("qmp_capabilities")
        self.ask("migrate-set-capabilities",
                 capabilities=[{"capability": "postcopy-ram", "state": mode == "postcopy"}])

    def read(self, kind):
        """What is in a file of its own: log or console."""
        with open(f"{self.name}.{kind}", encoding="utf-8", errors="replace") as file:
            return file.read()

    def connects(self):
        if self.process.poll() is not None:
            fail(f"{self.name} ended: {self.read('log')}")
        try:
            self.sock.connect(f"{self.name}.qmp")
        except OSError:
            return False
        return True

    def ask(self, name, **arguments):
        self.qmp.write(json.dumps({"execute": name, "arguments": arguments}) + "\n")
        self.qmp.flush()
        while True:
            line = self.qmp.readline()
            if not line:
                fail(f"{self.name} ended upon {name}: {self.read('log')}")
            answer = json.loads(line)
            if "error" in answer:
                fail(f"{self.name}: {name}: {answer['error']['desc']}")
            if "return" in answer:
                return answer["return"]

    def is_up(self):
        return "the guest is up" in self.read("console")

    def starts_to(self, other, rate, downtime=DOWNTIME_MS):
        self.ask("migrate-set-parameters", **{"max-bandwidth": rate, "downtime-limit": downtime})
        self.ask("migrate", uri=f"unix:{other.state}")

    def migration(self):
        return self.ask("query-migrate")

    def runs(self):
        return self.ask("query-status")["status"] == "running"

    def end(self):
        self.ask("quit")
        if self.process.wait(60) != 0:
            fail(f"{self.name}: exit code {self.process.returncode}")
        self.close()

    def kill(self):
        self.process.kill()
        self.process.wait(60)
        self.close()

    def close(self):
        self.qmp.close()
        self.sock.close()


VIOMMU = ",iommu_platform=on,ats=on,disable-legacy=on"  # properties of a device behind an IOMMU


def mode_of(argument):
    """"regions", "postcopy" or "viommu", of a script's last argument: those, or the number of a process
    with regions."""
    return "regions" if argument.isdigit() else argument


def until(condition, seconds, why):
    """why: text, or a function that makes it."""
    end = time.monotonic() + seconds * int(os.environ.get("VM_PATIENCE", "1"))
    while not condition():
        if time.monotonic() > end:
            fail(why() if callable(why) else why)
        time.sleep(0.02)


def is_half_way(result):
    ram = result.get("ram", {})
    return ram.get("total", 0) > 0 and ram["remaining"] < ram["total"] / 2


def cancel(source, target):
    """Begins to migrate, and gives it up half-way. No downtime is allowed, so that it cannot end."""
    source.starts_to(target, SLOW, 0)
    until(lambda: is_half_way(source.migration()), 120, lambda: f"stuck: {source.migration()}")
    source.ask("migrate_cancel")
    until(lambda: source.migration()["status"] == "cancelled", 60,
          lambda: f"not cancelled: {source.migration()}")
    target.process.wait(60)
    target.close()


def migrate(source, target, buffers=()):
    """Returns when the target runs the guest; the source still has a process.

    buffers: the page frames of the guest to which only the device writes.
    """
    source.starts_to(target, FAST)
    until(lambda: source.migration()["status"] in ("completed", "failed"), 120,
          lambda: f"no end: {source.migration()}")
    result = source.migration()
    if result["status"] != "completed":
        fail(f"the migration failed: {result}\n{target.read('log')}")
    until(lambda: target.ask("query-status")["status"] == "paused", 60,
          lambda: f"{target.name} does not have the guest: {target.read('log')}")
    faults, nb = hand_over(source, target, buffers)
    if faults:
        fail(f"{len(faults)} writes of the device are lost:\n" + "\n".join(faults[:60]))
    if nb:
        print(f"QEMU lost {nb} pages that its processors wrote, in a migration with "
              f"{result['ram']['dirty-sync-count']} looks at the log: copied", flush=True)
    target.ask("cont")
    return result


def migrate_postcopy(source, target):
    """The target runs the guest at once, and waits for each page of memory that it needs. Returns when it
    has all of them."""
    source.ask("migrate-set-parameters", **{"max-postcopy-bandwidth": POSTCOPY})
    source.starts_to(target, SLOW)
    until(lambda: source.migration()["status"] == "active", 60,
          lambda: f"does not begin: {source.migration()}")
    source.ask("migrate-start-postcopy")
    for qemu in source, target:
        until(lambda who=qemu: who.migration().get("status") in ("completed", "failed"), 240,
              lambda who=qemu: f"{who.name} has no end: {who.migration()}\n{target.read('log')}")
    result = source.migration()
    if result["status"] != "completed" or target.migration()["status"] != "completed":
        fail(f"the migration failed: {result}\n{target.read('log')}")
    if result["ram"]["postcopy-requests"] == 0:
        fail(f"no page was asked for: {result}")
    return result


def took_over(target):
    """The target of a migration runs the guest, and found the rings where the source left them."""
    until(target.runs, 60, lambda: f"{target.name} does not run: {target.read('log')}")
    if "inconsistent" in target.read("log"):
        fail(f"{target.name}: {target.read('log')}")
