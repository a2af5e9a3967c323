# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
"""socket_attack.py ATTACK SOCKET OTHER LOG PID: clients that hold up who else is served.

ATTACK is a function below or of iommu_attack.py; it runs at SOCKET. Meanwhile the disk at OTHER, of the same process PID,
does requests and answers messages: their p99 and longest times are printed, and the longest must be
under LIMIT_S. What the device adds to LOG meanwhile must be under LOG_MAX bytes.
"""
import contextlib
import ctypes
import itertools
import multiprocessing
import os
import resource
import select
import socket
import stat
import struct
import sys
import threading
import time

import iommu_attack
import vhost_user as vu
from blk_driver import BlkDriver, F_INDIRECT, T_IN
from blk_vhost_user import VhostUser
from vhost_user import Client, Dropped, Memory

ATTACK, PATH, OTHER, LOG, PID = sys.argv[1:6]
LIMIT_S = 3 * float(os.environ.get("VM_PATIENCE", "1"))
LOG_MAX = 32768


def fail(why):
    sys.exit(f"FAIL: {ATTACK}: {why}")


def until(condition, what, seconds=10):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            fail(what)
        time.sleep(0.02)


def nb_fds():
    return len(os.listdir(f"/proc/{PID}/fd"))


def log_size():
    return os.stat(LOG).st_size


# How often the other disk's driver had a request and its messages answered.
rounds = multiprocessing.Value("i", 0)


def passed_over():
    """What was sent before is dealt with: both threads have served the other disk since."""
    before = rounds.value
    # The round that runs may have begun before.
    until(lambda: rounds.value >= before + 2, "the other disk is not served", 30)


def witness(ready, stop, results):
    """A driver whose requests and messages must not take longer than without the attack."""
    driver = BlkDriver(VhostUser(OTHER), packed=False)
    driver.connect()
    io, messages = [], []
    try:
        while not stop.is_set():
            begin = time.monotonic()
            driver.post(T_IN, 0, size=512)
            driver.wait(30)
            io.append(time.monotonic() - begin)
            begin = time.monotonic()
            driver.link.config(0, 8)
            # The control thread's part.
            driver.link.client.ack(vu.SET_VRING_ENABLE, struct.pack("<II", 0, 1))
            # It carries a descriptor, for which that attack leaves no room.
            if ATTACK != "no_descriptors":
                driver.link.client.table([driver.memory.region()], [driver.memory.fd])
            messages.append(time.monotonic() - begin)
            rounds.value += 1
            ready.set()
            time.sleep(0.005)
    except (Dropped, TimeoutError, socket.timeout, ValueError) as error:
        results.put(f"the other disk's driver: {error!r}")
        return
    results.put((io, messages))
    driver.close()


def p99(times):
    return sorted(times)[len(times) * 99 // 100]


def watched(attack):
    """Runs it beside the witness."""
    ready, stop, results = multiprocessing.Event(), multiprocessing.Event(), multiprocessing.Queue()
    other = multiprocessing.Process(target=witness, args=(ready, stop, results), daemon=True)
    other.start()
    if not ready.wait(30):
        fail("the other disk is not served before the attack")
    log_before = log_size()
    try:
        attack()
        # What the attack left to be logged, at the latest when its connections ended, is logged.
        passed_over()
    finally:
        stop.set()
    got = results.get(timeout=60)
    other.join()
    if isinstance(got, str):
        fail(got)
    for name, times in zip(("requests", "messages"), got):
        print(f"{ATTACK}: the other disk: {len(times)} {name}, p99 {p99(times) * 1e3:.2f} ms, "
              f"longest {max(times) * 1e3:.2f} ms", flush=True)
        if max(times) > LIMIT_S:
            fail(f"the other disk's {name} waited")
    grown = log_size() - log_before
    print(f"{ATTACK}: {grown} bytes of log", flush=True)
    if grown > LOG_MAX:
        fail("it fills the log")


def good():
    """A driver of the attacked disk."""
    driver = BlkDriver(VhostUser(PATH), packed=False)
    driver.connect()
    return driver


def request(driver):
    driver.post(T_IN, 0, size=512)
    driver.wait()


def probes():
    """connect(); close() beside a running client, as a port probe does: the client goes on."""
    driver = good()
    request(driver)
    for _ in range(100):
        probe = socket.socket(socket.AF_UNIX)
        probe.connect(PATH)
        probe.close()
        request(driver)
        driver.link.config(0, 8)
    driver.close()


def unread_replies():
    """Its replies fill the socket's buffer: it is dropped, and nobody waits for it."""
    for _ in range(5):
        with Client(PATH) as client:
            try:
                for _ in range(3000):
                    client.send(vu.GET_FEATURES)
            except (Dropped, socket.timeout):
                continue
            end = time.monotonic() + 10
            while client.sock.send(b"") == 0 and time.monotonic() < end:
                try:
                    client.send(vu.GET_FEATURES)
                except Dropped:
                    break
            else:
                fail("it is not dropped")


def fuse_file(at, stalled):
    """A file whose file system opens it and answers nothing after that. Returns its descriptor."""
    fuse = os.open("/dev/fuse", os.O_RDWR)
    libc = ctypes.CDLL(None, use_errno=True)
    options = f"fd={fuse},rootmode=100600,user_id=0,group_id=0".encode()
    if libc.mount(b"hostile", at.encode(), b"fuse.hostile", 0, options) != 0:
        os.close(fuse)
        raise OSError(ctypes.get_errno(), "mount")

    def attributes():
        now = int(time.time())
        return struct.pack("<6Q10I", 1, 1 << 20, 2048, now, now, now, 0, 0, 0, 0o100600, 1, 0, 0,
                           0, 4096, 0)

    def serve():
        while True:
            try:
                asked = os.read(fuse, 1 << 20)
            except OSError:
                return
            _, op, unique = struct.unpack_from("<IIQ", asked)
            if op == 26:    # INIT
                body = struct.pack("<4I2H6I", 7, 31, 65536, 0, 12, 9, 65536, 1, 0, 0, 0, 0)
                body = body.ljust(64, b"\0")
            elif op == 3 and not stalled.is_set():     # GETATTR
                body = struct.pack("<QII", 0, 0, 0) + attributes()
            elif op == 14:  # OPEN
                body = struct.pack("<QII", 1, 0, 0)
            else:
                stalled.asked.append(op)
                continue
            os.write(fuse, struct.pack("<IiQ", 16 + len(body), 0, unique) + body)

    threading.Thread(target=serve, daemon=True).start()
    fd = os.open(at, os.O_RDWR)
    stalled.set()
    return fuse, fd


def stuck_files():
    """Memory, kick, call, channel and nothing at all in a file whose server does not answer."""
    at = os.path.join(os.path.dirname(PATH), "fuse")
    with open(at, "w", encoding="ascii"):
        pass
    stalled = threading.Event()
    stalled.asked = []
    fuse, fd = fuse_file(at, stalled)
    libc = ctypes.CDLL(None, use_errno=True)
    region = struct.pack("<4Q", 0x100000, 4096, vu.USER, 0)
    try:
        for kind, payload in ((vu.SET_MEM_TABLE, struct.pack("<II", 1, 0) + region),
                              (vu.ADD_MEM_REG, bytes(8) + region),
                              (vu.SET_VRING_KICK, bytes(8)), (vu.SET_VRING_CALL, bytes(8)),
                              (vu.SET_BACKEND_CHANNEL, b""),
                              (vu.SET_INFLIGHT_FD, struct.pack("<2Q2HI", 4096, 0, 1, 64, 0)),
                              (vu.SET_OWNER, b"")):
            with Client(PATH) as client:
                client.negotiate()
                client.send(kind, payload, [fd])
                passed_over()
    finally:
        libc.umount2(at.encode(), 2)
        # Ends the file system: who waits for it is let go.
        os.close(fuse)
        try:
            os.close(fd)
        except ConnectionAbortedError:
            pass


def toggles():
    """What makes the device log, as fast as it goes."""
    driver = good()
    end = time.monotonic() + 3
    nb = 0
    while time.monotonic() < end:
        try:
            driver.link.write_config(32, bytes([nb & 1]))
        except ValueError:
            pass
        nb += 1
    print(f"{ATTACK}: {nb} writes to the configuration space", flush=True)
    driver.close()


def resets():
    """Comes up and goes, over and over."""
    driver = good()
    end = time.monotonic() + 3
    nb = 0
    while time.monotonic() < end:
        driver.link.client.base(0)
        driver.link.client.vring(0, driver.memory.first, size=64, start=0)
        for fd in driver.link.client.fds:
            os.close(fd)
        driver.link.client.fds.clear()
        nb += 1
    print(f"{ATTACK}: {nb} resets", flush=True)
    driver.close()


def reconnections():
    end = time.monotonic() + 3
    nb = 0
    while time.monotonic() < end:
        with Client(PATH) as client:
            client.features()
        nb += 1
    print(f"{ATTACK}: {nb} connections", flush=True)


def refusals():
    end = time.monotonic() + 3
    nb = 0
    while time.monotonic() < end:
        with Client(PATH) as client:
            client.send(vu.GET_CONFIG, bytes(4))
            try:
                client.receive()
            except Dropped:
                pass
        nb += 1
    print(f"{ATTACK}: {nb} refused messages", flush=True)


def half_a_message():
    """The rest does not come: nobody waits for it."""
    with Client(PATH) as client:
        client.raw(struct.pack("<3I", vu.SET_MEM_TABLE, 1, 72))
        try:
            client.receive()
        except Dropped:
            pass


def fewest_fds():
    """The other disk's messages carry descriptors as well: there are more for moments."""
    fewest = nb_fds()
    for _ in range(50):
        time.sleep(0.002)
        fewest = min(fewest, nb_fds())
    return fewest


def leaks(kind, payload, before):
    """Whether more than so many files stay open once a client has sent descriptors."""
    with Client(PATH) as client:
        eventfds = [client.eventfd() for _ in range(8)]
        try:
            client.send(kind, payload, eventfds)
            client.send(vu.GET_FEATURES)
            client.sock.settimeout(1)
            client.receive()
        except (Dropped, socket.timeout):
            pass
    end = time.monotonic() + 5
    while nb_fds() > before and time.monotonic() < end:
        time.sleep(0.005)
    return nb_fds() > before


def descriptors(payload):
    """Descriptors with messages of each number: all are closed, whatever the message is."""
    before = fewest_fds()
    kept = []
    for kind in range(48):
        # The other disk may have had fewer files before; a leak is one each time.
        if leaks(kind, payload, before):
            before = fewest_fds()
            if leaks(kind, payload, before):
                kept.append(kind)
    if kept:
        fail(f"messages {kept} leak descriptors")


def message_descriptors():
    """With a payload that is right for most, and of queue 0."""
    descriptors(struct.pack("<QQHH", 0, 0, 1, 64) + bytes(20))


def far_descriptors():
    """Of a queue that the device does not have."""
    descriptors(struct.pack("<QQ", 0x101, 0) + bytes(24))


# Of every_message(): message numbers, descriptors, bytes of a message, and what was done before.
NUMBERS, DESCRIPTORS, BYTES, STATES = 65, (0, 1, 8, 9), 52, 4


def in_state(client, memory, state):
    """0: nothing; 1: it has negotiated; 2: and given memory; 3: and a ring runs."""
    if state > 0:
        client.negotiate()
    if state > 1:
        client.table([memory.region()], [memory.fd])
    if state > 2:
        client.vring(0, memory.first)


def every_message():
    """Each message number with 0 to 9 descriptors, whole or cut at each byte, in each state."""
    payload = struct.pack("<QQHH", 0, 0, 1, 64) + bytes(20)
    memory, idle = Memory(1 << 20), fewest_fds()
    event = os.eventfd(0, os.EFD_NONBLOCK)
    served = [0] * STATES
    for nb, (kind, fds, cut) in enumerate(
            itertools.product(range(NUMBERS), DESCRIPTORS, range(1, BYTES + 1))):
        state, need_reply = (nb + nb // BYTES) % STATES, nb % 2 * vu.NEED_REPLY
        message = struct.pack("<3I", kind, 1 | need_reply, len(payload)) + payload
        with Client(PATH) as client:
            try:
                in_state(client, memory, state)
                served[state] += 1
                client.raw(message[:cut], [event] * fds)
                if nb % 3 == 0:
                    client.raw(message[cut:])
                    client.features()
            except (Dropped, ValueError, struct.error):
                pass
    os.close(event)
    memory.close()
    passed_over()
    # As long as it takes to close what is closed on a thread of its own.
    until(lambda: nb_fds() <= idle + 1, f"{idle} descriptors became {fewest_fds()}")
    print(f"{ATTACK}: clients that came into each state: {served}", flush=True)
    if sum(served) != NUMBERS * len(DESCRIPTORS) * BYTES or min(served) == 0:
        fail("a client was not served")
    print(f"{ATTACK}: {fewest_fds()} descriptors, {idle} before", flush=True)
    if fewest_fds() > idle:
        fail("descriptors are left")


def calls():
    """A new call descriptor a millisecond: requests go on at their rate."""
    driver = good()
    stop, changes = multiprocessing.Event(), multiprocessing.Value("i", 0)

    def rate(seconds):
        nb, end = 0, time.monotonic() + seconds
        while time.monotonic() < end:
            request(driver)
            nb += 1
        return nb / seconds

    def change():
        fd = os.eventfd(0, os.EFD_NONBLOCK)
        while not stop.is_set():
            driver.link.client.ack(vu.SET_VRING_CALL, struct.pack("<Q", 0), [fd])
            driver.link.client.ack(vu.SET_VRING_KICK, struct.pack("<Q", 0), [fd])
            changes.value += 1
            time.sleep(0.001)
        os.close(fd)

    print(f"{ATTACK}: {rate(1):.0f} requests a second without", flush=True)
    # Shares the connection; this process only waits for the ring.
    changer = multiprocessing.Process(target=change, daemon=True)
    changer.start()
    print(f"{ATTACK}: {rate(1):.0f} requests a second with", flush=True)
    # A busy machine makes fewer in a second.
    end = time.monotonic() + 30
    while changes.value < 50:
        request(driver)
        if time.monotonic() > end:
            fail("too few changes for a test")
    stop.set()
    changer.join()
    print(f"{ATTACK}: {changes.value} changes", flush=True)
    driver.close()


def waiters():
    """Each call wakes so many that it takes a millisecond: it is not the lcore that makes them."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (20000, 20000))
    event = os.eventfd(0, os.EFD_NONBLOCK)
    polls = [select.epoll() for _ in range(19000)]
    for poll in polls:
        poll.register(event, select.EPOLLIN | select.EPOLLET)

    def call():
        begin = time.monotonic()
        os.eventfd_write(event, 1)
        return time.monotonic() - begin

    shortest = min(call() for _ in range(20))
    driver = good()
    driver.link.client.ack(vu.SET_VRING_CALL, struct.pack("<Q", 0), [event])
    # There is a call for each, as this driver has one at a time. On a busy machine some second is
    # a good one; the lcore's own calls would leave none.
    for _ in range(20):
        nb, begin = 0, time.monotonic()
        while time.monotonic() < begin + 1:
            request(driver)
            nb += 1
        lasted = time.monotonic() - begin
        if nb * shortest >= 1.2 * lasted:
            break
    print(f"{ATTACK}: a call takes {shortest * 1e3:.2f} ms, {nb} requests in {lasted:.1f} s",
          flush=True)
    if nb * shortest < 1.2 * lasted:
        fail("each request waits for a call")
    os.eventfd_read(event)
    driver.close()
    for poll in polls:
        poll.close()
    os.close(event)


def sparse():
    """25 small regions in sparse files of 5 TiB: no more address space than they need."""
    def size():
        with open(f"/proc/{PID}/status", encoding="ascii") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmSize"))

    before = size()
    memories = [Memory(1 << 20, 0x100000 + (i << 30), "sparse") for i in range(25)]
    with Client(PATH) as client:
        client.negotiate()
        for memory in memories:
            os.ftruncate(memory.fd, 5 << 40)
            client.add_region(struct.pack("<4Q", memory.first, 4096, vu.USER + memory.first, 0),
                              [memory.fd])
        client.vring(0, memories[0].first)
        grown = size() - before
        print(f"{ATTACK}: {grown} KiB of address space", flush=True)
        if grown > 32 << 20:
            fail("whole files are mapped")
    for memory in memories:
        memory.close()


def resident():
    """KiB of the process in memory, what it shares included."""
    with open(f"/proc/{PID}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))


def populates(name):
    """The process has a client's file open to read only: it makes pages of it present."""
    folder = f"/proc/{PID}/fd"
    for fd in os.listdir(folder):
        try:
            if name in os.readlink(f"{folder}/{fd}") and \
                    not os.lstat(f"{folder}/{fd}").st_mode & stat.S_IWUSR:
                return True
        except FileNotFoundError:
            pass
    return False


def sparse_memory():
    """6 GiB of memory that is not there, as one region: none of it is allocated."""
    before = resident()
    memory = Memory(6 << 30, name="holes")
    driver = good()
    for _ in range(3):
        try:
            driver.link.client.table([driver.memory.region(), memory.region(1 << 40)],
                                     [driver.memory.fd, memory.fd])
        except socket.timeout:
            break  # what grew tells why
        # Served at once, and until the process has looked at all of it.
        end = time.monotonic() + 60
        while populates("memfd:holes"):
            driver.link.config(0, 8)
            if resident() - before > 256 << 10:
                break
            if time.monotonic() > end:
                fail("it looks for pages without an end")
            time.sleep(0.01)
    grown, allocated = resident() - before, os.fstat(memory.fd).st_blocks // 2
    print(f"{ATTACK}: {grown} KiB more of the process resident, {allocated} KiB of the client's "
          f"{memory.size >> 10} KiB allocated", flush=True)
    if grown > 64 << 10 or allocated > 1 << 10:
        fail("holes are filled")
    driver.close()
    memory.close()


def sparse_stays():
    """A client with 6 GiB, some of it there, which stays until the process ends."""
    memory = Memory(6 << 30, name="holes")
    memory.map[0:256 << 20] = b"x" * (256 << 20)
    driver = good()
    driver.link.client.table([driver.memory.region(), memory.region(1 << 40)],
                             [driver.memory.fd, memory.fd])
    print(f"{ATTACK}: connected", flush=True)
    driver.link.client.sock.settimeout(60)
    if driver.link.client.sock.recv(1) != b"":
        fail("it is not dropped")
    sys.exit(0)


def said(text):
    with open(LOG, encoding="utf-8", errors="replace") as log:
        return text in log.read()


def control_seconds():
    """Processor time of the control thread."""
    for task in os.listdir(f"/proc/{PID}/task"):
        with open(f"/proc/{PID}/task/{task}/stat", encoding="ascii") as file:
            name, rest = file.read().rsplit(")", 1)
        if name.endswith("(vduse-ctrl"):
            return sum(map(int, rest.split()[11:13])) / os.sysconf("SC_CLK_TCK")
    return fail("no control thread")


def no_descriptors():
    """The process has none left for a client: it waits, and is served when there is one again."""
    before = resource.prlimit(int(PID), resource.RLIMIT_NOFILE)
    used = set(map(int, os.listdir(f"/proc/{PID}/fd")))
    lowest = next(fd for fd in range(len(used) + 1) if fd not in used)
    resource.prlimit(int(PID), resource.RLIMIT_NOFILE, (lowest, before[1]))
    try:
        client = Client(PATH)
        until(lambda: said("raise the limit of open files"), "nothing is said")
        # Not again and again meanwhile.
        before_s = control_seconds()
        time.sleep(3)
        if control_seconds() - before_s > 1:
            fail("the control thread spins")
    finally:
        resource.prlimit(int(PID), resource.RLIMIT_NOFILE, before)
    with client:
        client.features()


# Pieces of a request, requests, and disks: each lost page would make two mappings of one.
LOST_PIECES, LOST_REQUESTS, LOST_DISKS = 400, 11, 20


def lost_ring(rings, buffers):
    """Requests that read into one byte of every second page of the buffers."""
    page = 0
    for i in range(LOST_REQUESTS):
        head, status, table = 0x1000 + 32 * i, 0x1800 + i, 0x2000 * (i + 1)
        struct.pack_into("<IIQ", rings.map, head, T_IN, 0, 0)
        parts = [(rings.first + head, 16, 0)]
        for _ in range(LOST_PIECES):
            parts.append((buffers.first + 2 * 4096 * page, 1, 2))
            page += 1
        parts.append((rings.first + 0x80000, 512 - LOST_PIECES, 2))
        parts.append((rings.first + status, 1, 2))
        for j, (address, size, flags) in enumerate(parts):
            more = 1 if j + 1 < len(parts) else 0
            struct.pack_into("<QIHH", rings.map, table + 16 * j, address, size, flags | more, j + 1)
        struct.pack_into("<QIHH", rings.map, 16 * i, rings.first + table, 16 * len(parts), 4, 0)
        struct.pack_into("<H", rings.map, 0x404 + 2 * i, i)
    struct.pack_into("<H", rings.map, 0x402, LOST_REQUESTS)


def lost_pages():
    """Buffers in a file that is truncated, touched in more places than a process has mappings."""
    def nb_maps():
        with open(f"/proc/{PID}/maps", encoding="utf-8") as maps:
            return sum(1 for _ in maps)

    def stopped():
        with open(LOG, encoding="utf-8", errors="replace") as log:
            return sum("took away memory in use" in line for line in log)

    buffers = Memory(2 * 4096 * LOST_PIECES * LOST_REQUESTS, 1 << 30, "lost-pages")
    rings = [Memory(1 << 20, name="lost-rings") for _ in range(LOST_DISKS)]
    before, maps_before = stopped(), nb_maps()
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(Client(os.path.join(os.path.dirname(PATH), f"lost{i}.sock")))
                   for i in range(LOST_DISKS)]
        for client, memory in zip(clients, rings):
            client.negotiate(vu.F_VERSION_1 | F_INDIRECT)
            client.table([memory.region(), buffers.region()], [memory.fd, buffers.fd])
            lost_ring(memory, buffers)
        os.ftruncate(buffers.fd, 0)
        for client, memory in zip(clients, rings):
            client.vring(0, memory.first, size=64)
        until(lambda: stopped() >= before + LOST_DISKS, "the disks do not stop", 30)
        grown = nb_maps() - maps_before
        print(f"{ATTACK}: {grown} mappings more", flush=True)
        if grown > 10 * LOST_DISKS:
            fail("the driver makes mappings")
    for memory in rings + [buffers]:
        memory.close()


if ATTACK == "sparse_stays":
    sparse_stays()
before_all = nb_fds()
watched(globals().get(ATTACK) or getattr(iommu_attack, ATTACK))
# The attacked disk is served again, and nothing of the attack is left.
until(lambda: nb_fds() <= before_all, f"{before_all} open files became {nb_fds()}")
last = good()
request(last)
last.close()
