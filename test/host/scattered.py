#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
"""
Writes pages to a disk, none of which are adjacent in memory, and reads them back. Arguments: the
disk, and the number of pages.
"""
import mmap
import os
import sys

PAGE = mmap.PAGESIZE
TIMES = 8


def scattered(nb, number):
    """Pages are given out in order: every second one is touched first, then the others."""
    area = mmap.mmap(-1, nb * PAGE)
    area.madvise(mmap.MADV_NOHUGEPAGE)
    for i in (*range(0, nb, 2), *range(1, nb, 2)):
        area[i * PAGE:(i + 1) * PAGE] = bytes([number + i & 0xFF]) * PAGE
    return area


def main():
    path, nb = sys.argv[1], int(sys.argv[2])
    disk = os.open(path, os.O_RDWR | os.O_DIRECT)
    for number in range(TIMES):
        data, back = scattered(nb, number), scattered(nb, number + 1)
        at = number * nb * PAGE
        if os.pwritev(disk, [data], at) != nb * PAGE or os.preadv(disk, [back], at) != nb * PAGE:
            sys.exit(f"{path}: not all of {nb} pages")
        if data[:] != back[:]:
            sys.exit(f"{path}: others than written")
    os.close(disk)


if __name__ == "__main__":
    main()
