/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* See loopback_file.h. */
#include "loopback_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <liburing.h>

struct loopback_blk blk;
uint8_t sent[BLK_BYTES], got[BLK_BYTES];
char disk_path[64], disk_args[128];
int disk_fd = -1;

bool
disk_create_file(void)
{
	struct io_uring ring;

	disk_fd = -1;
	if (io_uring_queue_init(1, &ring, 0) < 0)
		return false;
	io_uring_queue_exit(&ring);
	strcpy(disk_path, "/var/tmp/unit-blk-XXXXXX");
	disk_fd = mkstemp(disk_path);
	assert_true(disk_fd >= 0);
	assert_int_equal(ftruncate(disk_fd, DISK_SIZE), 0);
	return true;
}

void
disk_create(const char *more)
{
	snprintf(disk_args, sizeof(disk_args), "path=%s%s", disk_path, more);
	loopback_blk_create(&blk, "file", disk_args, RING, false);
}

int
disk_setup_with(const char *more, uint64_t without, bool pinnable)
{
	if (!disk_create_file())
		return 0;
	disk_create(more);
	blk.features &= ~without;
	blk.pinnable = pinnable;
	loopback_blk_up(&blk);
	return 0;
}

int
disk_setup(void **state)
{
	RTE_SET_USED(state);
	return disk_setup_with("", 0, false);
}

int
disk_setup_direct(void **state)
{
	RTE_SET_USED(state);
	return disk_setup_with(",direct=1", 0, false);
}

int
disk_lock(short type)
{
	struct flock lock = { .l_type = type, .l_whence = SEEK_SET };

	return fcntl(disk_fd, F_OFD_SETLK, &lock);
}

int
disk_setup_no_flush(void **state)
{
	RTE_SET_USED(state);
	return disk_setup_with("", FEATURE(VIRTIO_BLK_F_FLUSH), false);
}

int
disk_teardown(void **state)
{
	RTE_SET_USED(state);
	if (disk_fd < 0)
		return 0;
	loopback_blk_destroy(&blk);
	/* The next user need not wait for the kernel to end the ring. */
	assert_int_equal(disk_lock(F_WRLCK), 0);
	unlink(disk_path);
	close(disk_fd);
	return 0;
}

void
disk_need(void)
{
	if (disk_fd < 0)
		skip();
}

uint8_t
disk_write(uint64_t sector, uint32_t len, uint32_t seed)
{
	blk_pattern(sent, len, seed);
	return loopback_blk_do(&blk, VIRTIO_BLK_T_OUT, sector, sent, len);
}

uint8_t
disk_range(uint32_t type, uint64_t sector, uint32_t nb, uint32_t flags)
{
	struct virtio_blk_discard_write_zeroes range = { .sector = sector,
							 .num_sectors = nb,
							 .flags = flags };

	return loopback_blk_do(&blk, type, 0, &range, sizeof(range));
}

void
disk_check(uint64_t sector, const uint8_t *bytes, uint32_t len)
{
	memset(got, 1, len);
	assert_int_equal(loopback_blk_do(&blk, VIRTIO_BLK_T_IN, sector, got, len), 0);
	assert_memory_equal(got, bytes, len);
	memset(got, 1, len);
	assert_int_equal(pread(disk_fd, got, len, (off_t)sector * BLK_SECTOR), len);
	assert_memory_equal(got, bytes, len);
}
