/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* The device under virtio_vdpa and virtio_net: rings and bounce memory, from the device side. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "conform.h"
#include "dev.h"
#include "tap.h"

#define BOUNCE_SIZE	(2UL << 20)
#define SLOT_SIZE	512

static bool
is_zero(const uint8_t *memory, size_t size)
{
	return memory[0] == 0 && memcmp(memory, memory + 1, size - 1) == 0;
}

/* The ring of 256 entries ends within a page: nothing of the kernel's follows it. */
static void
test_ring(int fd)
{
	struct vduse_vq_info info = { .index = 0 };
	struct vduse_iotlb_entry entry;
	size_t used = 6 + 8 * DEV_VQ_SIZE;
	uint8_t *va, *end;

	tap_errno(ioctl(fd, VDUSE_VQ_GET_INFO, &info), 0, "vq info of a driver");
	tap(info.num == DEV_VQ_SIZE && info.ready == 1, "the driver's ring");
	va = dev_map(fd, info.desc_addr, MAP_SHARED, &entry);
	if (!tap(va != MAP_FAILED, "map the ring"))
		return;
	end = va + (info.device_addr - entry.start) + used;
	tap(is_zero(end, va + (entry.last - entry.start + 1) - end), "zero follows the ring");
	munmap(va, entry.last - entry.start + 1);
}

static void
test_bounce_is_zero(int fd)
{
	struct vduse_iotlb_entry entry;
	uint8_t *va = dev_map(fd, 0, MAP_SHARED, &entry);

	if (!tap(va != MAP_FAILED, "map bounce memory that nobody used"))
		return;
	tap(is_zero(va, BOUNCE_SIZE), "it is all zero");
	/* For people: memory may be too scattered for a huge page. */
	if (system("sed -n 's/^FilePmdMapped:/# mapped by huge pages:/p' "
			"/proc/$PPID/smaps_rollup"))
		printf("# no smaps_rollup\n");
	munmap(va, BOUNCE_SIZE);
}

static void
test_bounce(int fd)
{
	struct vduse_iova_info info = { 0 };
	struct vduse_iotlb_entry entry;
	void *va;

	tap_errno(ioctl(fd, VDUSE_IOTLB_GET_INFO, &info), 0, "get info of bounce memory");
	tap(info.start == 0 && info.last == BOUNCE_SIZE - 1 &&
			info.capability == VDUSE_IOVA_CAP_UMEM, "it may be replaced");
	va = dev_map(fd, 0, MAP_SHARED, &entry);
	tap(va != MAP_FAILED, "map bounce memory");
	va = dev_map(fd, 0, MAP_PRIVATE, &entry);
	tap(va == MAP_FAILED && errno == EINVAL, "bounce memory is not mapped privately");
}

static void
umem(int fd, unsigned long request, struct vduse_iova_umem arg, int error, const char *name)
{
	tap_errno(ioctl(fd, request, &arg), error, "umem: %s", name);
}

static void
test_umem(int fd)
{
	uint64_t memory = (uintptr_t)mmap(NULL, BOUNCE_SIZE, PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct vduse_iova_umem whole = { .uaddr = memory, .size = BOUNCE_SIZE }, arg = whole;
	struct vduse_iova_umem asid = { .uaddr = memory, .size = BOUNCE_SIZE, .asid = 1 };
	struct vduse_iova_umem iova = { .uaddr = memory, .size = BOUNCE_SIZE, .iova = 4096 };

	arg.size -= 4096;
	umem(fd, VDUSE_IOTLB_REG_UMEM, arg, EINVAL, "a page less");
	umem(fd, VDUSE_IOTLB_REG_UMEM, iova, EINVAL, "not at 0");
	umem(fd, VDUSE_IOTLB_REG_UMEM, asid, EINVAL, "address space 1");
	arg = whole;
	arg.uaddr++;
	umem(fd, VDUSE_IOTLB_REG_UMEM, arg, EINVAL, "unaligned");
	arg.uaddr = 4096;
	tap(ioctl(fd, VDUSE_IOTLB_REG_UMEM, &arg) < 0, "umem: no memory there");
	umem(fd, VDUSE_IOTLB_REG_UMEM, whole, 0, "register");
	umem(fd, VDUSE_IOTLB_REG_UMEM, whole, EEXIST, "register again");
	umem(fd, VDUSE_IOTLB_DEREG_UMEM, iova, EINVAL, "give back another place");
	umem(fd, VDUSE_IOTLB_DEREG_UMEM, whole, 0, "give back");
	umem(fd, VDUSE_IOTLB_DEREG_UMEM, whole, ENOENT, "give back again");
	umem(fd, VDUSE_IOTLB_REG_UMEM, whole, 0, "register once more");
}

/* A user who may lock 64 KiB. */
static int
child_register(int fd, struct vduse_iova_umem arg)
{
	struct rlimit limit = { 65536, 65536 };

	if (setrlimit(RLIMIT_MEMLOCK, &limit) < 0 || setresuid(65534, 65534, 65534) < 0)
		return 255;
	return ioctl(fd, VDUSE_IOTLB_REG_UMEM, &arg) < 0 ? errno : 0;
}

static void
test_umem_limit(int fd)
{
	void *memory = mmap(NULL, BOUNCE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			-1, 0);
	struct vduse_iova_umem whole = { .uaddr = (uintptr_t)memory, .size = BOUNCE_SIZE };
	int status = 0;
	pid_t pid = fork();

	if (pid == 0)
		_exit(child_register(fd, whole));
	waitpid(pid, &status, 0);
	tap(WIFEXITED(status) && WEXITSTATUS(status) == ENOMEM, "umem: more than may be locked");
	umem(fd, VDUSE_IOTLB_DEREG_UMEM, whole, ENOENT, "none from that");
	munmap(memory, BOUNCE_SIZE);
}

/* The process ends with its umem registered; the next one finds the kernel's memory. */
static int
test_umem_close(int fd)
{
	struct vduse_iova_umem whole = { .size = BOUNCE_SIZE };

	close(fd);
	fd = open(DEV_PATH, O_RDWR | O_NONBLOCK);
	need(fd >= 0, "open " DEV_PATH);
	umem(fd, VDUSE_IOTLB_DEREG_UMEM, whole, ENOENT, "closing gives it back");
	return fd;
}

/* Writes the mark at the start of each smallest slot, or counts how many are there. */
static unsigned int
marks(int fd, bool write)
{
	const uint64_t mark = 0x6d61726b6d61726b;
	struct vduse_iotlb_entry entry;
	uint8_t *va = dev_map(fd, 0, MAP_SHARED, &entry);
	unsigned int found = 0;
	size_t at;

	need(va != MAP_FAILED, "map bounce memory");
	for (at = 0; at < BOUNCE_SIZE; at += SLOT_SIZE) {
		if (write)
			memcpy(va + at, &mark, sizeof(mark));
		found += memcmp(va + at, &mark, sizeof(mark)) == 0;
	}
	munmap(va, BOUNCE_SIZE);
	return found;
}

/* The next process finds buffers that the driver still has, and nothing of those before. */
static int
test_next_process(int fd)
{
	unsigned int all = marks(fd, true), left;

	close(fd);
	fd = open(DEV_PATH, O_RDWR | O_NONBLOCK);
	need(fd >= 0, "open " DEV_PATH);
	left = marks(fd, false);
	printf("# %u of %u marks are left\n", left, all);
	tap(left >= DEV_VQ_SIZE, "closing keeps buffers in flight");
	tap(left < all / 2, "closing clears the rest");
	return fd;
}

static void
cpu1_online(const char *value)
{
	int file = open("/sys/devices/system/cpu/cpu1/online", O_WRONLY);

	need(file >= 0 && write(file, value, 1) == 1, "switch CPU 1");
	close(file);
}

/* Only on our module: the kernel's own would look for a CPU without end. */
static void
test_offline(int fd)
{
	uint32_t index = 0;

	need(dev_set_attr("vq0/irq_cb_affinity", "2"), "set the affinity");
	cpu1_online("0");
	tap_errno(ioctl(fd, VDUSE_VQ_INJECT_IRQ, &index), 0, "interrupt while its CPU is offline");
	tap(!dev_set_attr("vq1/irq_cb_affinity", "2"), "affinity with no CPU that is online");
	cpu1_online("1");
	tap_errno(ioctl(fd, VDUSE_VQ_INJECT_IRQ, &index), 0, "interrupt once it is online");
	tap(dev_set_attr("vq1/irq_cb_affinity", "2"), "affinity with a CPU that is online again");
}

/* Drivers of this kernel use address space 0, which has its share of the bounce memory. */
static void
test_shares(void)
{
	struct vduse_iotlb_entry_v2 first = { .last = 0 }, second = { .last = UINT64_MAX, .asid = 1 };
	struct server server;
	struct dev_arg arg;
	int control = control_open(1), fd, file;

	if (control < 0)
		return;
	dev_arg_init(&arg);
	arg.config.ngroups = 2;
	arg.config.nas = 2;
	fd = dev_make(control, &arg);
	need(dev_set_attr("bounce_size", "2097152"), "set bounce_size");
	server_start(&server, fd);
	need(dev_attach(), "vdpa dev add");
	file = ioctl(fd, VDUSE_IOTLB_GET_FD2, &first);
	tap_errno(file, 0, "version 1: bounce memory");
	tap(first.start == 0 && first.last == BOUNCE_SIZE / 2 - 1, "version 1: half of it");
	tap_errno(ioctl(fd, VDUSE_IOTLB_GET_FD2, &second), EINVAL, "version 1: none in 1");
	close(file);
	need(dev_detach(), "vdpa dev del");
	server_stop(&server);
	close(fd);
	need(dev_destroy(control, DEV_NAME) == 0, "destroy the device");
	close(control);
}

void
conform_virtio(bool ours)
{
	struct vduse_iotlb_entry entry = { .last = UINT64_MAX };
	int control = control_open(0), fd;
	struct server server;
	struct dev_arg arg;

	dev_arg_init(&arg);
	fd = dev_make(control, &arg);
	need(dev_set_attr("bounce_size", "2097152"), "set bounce_size");
	server_start(&server, fd);
	tap(dev_attach(), "attach to virtio_net");
	tap(!dev_set_attr("bounce_size", "4194304"), "bounce_size after the attach");
	test_ring(fd);
	if (ours)
		test_bounce_is_zero(fd);
	need(system("ip link set up dev $(ls /sys/bus/vdpa/devices/" DEV_NAME
			"/virtio*/net)") == 0, "ip link set up");
	test_bounce(fd);
	if (ours) {
		conform_compat(fd, control);
		conform_traffic(fd);
	}
	test_umem_limit(fd);
	test_umem(fd);
	if (ours)
		test_offline(fd);
	server_stop(&server);
	fd = test_umem_close(fd);
	if (ours)
		fd = test_next_process(fd);
	server_start(&server, fd);
	tap(dev_detach(), "detach from virtio_net");
	tap_errno(ioctl(fd, VDUSE_IOTLB_GET_FD, &entry), EINVAL, "no region without a driver");
	tap(dev_attach() && dev_detach(), "attach and detach again");
	server_stop(&server);
	close(fd);
	tap_errno(dev_destroy(control, DEV_NAME), 0, "destroy after virtio_net");
	if (ours) {
		conform_silent(control);
		conform_race_virtio(control);
		conform_killed(control);
		conform_offer();
	}
	close(control);
	test_shares();
	conform_size_virtio(ours);
}
