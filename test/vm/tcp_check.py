#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
"""
Copies a file over TCP, IPv4 or IPv6: "receive FILE" writes it there, "send ADDRESS FILE" sends it.
"""
import socket
import sys

PORT = 5555


def receive(path):
    with socket.create_server(("::", PORT), family=socket.AF_INET6, dualstack_ipv6=True) as server:
        print("ready", flush=True)
        peer, _ = server.accept()
        with peer, open(path, "wb") as file:
            while True:
                data = peer.recv(1 << 16)
                if not data:
                    return
                file.write(data)


def send(address, path):
    with socket.create_connection((address, PORT), timeout=60) as peer, open(path, "rb") as file:
        peer.sendfile(file)


if __name__ == "__main__":
    if sys.argv[1] == "receive":
        receive(sys.argv[2])
    else:
        send(sys.argv[2], sys.argv[3])
