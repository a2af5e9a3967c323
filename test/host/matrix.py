#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
"""
Frames through a device that sends them back, with each combination of features of the rings and
numbers of queue pairs. Arguments: the socket, frames of each pair, and the numbers of pairs, such
as 1,2,8.
"""
import itertools
import sys

from net_driver import F_MRG_RXBUF, NetDriver
from net_ring import F_EVENT_IDX, F_IN_ORDER, F_INDIRECT, F_RING_PACKED

FEATURES = (("packed", F_RING_PACKED), ("mergeable", F_MRG_RXBUF), ("indirect", F_INDIRECT),
            ("event idx", F_EVENT_IDX), ("in order", F_IN_ORDER))


def run(path, frames, chosen, pairs):
    features = sum(bit for (_, bit), on in zip(FEATURES, chosen) if on)
    words = [word for (word, _), on in zip(FEATURES, chosen) if on]
    name = ", ".join([*(words if chosen[0] else ["split", *words]), f"pairs: {pairs}"])
    try:
        with NetDriver(path, features, pairs, frames) as driver:
            driver.connect()
            nb = driver.exchange()
    except (OSError, ValueError) as error:
        sys.exit(f"FAIL: {name}: {error}")
    print(f"-- {name}: {pairs * frames} frames, {nb} bytes", flush=True)


def main():
    path, frames = sys.argv[1], int(sys.argv[2])
    nb = 0
    for *chosen, pairs in itertools.product(*(((False, True),) * len(FEATURES)),
                                            map(int, sys.argv[3].split(","))):
        run(path, frames, chosen, pairs)
        nb += 1
    print(f"-- {nb} combinations, the driver of this program")


if __name__ == "__main__":
    main()
