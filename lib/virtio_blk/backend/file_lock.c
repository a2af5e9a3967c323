/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Locks a file against a second user, with the protocol of QEMU, so that its programs respect these
 * locks and the reverse: byte 100 + N is locked by a process that uses the image in way N, byte
 * 200 + N by one that permits no other process to do so. All of these are shared locks; a test for
 * an exclusive lock tells whether another process has the byte. A program that permits everything,
 * such as "qemu-img info -U", can still read. One more byte, which QEMU does not use, decides
 * between two processes of this project that start at the same time.
 *
 * Input: an open file. Output: locks that end with its file description, or before.
 * Thread: the application's; with share=1 control.
 */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>

#include <virtio_blk/backend/file.h>

/* Permission bits of QEMU. */
#define USE_READ   (1u << 0) /* reads data that must not change meanwhile */
#define USE_WRITE  (1u << 1)
#define USE_RESIZE (1u << 3)

#define NB_USES        5u
#define LOCK_USE_BASE  100
#define LOCK_DENY_BASE 200
#define LOCK_OURS      300

static int
lock_byte(int fd, off_t byte, short type)
{
	struct flock lock = {
		.l_type = type,
		.l_whence = SEEK_SET,
		.l_start = byte,
		.l_len = 1,
	};

	if (fcntl(fd, F_OFD_SETLK, &lock) == 0)
		return 0;
	return errno == EACCES ? -EAGAIN : -errno;
}

static int
lock_bytes(int fd, off_t base, unsigned int uses)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < NB_USES && ret == 0; i++)
		if (uses & 1u << i)
			ret = lock_byte(fd, base + i, F_RDLCK);
	return ret;
}

/* -EAGAIN: another file description has a lock on one of these bytes. */
static int
lock_test(int fd, off_t base, unsigned int uses)
{
	unsigned int i;

	for (i = 0; i < NB_USES; i++) {
		struct flock lock = {
			.l_type = F_WRLCK,
			.l_whence = SEEK_SET,
			.l_start = base + i,
			.l_len = 1,
		};

		if (!(uses & 1u << i))
			continue;
		if (fcntl(fd, F_OFD_GETLK, &lock) < 0)
			return -errno;
		if (lock.l_type != F_UNLCK)
			return -EAGAIN;
	}
	return 0;
}

int
file_lock_take(int fd, bool read_only)
{
	unsigned int uses = read_only ? USE_READ : USE_READ | USE_WRITE;
	unsigned int denied = USE_WRITE | USE_RESIZE;
	int ret;

	ret = lock_byte(fd, LOCK_OURS, read_only ? F_RDLCK : F_WRLCK);
	/* Lock all, then test: of two that start at once, at least one sees the other. */
	if (ret == 0)
		ret = lock_bytes(fd, LOCK_USE_BASE, uses);
	if (ret == 0)
		ret = lock_bytes(fd, LOCK_DENY_BASE, denied);
	if (ret == 0)
		ret = lock_test(fd, LOCK_USE_BASE, denied);
	if (ret == 0)
		ret = lock_test(fd, LOCK_DENY_BASE, uses);
	if (ret < 0)
		file_lock_leave(fd);
	return ret;
}

void
file_lock_leave(int fd)
{
	struct flock lock = {
		.l_type = F_UNLCK,
		.l_whence = SEEK_SET,
		.l_start = LOCK_USE_BASE,
		.l_len = LOCK_OURS + 1 - LOCK_USE_BASE,
	};

	/* Fails only for want of memory: the locks then end with the file description. */
	(void)fcntl(fd, F_OFD_SETLK, &lock);
}
