/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * The calls of a 32-bit process, made with its system call from this 64-bit one: two of its
 * structures are shorter, and their ioctls have other numbers. Everything else is the same.
 */
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "conform.h"
#include "dev.h"
#include "tap.h"

#define ENTRY_SIZE	28
#define INFO_SIZE	44
#define NR32_IOCTL	54

/* The number of a request with an argument of that many bytes. */
static uint32_t
request32(unsigned long request, uint32_t size)
{
	return (request & ~((unsigned long)_IOC_SIZEMASK << _IOC_SIZESHIFT)) |
		size << _IOC_SIZESHIFT;
}

/* The argument lies below 4 GiB. */
static int
ioctl32(int fd, uint32_t request, void *arg)
{
	long ret;

	asm volatile("int $0x80" : "=a"(ret)
			: "a"(NR32_IOCTL), "b"(fd), "c"(request), "d"(arg)
			: "memory", "r8", "r9", "r10", "r11");
	ret = (int32_t)ret;
	if (ret >= 0)
		return ret;
	errno = -ret;
	return -1;
}

static void
test_entry(int fd, uint8_t *arg)
{
	struct vduse_iotlb_entry entry = { .last = 0 };
	int file, file32;

	file = ioctl(fd, VDUSE_IOTLB_GET_FD, &entry);
	memset(arg, 0, ENTRY_SIZE);
	memset(arg + ENTRY_SIZE, 0x77, 8);
	file32 = ioctl32(fd, request32(VDUSE_IOTLB_GET_FD, ENTRY_SIZE), arg);
	tap_errno(file32, 0, "32 bits: get fd");
	tap(file >= 0 && memcmp(arg, &entry, offsetof(struct vduse_iotlb_entry, perm) + 1) == 0,
			"32 bits: the same region");
	tap(arg[ENTRY_SIZE] == 0x77, "32 bits: nothing behind the region");
	close(file);
	close(file32);
	memset(arg, 0xff, ENTRY_SIZE);
	tap_errno(ioctl32(fd, request32(VDUSE_IOTLB_GET_FD, ENTRY_SIZE), arg), EINVAL,
			"32 bits: get fd: no map");
	tap_errno(ioctl32(fd, request32(VDUSE_IOTLB_GET_FD, ENTRY_SIZE), NULL), EFAULT,
			"32 bits: get fd: bad pointer");
}

static void
test_info(int fd, uint8_t *arg)
{
	struct vduse_vq_info info = { .index = 1 };
	uint32_t index = 1;

	need(ioctl(fd, VDUSE_VQ_GET_INFO, &info) == 0, "vq info");
	memset(arg, 0, INFO_SIZE);
	memset(arg + INFO_SIZE, 0x77, 8);
	memcpy(arg, &index, sizeof(index));
	tap_errno(ioctl32(fd, request32(VDUSE_VQ_GET_INFO, INFO_SIZE), arg), 0, "32 bits: vq info");
	tap(memcmp(arg, &info, offsetof(struct vduse_vq_info, ready) + 1) == 0,
			"32 bits: the same ring");
	tap(arg[INFO_SIZE] == 0x77, "32 bits: nothing behind the ring");
	index = 2;
	memcpy(arg, &index, sizeof(index));
	tap_errno(ioctl32(fd, request32(VDUSE_VQ_GET_INFO, INFO_SIZE), arg), EINVAL,
			"32 bits: vq info: index 2");
}

static void
test_rest(int fd, int control, uint8_t *arg)
{
	uint64_t features = 0, features32;

	need(ioctl(fd, VDUSE_DEV_GET_FEATURES, &features) == 0, "driver features");
	tap_errno(ioctl32(fd, VDUSE_DEV_GET_FEATURES, arg), 0, "32 bits: driver features");
	memcpy(&features32, arg, sizeof(features32));
	tap(features32 == features && features != 0, "32 bits: the same features");
	tap_errno(ioctl32(fd, request32(VDUSE_DEV_GET_FEATURES, 4), arg), ENOTTY,
			"32 bits: unknown ioctl");
	tap_errno(ioctl32(control, VDUSE_GET_API_VERSION, arg), 0, "32 bits: get version");
}

/* The device has a driver of this kernel. */
void
conform_compat(int fd, int control)
{
	uint8_t *arg = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);

	need(arg != MAP_FAILED, "mmap");
	test_entry(fd, arg);
	test_info(fd, arg);
	test_rest(fd, control, arg);
	munmap(arg, 4096);
}
