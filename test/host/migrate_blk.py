# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
"""migrate_blk.py WORK QEMU KERNEL INITRAMFS PROPERTIES NB [PID|postcopy|viommu]: a guest migrates NB times between two QEMUs,
whose disks are at WORK/0.sock and WORK/1.sock, and are both the file WORK/disk.img. Every third
migration is cancelled half-way first; after every fourth one the source is killed. migrate_io.c in the
guest verifies what it reads. PID: the back end, to which the guest shows many regions of memory then. postcopy: the guest runs at its new place before its
memory is there. viommu: the disk is behind an IOMMU.
"""
import fcntl
import re
import sys

from migrate import (VIOMMU, Qemu, cancel, check_regions, fail, migrate, migrate_postcopy, mode_of,
                     took_over, until)

WORK, PROPERTIES, NB = sys.argv[1], sys.argv[5], int(sys.argv[6])
LAST = sys.argv[7] if len(sys.argv) > 7 else ""
MODE = mode_of(LAST)
PROGRAM = sys.argv[2:5]  # QEMU, kernel, initramfs
REQUESTS = 500  # of the guest between two migrations
NB_FRAMES = 16 * 8 * 17  # of migrate_io.c: threads, buffers of each, pages of a buffer
USED_FOR_WRITING = 101  # a byte that who writes to an image has locked, as in QEMU


def guest_at(nth, side, incoming):
    """A guest at socket number side. Rings of more than one page: the guest does not write to all of
    the pages to which the device does. Behind an IOMMU, Linux takes such pages from anywhere, which the
    device cannot use."""
    size = 128 if MODE == "viommu" else 1024
    return Qemu(WORK, nth, PROGRAM, [
        "-smp", "2", "-chardev", f"socket,id=disk,path={WORK}/{side}.sock", "-device",
        f"vhost-user-blk-pci,chardev=disk,num-queues=2,queue-size={size}{PROPERTIES}"
        + (VIOMMU if MODE == "viommu" else "")], incoming, MODE)


def progress(guest):
    """Requests, and how often all of the disk was read, as the guest last said; None: nothing."""
    if guest.process.poll() is not None:
        fail(f"{guest.name} ended: exit code {guest.process.returncode}")
    text = guest.read("console")
    wrong = re.findall(r"(?:WRONG|ERROR|I/O error|BUG|Oops).*", text)
    if wrong:
        lines = [line for line in text.splitlines() if not line.startswith("progress")]
        fail(f"{guest.name}: {len(wrong)} faults:\n" + "\n".join(lines[-60:]))
    said = re.findall(r"progress (\d+) (\d+)\r?\n", text)
    return (int(said[-1][0]), int(said[-1][1])) if said else None


def waits_for(guest, what):
    """Until what says so of (requests, sweeps) since now."""
    until(lambda: progress(guest) is not None, 120, f"{guest.name}: the guest says nothing")
    begin = progress(guest)
    until(lambda: what(*(now - then for now, then in zip(progress(guest), begin))), 120,
          f"{guest.name}: I/O stands still after {begin[0]} requests")
    return progress(guest)[0]


def read_buffers(guest):
    """The guest's page frames of the buffers into which it reads. A line of the kernel may be in
    the midst of one of these lines."""
    lines = re.findall(r"buffer((?: [0-9a-f]+){17})\r?\n", guest.read("console"))
    frames = {int(frame, 16) for line in lines for frame in line.split()}
    if len(frames) < NB_FRAMES // 2 or 0 in frames:
        fail(f"{guest.name}: {len(frames)} page frames of {NB_FRAMES} are known")
    return frames


def goes_on(guest):
    return waits_for(guest, lambda requests, sweeps: requests >= REQUESTS)


def is_locked():
    with open(f"{WORK}/disk.img", "r+b") as image:
        try:
            fcntl.lockf(image, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, USED_FOR_WRITING)
        except OSError:
            return True
    return False


def main():
    if is_locked():
        fail("the image is locked without a guest")
    guest = guest_at(0, 0, False)
    until(guest.is_up, 120, "the guest does not start")
    if MODE == "regions":
        check_regions(LAST)
    buffers = read_buffers(guest)
    downtime, syncs, asked, killed, nth = [], [], 0, 0, 0
    for i in range(NB):
        goes_on(guest)
        if not is_locked():
            fail(f"{guest.name}: the image is not locked")
        if i % 3 == 2:
            nth += 1
            cancel(guest, guest_at(nth, 1 - i % 2, True))
            goes_on(guest)
        nth += 1
        target = guest_at(nth, 1 - i % 2, True)
        if MODE == "postcopy":
            result = migrate_postcopy(guest, target)
        else:
            result = migrate(guest, target, buffers)
        asked += result["ram"]["postcopy-requests"]
        if i % 4 == 1:
            guest.kill()
            killed += 1
        else:
            guest.end()
        guest = target
        took_over(guest)
        downtime.append(result["downtime"])
        syncs.append(result["ram"]["dirty-sync-count"])
    # The first of two began before the migration, perhaps.
    requests = waits_for(guest, lambda requests, sweeps: sweeps >= 2)
    guest.end()
    until(lambda: not is_locked(), 60, "the image stays locked without a guest")
    kind = PROPERTIES + (", " + MODE if MODE else "")
    print(f"{NB} migrations{kind}: {requests} requests, every byte right, {killed} sources killed, "
          f"downtime {min(downtime)} to {max(downtime)} ms, {sum(syncs)} looks at the log"
          + (f", {asked} pages asked for" if asked else ""))


main()
