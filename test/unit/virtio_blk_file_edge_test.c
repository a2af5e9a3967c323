/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * 512-byte logical blocks on a file that needs aligned blocks of 4096 bytes: a loop device with
 * such sectors, which refuses anything else, and a regular file treated like one, which may end
 * within a block. Two queues write, zero and discard at random places of a small region, several at
 * a time. Afterwards each sector has the data of one of the last writes to it, and not of a write
 * that had completed before another one began.
 */
#include "loopback_blk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/loop.h>

#include <rte_memory.h>

#include <virtio_blk/backend/file.h>

#define RING     64u
#define ALIGN    4096u
#define SECTORS  64u
#define SIZE     (SECTORS * BLK_SECTOR)
#define CHANNELS 2u
#define DEPTH    16u
#define SPAN     24u  /* sectors of the longest operation */
#define OPS      100u /* of a round */

#define ANY UINT32_MAX /* a discard's */

static char path[64], loop_path[32], args[96];
static int fd = -1, loop_fd = -1;
static struct rte_vduse_blk_backend *backend;
static struct rte_vduse_blk_channel *channels[CHANNELS];

/* One operation of the test. */
struct op {
	struct rte_vduse_blk_io io;
	struct iovec iov[2];
	uint8_t memory[SPAN * BLK_SECTOR + 64];
	uint32_t id;
	bool busy;
};
static struct op ops[CHANNELS][DEPTH];

/* What a sector may hold: versions of operations that nothing later replaced. */
struct version {
	uint32_t id;         /* 0: zeroes */
	const struct op *op; /* NULL: it is done */
};
static struct version versions[SECTORS][2 * CHANNELS * DEPTH + 2];
static unsigned int nb_versions[SECTORS];
static uint32_t next_id;
static uint64_t seed;

static uint32_t
draw(uint32_t below)
{
	seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (uint32_t)(seed >> 33) % below;
}

static void
fill(uint8_t *at, uint32_t id, uint32_t sector)
{
	uint64_t word = id == 0 ? 0 : (uint64_t)id << 32 | sector;
	unsigned int i;

	for (i = 0; i < BLK_SECTOR; i += sizeof(word))
		memcpy(at + i, &word, sizeof(word));
}

static void
make_file(uint32_t size)
{
	strcpy(path, "/var/tmp/unit-blk-XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, size), 0);
}

/* Memory is quicker, and does not take part in what is tested. */
static void
make_memory(uint32_t size)
{
	path[0] = '\0';
	fd = unit_memfd("unit-blk", size);
}

/* A loop device with sectors of 4096 bytes. False: this machine gives us none. */
static bool
make_loop(void)
{
	struct loop_config config = { .fd = (uint32_t)fd, .block_size = ALIGN };
	int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC), tries, nr;

	if (control < 0)
		return false;
	for (tries = 0; tries < 20 && loop_fd < 0; tries++) {
		nr = ioctl(control, LOOP_CTL_GET_FREE);
		snprintf(loop_path, sizeof(loop_path), "/dev/loop%d", nr);
		loop_fd = nr < 0 ? -1 : open(loop_path, O_RDWR | O_CLOEXEC);
		/* Somebody else may take it first. */
		if (loop_fd >= 0 && ioctl(loop_fd, LOOP_CONFIGURE, &config) < 0) {
			close(loop_fd);
			loop_fd = -1;
		}
	}
	close(control);
	if (loop_fd >= 0)
		snprintf(args, sizeof(args), "path=%s,direct=1", loop_path);
	return loop_fd >= 0;
}

static void
remove_file(void)
{
	if (loop_fd >= 0) {
		assert_int_equal(ioctl(loop_fd, LOOP_CLR_FD), 0);
		close(loop_fd);
		loop_fd = -1;
	}
	close(fd);
	if (path[0] != '\0')
		unlink(path);
}

static void
open_channels(void)
{
	unsigned int i;

	for (i = 0; i < CHANNELS; i++)
		assert_int_equal(vblk_channel_open(backend, DEPTH, &channels[i]), 0);
}

static void
open_backend(void)
{
	struct rte_vduse_blk_backend_conf conf = { .device = "unit0",
						   .args = args,
						   .socket_id = SOCKET_ID_ANY };

	assert_int_equal(vblk_backend_open("file", &conf, &backend), 0);
	next_id = 1;
	memset(nb_versions, 0, sizeof(nb_versions));
	memset(ops, 0, sizeof(ops));
}

static void
close_backend(void)
{
	unsigned int i;

	for (i = 0; i < CHANNELS; i++)
		backend->ops->channel_close(channels[i]);
	vblk_backend_close(backend);
	remove_file();
}

/* A file that is taken for one with larger blocks, and that ends within one. */
static void
open_as_if(bool direct)
{
	struct file_backend *file;

	make_file(SIZE - 3 * BLK_SECTOR);
	snprintf(args, sizeof(args), "path=%s,direct=%d", path, direct);
	open_backend();
	file = (struct file_backend *)backend;
	file->hole_align = ALIGN;
	if (direct) {
		file->io_align = ALIGN;
		file->cached_fd = open(path, O_RDWR | O_CLOEXEC);
		assert_true(file->cached_fd >= 0);
	}
	open_channels();
}

static uint32_t
nb_sectors(void)
{
	return (uint32_t)(backend->limits.size / BLK_SECTOR);
}

/* A sector is written: what was there before is not to be found any more. */
static void
version_begin(uint32_t sector, const struct op *op)
{
	struct version *list = versions[sector];
	unsigned int i, n = 0;

	for (i = 0; i < nb_versions[sector]; i++)
		if (list[i].op != NULL)
			list[n++] = list[i];
	assert_true(n < RTE_DIM(versions[0]));
	list[n++] = (struct version){ op->id, op };
	nb_versions[sector] = n;
}

static void
version_end(uint32_t sector, const struct op *op)
{
	unsigned int i;

	for (i = 0; i < nb_versions[sector]; i++)
		if (versions[sector][i].op == op)
			versions[sector][i].op = NULL;
}

static void
check_sector(const uint8_t *found, uint32_t sector)
{
	uint8_t expected[BLK_SECTOR];
	uint64_t word;
	unsigned int i;

	for (i = 0; i < nb_versions[sector]; i++) {
		if (versions[sector][i].id == ANY)
			return;
		fill(expected, versions[sector][i].id, sector);
		if (memcmp(found, expected, BLK_SECTOR) == 0)
			return;
	}
	memcpy(&word, found, sizeof(word));
	if (nb_versions[sector] > 0)
		fail_msg("sector %u holds 0x%llx, not one of %u, such as of %u", sector,
			 (unsigned long long)word, nb_versions[sector], versions[sector][0].id);
}

static void
op_begin(struct op *op, enum rte_vduse_blk_op kind, uint32_t sector, uint32_t nb)
{
	uint8_t *memory = op->memory + draw(2) * draw(33);
	uint32_t len = nb * BLK_SECTOR, first = draw(3) == 0 ? draw(len - 1) + 1 : len, i;

	op->id = kind == RTE_VDUSE_BLK_ZERO ? 0 : kind == RTE_VDUSE_BLK_DISCARD ? ANY : next_id++;
	op->busy = true;
	op->io = (struct rte_vduse_blk_io){
		.op = kind,
		.fua = draw(16) == 0,
		.unmap = draw(2) == 0,
		.iov = op->iov,
		.nb_iov = first == len ? 1 : 2,
		.offset = (uint64_t)sector * BLK_SECTOR,
		.len = len,
	};
	op->iov[0] = (struct iovec){ memory, first };
	op->iov[1] = (struct iovec){ memory + first, len - first };
	for (i = 0; i < nb && kind == RTE_VDUSE_BLK_WRITE; i++)
		fill(memory + i * BLK_SECTOR, op->id, sector + i);
	for (i = 0; i < nb && kind != RTE_VDUSE_BLK_READ; i++)
		version_begin(sector + i, op);
}

/* Where an operation was: a discard may have been made shorter. */
static void
op_end(struct op *op)
{
	uint32_t sector;

	assert_int_equal(op->io.result, 0);
	for (sector = 0; sector < SECTORS; sector++)
		version_end(sector, op);
	op->busy = false;
}

static void
poll_one(unsigned int c)
{
	struct rte_vduse_blk_io *done[DEPTH];
	uint16_t n, i;

	n = backend->ops->poll(channels[c], done, DEPTH);
	for (i = 0; i < n; i++)
		op_end(container_of(done[i], struct op, io));
}

static void
poll_all(void)
{
	unsigned int c;

	for (c = 0; c < CHANNELS; c++)
		poll_one(c);
}

static bool
all_idle(void)
{
	unsigned int c, i;

	for (c = 0; c < CHANNELS; c++)
		for (i = 0; i < DEPTH; i++)
			if (ops[c][i].busy)
				return false;
	return true;
}

static void
wait_idle(void)
{
	unsigned int ms;

	for (ms = 0; !all_idle(); ms++) {
		assert_true(ms < UNIT_PATIENCE_MS);
		poll_all();
		unit_sleep_ms(1);
	}
}

/* One operation on one of the queues, which has no more in flight than depth. */
static void
submit_random(unsigned int depth)
{
	unsigned int c = draw(CHANNELS), i = draw(depth), kind = draw(10);
	uint32_t nb = 1 + draw(draw(2) == 0 ? 2 : SPAN), all = nb_sectors();
	struct op *op = &ops[c][i];
	struct rte_vduse_blk_io *io = &op->io;

	while (op->busy)
		poll_all();
	op_begin(op,
		 kind == 0  ? RTE_VDUSE_BLK_DISCARD
		 : kind < 3 ? RTE_VDUSE_BLK_ZERO
			    : RTE_VDUSE_BLK_WRITE,
		 draw(all - nb + 1), nb);
	while (backend->ops->submit(channels[c], &io, 1) == 0)
		poll_all();
}

/* Any stretch, through a queue and past it. */
static void
check_all(int other)
{
	uint32_t all = nb_sectors(), sector, nb, i;
	uint8_t bytes[BLK_SECTOR];
	struct rte_vduse_blk_io *io;
	struct op *op;

	for (sector = 0; sector < all; sector += nb) {
		op = &ops[draw(CHANNELS)][0];
		io = &op->io;
		nb = RTE_MIN(1 + draw(SPAN), all - sector);
		op_begin(op, RTE_VDUSE_BLK_READ, sector, nb);
		assert_int_equal(backend->ops->submit(channels[0], &io, 1), 1);
		wait_idle();
		for (i = 0; i < nb; i++) {
			check_sector((uint8_t *)op->iov[0].iov_base + i * BLK_SECTOR, sector + i);
			assert_int_equal(
				pread(other, bytes, BLK_SECTOR, (off_t)(sector + i) * BLK_SECTOR),
				BLK_SECTOR);
			check_sector(bytes, sector + i);
		}
	}
}

static void
model(int other, unsigned int depth, unsigned int rounds, uint64_t with_seed)
{
	unsigned int round, i;

	seed = with_seed;
	for (round = 0; round < rounds; round++) {
		for (i = 0; i < OPS; i++)
			submit_random(depth);
		wait_idle();
		check_all(other);
	}
	/* Whatever was written, the file is as long as before. */
	assert_int_equal(lseek(fd, 0, SEEK_END),
			 loop_fd >= 0 ? SIZE : (off_t)(SIZE - 3 * BLK_SECTOR));
	close_backend();
}

/* The device refuses what is no whole block of its own. */
static void
loop_device(void **state)
{
	unsigned int depth;

	RTE_SET_USED(state);
	for (depth = 1; depth <= DEPTH; depth *= 4) {
		make_memory(SIZE);
		if (!make_loop()) {
			remove_file();
			skip();
		}
		open_backend();
		assert_int_equal(((struct file_backend *)backend)->io_align, ALIGN);
		open_channels();
		model(loop_fd, depth, 3, depth);
	}
}

static void
file_direct(void **state)
{
	RTE_SET_USED(state);
	open_as_if(true);
	model(fd, DEPTH, 1, 7);
}

/* Through the page cache, where only zeroes and discards want whole blocks. */
static void
file_cached(void **state)
{
	RTE_SET_USED(state);
	open_as_if(false);
	model(fd, DEPTH, 1, 8);
}

static void
write_sector(unsigned int c, unsigned int i)
{
	struct rte_vduse_blk_io *io = &ops[c][i].io;

	op_begin(&ops[c][i], RTE_VDUSE_BLK_WRITE, 1, 1);
	assert_int_equal(backend->ops->submit(channels[c], &io, 1), 1);
}

static bool
first_is_done(void *arg)
{
	poll_one(0);
	return !((struct op *)arg)->busy;
}

/*
 * A write waits for two of another queue that share a block with it. However long the first one of
 * them takes, the second one has its own time; the wait ends when that queue is not polled.
 */
static void
waits_for_each(void **state)
{
	struct op *op = &ops[1][0];
	struct rte_vduse_blk_io *failed = NULL;
	uint32_t since;

	RTE_SET_USED(state);
	open_as_if(true);
	write_sector(0, 0);
	write_sector(0, 1);
	write_sector(1, 0);
	poll_one(1);
	since = file_io(&op->io)->since;
	assert_int_not_equal(since, 0);
	/* As if that was an hour ago. */
	file_io(&op->io)->since = (since - 3600 * 1000) | 1;
	assert_true(unit_wait(first_is_done, &ops[0][0]));
	assert_true(ops[0][1].busy);
	/* One that fails is returned by the next poll. */
	poll_one(1);
	poll_one(1);
	assert_true(op->busy);
	file_io(&op->io)->since = (since - 3600 * 1000) | 1;
	assert_int_equal(backend->ops->poll(channels[1], &failed, 1), 0);
	assert_int_equal(backend->ops->poll(channels[1], &failed, 1), 1);
	assert_ptr_equal(failed, &op->io);
	assert_int_equal(failed->result, -EAGAIN);
	assert_true(unit_wait(first_is_done, &ops[0][1]));
	close_backend();
}

/* What a driver sees, and that it is served. */
static void
announced(void **state)
{
	static struct loopback_blk blk;
	struct virtio_blk_config config;
	static uint8_t sent[BLK_BYTES], got[BLK_BYTES];
	uint32_t nb;

	RTE_SET_USED(state);
	make_memory(1 << 20);
	if (!make_loop()) {
		remove_file();
		skip();
	}
	loopback_blk_create(&blk, "file", args, RING, false);
	loopback_blk_up(&blk);
	vduse_loopback_config(blk.loop, 0, &config, sizeof(config));
	assert_int_equal(config.blk_size, BLK_SECTOR);
	assert_int_equal(config.physical_block_exp, 3);
	assert_int_equal(config.capacity, (1 << 20) / BLK_SECTOR);
	for (nb = 1; nb <= 9; nb++) {
		blk_pattern(sent, nb * BLK_SECTOR, nb);
		assert_int_equal(
			loopback_blk_do(&blk, VIRTIO_BLK_T_OUT, 3 * nb, sent, nb * BLK_SECTOR),
			VIRTIO_BLK_S_OK);
		assert_int_equal(
			loopback_blk_do(&blk, VIRTIO_BLK_T_IN, 3 * nb, got, nb * BLK_SECTOR),
			VIRTIO_BLK_S_OK);
		assert_memory_equal(sent, got, nb * BLK_SECTOR);
	}
	loopback_blk_destroy(&blk);
	remove_file();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(announced),      cmocka_unit_test(loop_device),
		cmocka_unit_test(file_direct),    cmocka_unit_test(file_cached),
		cmocka_unit_test(waits_for_each),
	};

	if (unit_init() < 0)
		return 1;
	return unit_done(cmocka_run_group_tests(tests, NULL, NULL));
}
