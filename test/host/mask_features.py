#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
"""
Stands between a vhost-user driver and its device, and takes features out of what the device offers:
for drivers that cannot be told to do without them. Arguments: the socket to listen at, that of the
device, and the bits, such as 0x10000000. It serves one driver after the other, and says "ready".
"""
import array
import os
import select
import socket
import struct
import sys

import vhost_user


def from_device(device, driver, mask):
    """Forwards one message. False: the device closed the connection."""
    head = device.recv(12, socket.MSG_WAITALL)
    if len(head) < 12:
        return False
    kind, _, size = struct.unpack("<3I", head)
    payload = device.recv(size, socket.MSG_WAITALL) if size else b""
    if kind == vhost_user.GET_FEATURES:
        payload = struct.pack("<Q", struct.unpack("<Q", payload)[0] & ~mask)
    driver.sendall(head + payload)
    return True


def from_driver(driver, device):
    """The same with the descriptors of a message, which come with its first byte."""
    head, control, _, _ = driver.recvmsg(12, socket.CMSG_SPACE(8 * 4), socket.MSG_WAITALL)
    if len(head) < 12:
        return False
    size = struct.unpack("<3I", head)[2]
    payload = driver.recv(size, socket.MSG_WAITALL) if size else b""
    fds = array.array("i", b"".join(data for _, _, data in control))
    device.sendmsg([head + payload],
                   [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)] if fds else [])
    for fd in fds:
        os.close(fd)
    return True


def serve(driver, device, mask):
    poll = select.poll()
    poll.register(driver, select.POLLIN)
    poll.register(device, select.POLLIN)
    while True:
        for fd, _ in poll.poll():
            if fd == device.fileno():
                alive = from_device(device, driver, mask)
            else:
                alive = from_driver(driver, device)
            if not alive:
                return


def main():
    listen, path, mask = sys.argv[1], sys.argv[2], int(sys.argv[3], 0)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(listen)
        server.listen()
        print("ready", flush=True)
        while True:
            driver, _ = server.accept()
            with driver, socket.socket(socket.AF_UNIX) as device:
                device.connect(path)
                try:
                    serve(driver, device, mask)
                except ConnectionError as error:
                    # The driver sees its connection end, and says so.
                    print(f"dropped: {error}", flush=True)


if __name__ == "__main__":
    main()
