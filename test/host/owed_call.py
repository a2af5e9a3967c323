#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
"""
A driver sleeps until it is called. Its process is killed after the driver could see a used buffer
and before the call. The next process must send the call although nothing else is in flight,
because otherwise the driver would never wake up. Arguments: disk or net, the socket, and a
command line that serves the device (net: and sends each packet back).
"""
import itertools
import os
import select
import subprocess
import sys
import time

from blk_driver import (BlkDriver, F_EVENT_IDX, F_RING_PACKED, FIRST, Packed, S_OK, SIZE, Split,
                        T_IN, T_OUT)
from blk_vhost_user import VhostUser
from vhost_user import Client, F_VERSION_1, Memory

PATIENCE = 10
# When the descriptor that must be called comes: before the virtqueue starts, after it in place of
# none, or after it in place of another one.
ORDERS = ("first", "last", "exchanged")
BLOCK = 4096
PACKET = 12 + 60
ROOM = 2048


class Server:
    """The process at the socket, one after the other. Its stdin stays open."""

    def __init__(self, command):
        self.command, self.process = command, None

    def start(self):
        self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE)

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()

    def stop(self):
        """Ends it as its user does. Its exit code.

        A testpmd that was not at its prompt yet forgets the first signal.
        """
        end = time.monotonic() + PATIENCE
        while self.process.poll() is None and time.monotonic() < end:
            self.process.terminate()
            try:
                self.process.wait(0.5)
            except subprocess.TimeoutExpired:
                pass
        self.process.wait(0)
        self.process.stdin.close()
        return self.process.returncode


def start_ring(client, index, at, call, order, base):
    """Starts a virtqueue; call is told in this order, and is the descriptor that counts."""
    before = {"first": call, "last": False, "exchanged": None}[order]
    client.vring(index, FIRST + at, call=before, size=SIZE, start=base)
    if order != "first":
        client.call(index, call)


class DiskLink(VhostUser):
    def __init__(self, path):
        super().__init__(path)
        self.call, self.order = os.eventfd(0, os.EFD_NONBLOCK), "first"

    def start(self, driver):
        start_ring(self.client, 0, 0, self.call, self.order, driver.ring.base())

    def close(self):
        super().close()
        os.close(self.call)


class Disk:
    """One write at a time."""

    in_orders = (False, True)

    def __init__(self, path, packed, event_idx, in_order):
        self.link = DiskLink(path)
        self.driver = BlkDriver(self.link, packed, in_order, F_EVENT_IDX if event_idx else 0)
        self.rings, self.calls = [self.driver.ring], [self.link.call]
        self.nb = 0

    def connect(self, order):
        self.link.order = order
        self.driver.connect()

    def disconnect(self):
        self.driver.disconnect()

    def send(self):
        self.nb += 1
        self.driver.post(T_OUT, 0, bytes([self.nb]) * BLOCK)

    def receive(self):
        """Takes what was used: one write, which is on the disk."""
        _, status = self.driver.take()
        if status != S_OK or self.driver.take() is not None:
            raise ValueError(f"status {status}, or more is used than was sent")

    def check(self):
        slot = self.driver.post(T_IN, 0, size=BLOCK)
        self.driver.wait()
        if self.driver.data(slot, BLOCK) != bytes([self.nb]) * BLOCK:
            raise ValueError("the disk does not hold what was written last")

    def close(self):
        self.driver.close()


class View:
    """A page of memory where a ring lies."""

    def __init__(self, memory, at):
        self.map = memoryview(memory.map)[at:at + 0x1000]


class Net:
    """One packet at a time, which comes back: a used buffer in both directions."""

    in_orders = (False, True)

    def __init__(self, path, packed, event_idx, in_order):
        self.path, self.packed, self.client, self.nb = path, packed, None, 0
        self.features = (F_VERSION_1 | (F_RING_PACKED if packed else 0) |
                         (F_EVENT_IDX if event_idx else 0) | (1 << 35 if in_order else 0))
        self.memory = Memory(0x10000, FIRST, "net-driver")
        self.views = [View(self.memory, at) for at in (0, 0x1000)]
        self.rings = [(Packed if packed else Split)(view, in_order) for view in self.views]
        self.calls = [os.eventfd(0, os.EFD_NONBLOCK) for _ in self.rings]

    def connect(self, order):
        end = time.monotonic() + PATIENCE
        while self.client is None:
            try:
                self.client = Client(self.path)
            except (FileNotFoundError, ConnectionRefusedError):
                if time.monotonic() > end:
                    raise
                time.sleep(0.1)
        self.client.negotiate(self.features)
        self.client.table([self.memory.region()], [self.memory.fd])
        for index, (ring, call) in enumerate(zip(self.rings, self.calls)):
            start_ring(self.client, index, 0x1000 * index, call, order, self.base(ring))

    def base(self, ring):
        """What virtio_user tells: it has nothing in flight when it comes back."""
        if not self.packed:
            return ring.base()
        return ring.next % SIZE | (0x8000 if ring.next < SIZE else 0)

    def disconnect(self):
        self.client.__exit__()
        self.client = None

    def send(self):
        self.nb += 1
        frame = bytes.fromhex("020000000001020000000002") + bytes([8, 0, self.nb]) + bytes(45)
        self.memory.map[0x4000:0x4000 + PACKET] = bytes(12) + frame
        self.memory.map[0x6000:0x6000 + ROOM] = bytes(ROOM)
        self.rings[0].post(0, [(FIRST + 0x6000, ROOM, 2)])
        self.rings[1].post(0, [(FIRST + 0x4000, PACKET, 0)])

    def receive(self):
        for ring in self.rings:
            if ring.take() is None or ring.take() is not None:
                raise ValueError("not one used buffer")
        if (self.memory.map[0x6000 + 12:0x6000 + PACKET] !=
                self.memory.map[0x4000 + 12:0x4000 + PACKET]):
            raise ValueError("another packet came back")

    def check(self):
        """All was looked at when it came."""

    def close(self):
        if self.client is not None:
            self.disconnect()
        for view in self.views:
            view.map.release()
        self.memory.close()
        for call in self.calls:
            os.close(call)


def until(condition, what):
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(what)


def wait_calls(device, what):
    """Sleeps until each virtqueue was called."""
    for index, call in enumerate(device.calls):
        if not select.select([call], [], [], PATIENCE)[0]:
            raise TimeoutError(f"no call for virtqueue {index} {what}: its driver sleeps for ever")
        os.eventfd_read(call)


def forget_calls(device):
    """As if the process had been killed before it made them: it is dead, and makes no more."""
    for call in device.calls:
        if select.select([call], [], [], 0)[0]:
            os.eventfd_read(call)


def sleep_and_send(device, event_idx):
    for ring in device.rings:
        ring.sleep(event_idx)
    device.send()


def owed(device, server, event_idx, order):
    device.connect("first")
    sleep_and_send(device, event_idx)
    until(lambda: all(ring.used() for ring in device.rings), "nothing is used")
    server.kill()
    forget_calls(device)
    device.disconnect()
    server.start()
    device.connect(order)
    wait_calls(device, "that was owed")
    device.receive()
    # Called as usual from now on.
    sleep_and_send(device, event_idx)
    wait_calls(device, "after the one that was owed")
    until(lambda: all(ring.used() for ring in device.rings), "nothing is used")
    device.receive()
    device.check()


def main():
    kind, path, command = sys.argv[1], sys.argv[2], sys.argv[3:]
    make = {"disk": Disk, "net": Net}[kind]
    server, failed = Server(command), []
    server.start()
    for packed, event_idx, in_order, order in itertools.product(
            (False, True), (False, True), make.in_orders, ORDERS):
        case = (f"{kind}, {'packed' if packed else 'split'}, event_idx={event_idx:d}, "
                f"in_order={in_order:d}, call descriptor {order}")
        device = make(path, packed, event_idx, in_order)
        try:
            owed(device, server, event_idx, order)
            print(f"-- {case}: called", flush=True)
        except (TimeoutError, ValueError) as error:
            failed.append(case)
            print(f"-- {case}: {error}", flush=True)
        finally:
            device.close()
    code = server.stop()
    if failed:
        sys.exit(f"{len(failed)} drivers sleep for ever")
    if code != 0:
        sys.exit(f"the process ended with {code}")


if __name__ == "__main__":
    main()
