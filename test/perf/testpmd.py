# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
"""Runs dpdk-testpmd and sends it commands through a pipe."""

import os
import re
import select
import subprocess
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("DPDK_VDUSE_BUILD", os.path.join(TOP, "build"))
PLUGIN = subprocess.run([os.path.join(TOP, "test/plugin"), BUILD], check=True, text=True,
                        stdout=subprocess.PIPE).stdout.strip()

# What the driver asks for. Vectorised paths need a ring without merging.
RINGS = {
    "split": "mrg_rxbuf=0,in_order=0",
    "split-mrg": "mrg_rxbuf=1,in_order=0",
    "split-inorder": "mrg_rxbuf=0,in_order=1",
    "split-inorder-mrg": "mrg_rxbuf=1,in_order=1",
    "split-vec": "mrg_rxbuf=0,in_order=1,vectorized=1",
    "packed": "packed_vq=1,mrg_rxbuf=0,in_order=0",
    "packed-mrg": "packed_vq=1,mrg_rxbuf=1,in_order=0",
    "packed-inorder": "packed_vq=1,mrg_rxbuf=0,in_order=1",
    "packed-inorder-mrg": "packed_vq=1,mrg_rxbuf=1,in_order=1",
    "packed-vec": "packed_vq=1,mrg_rxbuf=0,in_order=1,vectorized=1",
}

PROMPT = b"testpmd> "


class Failed(Exception):
    """testpmd ended, or said nothing in time; with the end of what it said."""


class Testpmd:
    """One process: polls on lcore poll, its main lcore (which sleeps) is lcore main. Others: lcores."""

    def __init__(self, name, poll, main, eal, args=(), memory=512, program="dpdk-testpmd", lcores=None):
        self.name = name
        self.said = b""
        self.process = subprocess.Popen(
            # The prompt goes past stdio: without stdbuf the answer would come later.
            ["stdbuf", "-oL", program, "--lcores", lcores or f"{main},{poll}",
             "--main-lcore", str(main), "--no-pci",
             "--in-memory", "--single-file-segments", "-m", str(memory), *eal,
             "--", "-i", "--disable-link-check", "--total-num-mbufs=16384", *args],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        try:
            self._until_prompt(60)
        except Failed:
            self.stop()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def _until_prompt(self, seconds):
        """Waits for a prompt; returns what came before it."""
        end = time.monotonic() + seconds
        start = len(self.said)
        while PROMPT not in self.said[start:]:
            wait = end - time.monotonic()
            readable, _, _ = select.select([self.process.stdout], [], [], max(wait, 0))
            data = os.read(self.process.stdout.fileno(), 65536) if readable else b""
            if not data:
                tail = self.said.decode(errors="replace").splitlines()[-15:]
                raise Failed(f"{self.name}: no answer\n" + "\n".join(tail))
            self.said += data
        return self.said[start:].decode(errors="replace")

    def command(self, *lines):
        """Runs commands; returns what the last one printed."""
        answer = ""
        for line in lines:
            self.process.stdin.write(line.encode() + b"\n")
            self.process.stdin.flush()
            answer = self._until_prompt(20)
        return answer

    def rate(self, port, seconds, what="Rx-pps"):
        """Packets a second over so many seconds, by testpmd's own clock."""
        self.command(f"show port stats {port}")
        time.sleep(seconds)
        answer = self.command(f"show port stats {port}")
        return int(re.search(what + r": +(\d+)", answer).group(1))

    def stop(self):
        """Ends the process; True if it ended well."""
        try:
            self.process.stdin.write(b"stop\nquit\n")
            self.process.stdin.close()
            # What it still says must not block it.
            self.process.stdout.read()
            return self.process.wait(20) == 0
        except (OSError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()
            return False
