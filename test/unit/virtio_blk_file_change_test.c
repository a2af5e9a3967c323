/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * The file of a disk: the announced size and blocks; a file that shrinks, grows, has no space left
 * or is removed; and files that are refused.
 */
#include "loopback_file.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <rte_memory.h>

/* A file that becomes shorter than the disk: what is left works, the rest fails. */
static void
shrunk(void **state)
{
	RTE_SET_USED(state);
	disk_need();
	assert_int_equal(disk_write(0, BLK_PIECE, 1), VIRTIO_BLK_S_OK);
	assert_int_equal(ftruncate(disk_fd, BLK_PIECE + 100), 0);
	disk_check(0, sent, BLK_PIECE);
	assert_int_equal(loopback_blk_do(&blk, VIRTIO_BLK_T_IN, 8, got, BLK_SECTOR),
			 VIRTIO_BLK_S_IOERR);
	assert_int_equal(loopback_blk_do(&blk, VIRTIO_BLK_T_IN, 0, got, 2 * BLK_PIECE),
			 VIRTIO_BLK_S_IOERR);
	assert_int_equal(loopback_blk_do(&blk, VIRTIO_BLK_T_IN, 1000, got, BLK_SECTOR),
			 VIRTIO_BLK_S_IOERR);
	assert_int_equal(loopback_blk_stats(&blk).io_errors, 3);
	disk_check(0, sent, BLK_PIECE);
}

/* However often a file ends within a request, the request keeps its memory. */
static void
shrunk_for_long(void **state)
{
	/* Two pieces that do not lie together, and the file ends in the second. */
	const struct blk_piece pieces[] = {
		{ .len = BLK_HDR },
		{ .len = BLK_SECTOR, .write = true },
		{ .len = BLK_SECTOR, .write = true },
		{ .len = 1, .write = true },
	};
	const struct virtio_blk_outhdr header = { .type = VIRTIO_BLK_T_IN };
	const struct vblk_queue *queue = &blk.blk->queues[0];
	uint16_t i;

	RTE_SET_USED(state);
	disk_need();
	assert_int_equal(ftruncate(disk_fd, BLK_SECTOR + 100), 0);
	for (i = 0; i < 4 * RING; i++) {
		uint16_t head = loopback_blk_chain(&blk, pieces, RTE_DIM(pieces), &header);

		loopback_blk_post(&blk, head);
		assert_int_equal(loopback_blk_take(&blk), head);
		assert_int_equal(loopback_blk_status(&blk, head), VIRTIO_BLK_S_IOERR);
	}
	for (i = 0; i < RING; i++)
		assert_ptr_equal(queue->requests[i].iov,
				 &queue->iov[(size_t)i * blk.blk->iov_stride]);
}

/* No more room: the write fails, all else goes on. */
static void
full(void **state)
{
	struct rlimit old, limit;

	RTE_SET_USED(state);
	disk_need();
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	limit = old;
	limit.rlim_cur = DISK_SIZE / 2;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_int_equal(disk_write(DISK_SIZE / BLK_SECTOR / 2 + 8, BLK_PIECE, 1),
			 VIRTIO_BLK_S_IOERR);
	/* Half of it fits: that is no success either. */
	assert_int_equal(disk_write(DISK_SIZE / BLK_SECTOR / 2 - 8, 2 * BLK_PIECE, 1),
			 VIRTIO_BLK_S_IOERR);
	assert_int_equal(disk_write(0, BLK_PIECE, 1), VIRTIO_BLK_S_OK);
	disk_check(0, sent, BLK_PIECE);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_int_equal(disk_write(DISK_SIZE / BLK_SECTOR / 2 + 8, BLK_PIECE, 1), VIRTIO_BLK_S_OK);
}

static uint64_t
config_capacity(void)
{
	struct virtio_blk_config config;

	vduse_loopback_config(blk.loop, 0, &config, sizeof(config));
	return config.capacity;
}

static void
resized(void **state)
{
	RTE_SET_USED(state);
	disk_need();
	assert_int_equal(config_capacity(), DISK_SIZE / BLK_SECTOR);
	assert_int_equal(disk_write(DISK_SIZE / BLK_SECTOR, BLK_SECTOR, 1), VIRTIO_BLK_S_IOERR);
	/* Grown; what is no whole block at its end is not shown. */
	assert_int_equal(ftruncate(disk_fd, 2 * DISK_SIZE + 100), 0);
	assert_int_equal(rte_vduse_blk_resize(blk.blk), 0);
	assert_int_equal(config_capacity(), 2 * DISK_SIZE / BLK_SECTOR);
	assert_int_equal(disk_write(DISK_SIZE / BLK_SECTOR, BLK_SECTOR, 1), VIRTIO_BLK_S_OK);
	disk_check(DISK_SIZE / BLK_SECTOR, sent, BLK_SECTOR);
	assert_int_equal(disk_write(2 * DISK_SIZE / BLK_SECTOR, BLK_SECTOR, 1), VIRTIO_BLK_S_IOERR);
	/* Shrunk: nothing is written after the end, because that would extend the file again. */
	assert_int_equal(ftruncate(disk_fd, DISK_SIZE / 2), 0);
	assert_int_equal(rte_vduse_blk_resize(blk.blk), 0);
	assert_int_equal(config_capacity(), DISK_SIZE / 2 / BLK_SECTOR);
	assert_int_equal(disk_write(DISK_SIZE / 2 / BLK_SECTOR, BLK_SECTOR, 1), VIRTIO_BLK_S_IOERR);
	assert_int_equal(lseek(disk_fd, 0, SEEK_END), DISK_SIZE / 2);
}

static void
removed(void **state)
{
	RTE_SET_USED(state);
	disk_need();
	assert_int_equal(unlink(disk_path), 0);
	assert_int_equal(disk_write(0, BLK_PIECE, 1), VIRTIO_BLK_S_OK);
	disk_check(0, sent, BLK_PIECE);
}

/* One line and an error for what cannot be opened. */
static void
refused(const char *backend, const char *backend_args, bool read_only, int expected)
{
	struct rte_vduse_blk_conf conf = {
		.size = sizeof(struct rte_vduse_blk_conf),
		.path = "/dev/vduse/unit1",
		.queues = 1,
		.queue_size = RING,
		.read_only = read_only,
		.backend = backend,
		.backend_args = backend_args,
		.socket_id = SOCKET_ID_ANY,
	};
	unsigned int fds = unit_fds();

	unit_log_clear();
	assert_int_equal(loopback_blk_try(&conf), expected);
	assert_int_equal(unit_log_count("unit1: "), expected < 0);
	assert_int_equal(unit_fds(), fds);
}

/* What stands in for file systems that transfer more than 4096 bytes at a time: see meson.build. */
static blksize_t wrapped_blksize;

int
__real_fstat64(int file, struct stat *st);
int
__wrap_fstat64(int file, struct stat *st);

int
__wrap_fstat64(int file, struct stat *st)
{
	int ret = __real_fstat64(file, st);

	if (ret == 0 && wrapped_blksize != 0)
		st->st_blksize = wrapped_blksize;
	return ret;
}

/* What a driver is told of a file on NFS, CephFS or ZFS. */
static void
block_of_the_file_system(void **state)
{
	static const struct {
		blksize_t blksize;
		uint8_t exponent;   /* of the physical block */
		uint32_t optimal;   /* logical blocks */
		uint32_t alignment; /* of discards, sectors */
	} known[] = {
		{ 512, 0, 0, 1 },           { 1024, 1, 0, 2 },          { 4096, 3, 0, 8 },
		{ 8192, 3, 16, 16 },        { 128 << 10, 3, 256, 256 }, { 1 << 20, 3, 2048, 2048 },
		{ 4 << 20, 3, 8192, 8192 }, { 5000, 3, 0, 8 },          { 1 << 30, 3, 0, 8 },
	};
	struct virtio_blk_config config;
	unsigned int i;

	RTE_SET_USED(state);
	disk_need();
	for (i = 0; i < RTE_DIM(known); i++) {
		loopback_blk_destroy(&blk);
		wrapped_blksize = known[i].blksize;
		disk_create("");
		wrapped_blksize = 0;
		vduse_loopback_config(blk.loop, 0, &config, sizeof(config));
		assert_int_equal(config.blk_size, 512);
		assert_int_equal(config.physical_block_exp, known[i].exponent);
		assert_int_equal(config.min_io_size, 1 << known[i].exponent);
		assert_int_equal(config.opt_io_size, known[i].optimal);
		assert_int_equal(config.discard_sector_alignment, known[i].alignment);
	}
}

static void
cannot_open(void **state)
{
	char fifo[80], fifo_args[96];

	RTE_SET_USED(state);
	disk_need();
	snprintf(fifo, sizeof(fifo), "%s.fifo", disk_path);
	snprintf(fifo_args, sizeof(fifo_args), "path=%s", fifo);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	/* It would wait for a writer. */
	refused("file", fifo_args, true, -EINVAL);
	unlink(fifo);
	refused("file", disk_args, false, -EAGAIN); /* it is in use */
	refused("file", disk_args, true, -EAGAIN);
	refused("file", NULL, false, -EINVAL);
	refused("file", "path=/nowhere/at/all", false, -ENOENT);
	refused("file", "path=/tmp", true, -EINVAL);
	refused("file", "path=/dev/null", false, -EINVAL);
	refused("file", "path=/dev/null,direct=2", false, -EINVAL);
	refused("file", "path=/dev/null,iopoll=x", false, -EINVAL);
	refused("file", "colour=red", false, -EINVAL);
	refused("nothing", NULL, false, -EINVAL);
	refused("ram", "size=1x", false, -EINVAL);
	refused("ram", "size=-1", false, -EINVAL);
	refused("null", "size=99999999999T", false, -EINVAL);
	refused("null", "size=8388607T", false, 0);
}

/* A path may hold anything; a comma is doubled. So it is for the backend below another one. */
static void
any_path(void **state)
{
	char awkward[96], text[160];

	RTE_SET_USED(state);
	disk_need();
	snprintf(awkward, sizeof(awkward), "%s=a, b[1.img,", disk_path);
	assert_int_equal(link(disk_path, awkward), 0);
	loopback_blk_destroy(&blk);
	snprintf(text, sizeof(text), "path=%s=a,, b[1.img,,,direct=0", disk_path);
	refused("file", text, false, 0);
	refused("fault", text, false, -EINVAL); /* "ram", its default, has no disk_path */
	snprintf(text, sizeof(text), "path=%s=a,, b[1.img,,,under=file,delay=1", disk_path);
	refused("fault", text, false, 0);
	snprintf(text, sizeof(text), "path=%s=a, b[1.img", disk_path);
	refused("fault", text, false, -EINVAL);
	unlink(awkward);
	disk_create("");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(shrunk, disk_setup, disk_teardown),
		cmocka_unit_test_setup_teardown(shrunk_for_long, disk_setup, disk_teardown),
		cmocka_unit_test_setup_teardown(full, disk_setup, disk_teardown),
		cmocka_unit_test_setup_teardown(resized, disk_setup, disk_teardown),
		cmocka_unit_test_setup_teardown(removed, disk_setup, disk_teardown),
		cmocka_unit_test_setup_teardown(block_of_the_file_system, disk_setup,
						disk_teardown),
		cmocka_unit_test_setup_teardown(cannot_open, disk_setup, disk_teardown),
		cmocka_unit_test_setup_teardown(any_path, disk_setup, disk_teardown),
	};

	if (unit_init() < 0)
		return 1;
	return unit_done(cmocka_run_group_tests(tests, NULL, NULL));
}
