# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
"""hotplug.py QMP FIRST NB: plugs NB memory devices of 128 MiB, numbered from FIRST, into the QEMU
at the socket QMP."""
import json
import socket
import sys

PATH, FIRST, NB = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])


def command(stream, name, **arguments):
    stream.write(json.dumps({"execute": name, "arguments": arguments}) + "\n")
    stream.flush()
    while True:
        answer = json.loads(stream.readline())
        if "error" in answer:
            sys.exit(f"FAIL: {name} {arguments}: {answer['error']['desc']}")
        if "return" in answer:
            return


with socket.socket(socket.AF_UNIX) as sock:
    sock.connect(PATH)
    with sock.makefile("rw", encoding="utf-8") as qmp:
        qmp.readline()
        command(qmp, "qmp_capabilities")
        for i in range(FIRST, FIRST + NB):
            command(qmp, "object-add", **{"qom-type": "memory-backend-memfd", "id": f"memory{i}",
                                          "size": 128 << 20, "share": True})
            command(qmp, "device_add", driver="pc-dimm", id=f"dimm{i}", memdev=f"memory{i}")
print(f"{NB} devices of 128 MiB")
