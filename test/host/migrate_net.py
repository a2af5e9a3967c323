# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
"""migrate_net.py WORK QEMU KERNEL INITRAMFS NB PROPERTIES CHARDEV [PID|postcopy|viommu]: a guest migrates NB times between
two QEMUs, whose network devices are at WORK/0.sock and WORK/1.sock. Every third migration is cancelled
half-way first, and every other source is killed as soon as the migration is complete. Meanwhile bytes
go to the guest over one TCP connection, and must come back as they were.

PROPERTIES: of the network device. CHARDEV: options of its socket; with a reconnecting one it asks for
a restart of the back end by a line, and waits for one in return. PID: the back end, to which the guest
shows many regions of memory then. postcopy: the guest runs at its new place before its memory is there.
viommu: the device is behind an IOMMU.

Runs in the network namespace in which the guest is 10.0.0.2.
"""
import queue
import random
import re
import signal
import socket
import subprocess
import sys
import threading
import time

from migrate import (VIOMMU, Qemu, cancel, check_regions, fail, migrate, migrate_postcopy, mode_of,
                     start, took_over, until)

WORK, NB, PROPERTIES, CHARDEV = sys.argv[1], int(sys.argv[5]), sys.argv[6], sys.argv[7]
LAST = sys.argv[8] if len(sys.argv) > 8 else ""
MODE = mode_of(LAST)
PROGRAM = sys.argv[2:5]  # QEMU, kernel, initramfs
CHUNK = 16384
AHEAD = 96  # chunks sent and not come back: the guest's receive queue is never empty
PACE = 0.004  # seconds a chunk, or the guest would have it all


def differences(got, chunk):
    """Text: offset and length of each run of wrong bytes. Runs that 16 right bytes separate are two."""
    runs = []
    for i in (i for i in range(CHUNK) if got[i] != chunk[i]):
        if runs and i - runs[-1][1] <= 16:
            runs[-1][1] = i
        else:
            runs.append([i, i])
    return ", ".join(f"{end - begin + 1} bytes at {begin}" for begin, end in runs)


class Echo:
    """Sends random bytes and compares what comes back, in two threads. What comes back is read slowly,
    so that the guest holds bytes in memory that the device wrote to while a migration copied it."""

    def __init__(self):
        self.sock = socket.socket()
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * CHUNK)
        self.sock.settimeout(120)
        self.sock.connect(("10.0.0.2", 7))
        self.sent, self.bytes, self.longest, self.wrong, self.stop = 0, 0, 0.0, None, False
        self.chunks = queue.Queue(AHEAD)
        self.threads = [threading.Thread(target=self.guarded, args=(run,), daemon=True)
                        for run in (self.send, self.compare)]
        for thread in self.threads:
            thread.start()

    def guarded(self, run):
        try:
            run()
        except OSError as error:
            self.wrong = f"TCP after {self.bytes} bytes: {error}"

    def send(self):
        source = random.Random(1)
        while not self.stop and self.wrong is None:
            chunk = source.randbytes(CHUNK)
            self.chunks.put(chunk)
            self.sock.sendall(chunk)
            self.sent += CHUNK
        self.chunks.put(None)

    def compare(self):
        while (chunk := self.chunks.get()) is not None:
            got, begin = b"", time.monotonic()
            while len(got) < CHUNK:
                part = self.sock.recv(CHUNK - len(got))
                if not part:
                    raise OSError("the guest closed the connection")
                got += part
            if got != chunk:
                raise OSError(f"wrong from here on: {differences(got, chunk)}")
            self.bytes += CHUNK
            self.longest = max(self.longest, time.monotonic() - begin)
            time.sleep(PACE)

    def check(self):
        if self.wrong is not None:
            fail(self.wrong)

    def goes_on(self):
        """What is sent from now on comes back, too."""
        goal = self.sent + 4 * CHUNK
        until(lambda: self.bytes >= goal or self.wrong, 120, "TCP stands still")
        self.check()

    def end(self):
        self.stop = True
        for thread in self.threads:
            while thread.is_alive() and self.wrong is None:
                thread.join(1)
        self.check()
        self.sock.close()


class Ping:
    """Pings the guest all the time."""

    def __init__(self):
        self.process = start(["ping", "-D", "-n", "-i", "0.01", "10.0.0.2"],
                             stdout=subprocess.PIPE, text=True)
        self.answers, self.last = [], ""
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self):
        for line in self.process.stdout:
            answer = re.match(r"\[([\d.]+)\] .* icmp_seq=", line)
            if answer:
                self.answers.append(float(answer[1]))
            self.last = line if "transmitted" in line else self.last

    def end(self):
        """How many were sent and answered, and the longest time without an answer in ms."""
        self.process.send_signal(signal.SIGINT)
        self.thread.join(60)
        sent, received = re.match(r"(\d+) packets transmitted, (\d+) received", self.last).groups()
        gaps = [after - before for before, after in zip(self.answers, self.answers[1:])]
        return int(sent), int(received), max(gaps) * 1000


def guest_at(nth, side, incoming):
    """A guest at socket number side."""
    return Qemu(WORK, nth, PROGRAM, [
        "-chardev", f"socket,id=port,path={WORK}/{side}.sock{CHARDEV}",
        "-netdev", "vhost-user,id=net,chardev=port", "-device",
        f"virtio-net-pci,netdev=net,vectors=0,romfile=,mac=52:54:00:12:34:56{PROPERTIES}"
        + (VIOMMU if MODE == "viommu" else "")], incoming, MODE)


def restart():
    """The shell script that started this one has the back end."""
    print("restart", flush=True)
    if not sys.stdin.readline():
        fail("the back end did not restart")


def main():
    guest = guest_at(0, 0, False)
    until(guest.is_up, 120, lambda: f"the guest does not start: {guest.read('console')}")
    if MODE == "regions":
        check_regions(LAST)
    ping, echo = Ping(), Echo()
    downtime, syncs, asked, nth, cancelled, killed, restarted = [], [], 0, 0, 0, 0, 0
    for i in range(NB):
        echo.goes_on()
        if CHARDEV and i % 2 == 1:
            restart()
            restarted += 1
            echo.goes_on()
        if i % 3 == 2:
            nth += 1
            cancel(guest, guest_at(nth, 1 - i % 2, True))
            cancelled += 1
            echo.goes_on()
        nth += 1
        target = guest_at(nth, 1 - i % 2, True)
        result = migrate_postcopy(guest, target) if MODE == "postcopy" else migrate(guest, target)
        asked += result["ram"]["postcopy-requests"]
        if i % 2 == 1:
            guest.kill()
            killed += 1
        else:
            guest.end()
        took_over(target)
        guest = target
        downtime.append(result["downtime"])
        syncs.append(result["ram"]["dirty-sync-count"])
        echo.goes_on()
    echo.end()
    sent, received, silence = ping.end()
    guest.end()
    kind = PROPERTIES + CHARDEV + (", " + MODE if MODE else "")
    print(f"{NB} migrations{kind}, {cancelled} more cancelled, {killed} sources killed, "
          f"{restarted} restarts: {echo.bytes} bytes came back right, longest wait for {CHUNK} of them "
          f"{echo.longest * 1000:.0f} ms, {sent - received} of {sent} pings lost, at most "
          f"{silence:.0f} ms without an answer, downtime {min(downtime)} to {max(downtime)} ms, "
          f"{sum(syncs)} looks at the log" + (f", {asked} pages asked for" if asked else ""))
    if received < sent / 2:
        fail("more than half of the pings were lost")


main()
