#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
"""
Prints what the kernel's driver of the interface INTERFACE counted on each of its receive queues, a
line for a queue: "ID PACKETS". ethtool -S shows the counters of the device only.
"""
import socket
import struct
import sys

NETLINK_GENERIC = 16
NLM_F_REQUEST = 1
NLM_F_DUMP = 0x300
NLMSG_ERROR = 2
NLMSG_DONE = 3
GENL_ID_CTRL = 16
CTRL_CMD_GETFAMILY = 3
CTRL_ATTR_FAMILY_ID = 1
CTRL_ATTR_FAMILY_NAME = 2
NETDEV_CMD_QSTATS_GET = 12
QSTATS_IFINDEX = 1
QSTATS_QUEUE_TYPE = 2
QSTATS_QUEUE_ID = 3
QSTATS_SCOPE = 4
QSTATS_RX_PACKETS = 8
QSTATS_SCOPE_QUEUE = 1
QUEUE_TYPE_RX = 0


def attribute(kind, data):
    return struct.pack("=HH", 4 + len(data), kind) + data + bytes(-len(data) % 4)


def attributes(data):
    found = {}
    while len(data) >= 4:
        size, kind = struct.unpack_from("=HH", data)
        found[kind & 0x3FFF] = data[4:size]
        data = data[(size + 3) & ~3 :]
    return found


def number(data):
    return int.from_bytes(data, sys.byteorder)


def request(netlink, family, flags, command, data):
    """The attributes of each message of the answer."""
    body = struct.pack("=BBH", command, 1, 0) + data
    netlink.send(struct.pack("=IHHII", 16 + len(body), family, NLM_F_REQUEST | flags, 1, 0) + body)
    answer = []
    while True:
        data = netlink.recv(1 << 16)
        while data:
            size, kind = struct.unpack_from("=IH", data)
            if kind == NLMSG_ERROR:
                sys.exit(f"netlink: error {struct.unpack_from('=i', data, 16)[0]}")
            if kind == NLMSG_DONE:
                return answer
            answer.append(attributes(data[20:size]))
            data = data[(size + 3) & ~3 :]
        if not flags & NLM_F_DUMP:
            return answer


def main(interface):
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_GENERIC) as netlink:
        netlink.settimeout(60)
        name = attribute(CTRL_ATTR_FAMILY_NAME, b"netdev\0")
        family = request(netlink, GENL_ID_CTRL, 0, CTRL_CMD_GETFAMILY, name)[0]
        asked = attribute(QSTATS_IFINDEX, struct.pack("=I", socket.if_nametoindex(interface)))
        asked += attribute(QSTATS_SCOPE, struct.pack("=I", QSTATS_SCOPE_QUEUE))
        family_id = number(family[CTRL_ATTR_FAMILY_ID])
        for queue in request(netlink, family_id, NLM_F_DUMP, NETDEV_CMD_QSTATS_GET, asked):
            if number(queue[QSTATS_QUEUE_TYPE]) == QUEUE_TYPE_RX:
                print(number(queue[QSTATS_QUEUE_ID]), number(queue[QSTATS_RX_PACKETS]))


main(sys.argv[1])
