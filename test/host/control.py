# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
"""A client of the control socket of dpdk-vduse-blk."""
import json
import socket


class Failed(Exception):
    """The server answered with an error: its code, message and errno name."""

    def __init__(self, error):
        super().__init__(f"{error['code']}: {error['message']}")
        self.code, self.message = error["code"], error["message"]
        self.errno = error.get("data", {}).get("errno")


class Control:
    """One connection. call() returns the result of a method or raises Failed."""

    def __init__(self, path, timeout=30):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(timeout)
        self.sock.connect(path)
        self.left, self.id = b"", 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.sock.close()

    def send(self, data):
        self.sock.sendall(data)

    def line(self):
        """The next answer; None: the server closed the connection."""
        while b"\n" not in self.left:
            data = self.sock.recv(65536)
            if not data:
                return None
            self.left += data
        line, self.left = self.left.split(b"\n", 1)
        return json.loads(line)

    def raw(self, data):
        """Sends a line, valid or not. Returns the answer."""
        self.send(data + b"\n")
        return self.line()

    def call(self, method, **params):
        self.id += 1
        request = {"jsonrpc": "2.0", "id": self.id, "method": method}
        if params:
            request["params"] = params
        answer = self.raw(json.dumps(request).encode())
        if answer is None:
            raise ConnectionResetError("the server closed the connection")
        if answer["jsonrpc"] != "2.0" or answer["id"] != self.id:
            raise ValueError(f"{answer} is no answer to {request}")
        if "error" in answer:
            raise Failed(answer["error"])
        return answer["result"]

    def names(self):
        return [device["name"] for device in self.call("device.list")]
