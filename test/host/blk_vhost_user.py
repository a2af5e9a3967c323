# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
"""The connection of a block driver to its device over a vhost-user socket. It can reconnect."""
import array
import os
import socket
import struct
import time

import vhost_user
from blk_driver import FIRST, SIZE

P_INFLIGHT = 1 << 12


class VhostUser:
    """Keeps the device's memory for what is in flight when the other side goes away."""

    def __init__(self, path):
        self.path, self.client, self.inflight = path, None, None

    def connect(self, driver):
        for _ in range(100):
            try:
                self.client = vhost_user.Client(self.path)
                break
            except (FileNotFoundError, ConnectionRefusedError):
                time.sleep(0.1)
        self.client.send(vhost_user.SET_OWNER)
        features = driver.wanted(self.client.features())
        self.client.ask(vhost_user.GET_PROTOCOL_FEATURES)
        self.client.send(vhost_user.SET_PROTOCOL_FEATURES,
                         struct.pack("<Q", vhost_user.P_REPLY_ACK | vhost_user.P_CONFIG |
                                     P_INFLIGHT))
        self.client.ack(vhost_user.SET_FEATURES,
                        struct.pack("<Q", features | vhost_user.F_PROTOCOL_FEATURES))
        self.set_inflight()
        self.client.table([driver.memory.region()], [driver.memory.fd])
        self.start(driver)

    def start(self, driver):
        self.client.vring(0, FIRST, size=SIZE, start=driver.ring.base())

    def kick(self):
        if self.client is not None:
            self.client.kick(0)

    def set_inflight(self):
        """Gets memory for what is in flight, once, and hands it back each time."""
        if self.inflight is None:
            self.client.send(vhost_user.GET_INFLIGHT_FD, struct.pack("<QQHHI", 0, 0, 1, SIZE, 0))
            rights = socket.CMSG_SPACE(4)
            reply, control, _, _ = self.client.sock.recvmsg(12 + 24, rights)
            size, offset, _, _ = struct.unpack_from("<QQHH", reply, 12)
            fd = array.array("i", control[0][2])[0]
            self.inflight = (size, offset, fd)
        size, offset, fd = self.inflight
        self.client.ack(vhost_user.SET_INFLIGHT_FD,
                        struct.pack("<QQHHI", size, offset, 1, SIZE, 0), [fd])

    def config(self, offset, size):
        """Bytes of the configuration space."""
        ask = struct.pack("<3I", offset, size, 0) + bytes(size)
        return self.client.ask(vhost_user.GET_CONFIG, ask)[12:]

    def write_config(self, offset, data):
        self.client.ack(vhost_user.SET_CONFIG, struct.pack("<3I", offset, len(data), 0) + data)

    def disconnect(self):
        self.client.__exit__()
        self.client = None

    def close(self):
        if self.client is not None:
            self.disconnect()
        if self.inflight is not None:
            os.close(self.inflight[2])
