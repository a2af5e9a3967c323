/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Disks in Ceph images, on a simulated cluster (fake_rbd.h): data compared with a model, operations
 * that finish late, in any order, with errors or not at once, and the lock of an image.
 */
#include "loopback_blk.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include <rbd/librbd.h>

#include <rte_vduse_compat.h>

#include "fake_rbd.h"

#define ARGS  "pool=pool,image=image"
#define DEPTH 16u
#define SLOTS 500u /* more than DEPTH and the room of any ring for it */
#define PIECE 1024u

static char run_dir[] = "/tmp/vduse-unit-XXXXXX";
static struct rte_vduse_blk_backend *backend;
static struct rte_vduse_blk_channel *channel;
static struct rte_vduse_blk_io ios[SLOTS];
static struct iovec iovs[SLOTS][2];
static uint8_t memory[SLOTS][PIECE];

static int
try_open(const char *args, bool read_only)
{
	struct rte_vduse_blk_backend_conf conf = {
		.device = "unit0", .args = args, .read_only = read_only, .socket_id = -1
	};

	return vblk_backend_open("rbd", &conf, &backend);
}

static int
setup(void **state)
{
	RTE_SET_USED(state);
	memset(fake_rbd.data, 0, sizeof(fake_rbd.data));
	memset(fake_rbd.stable, 0, sizeof(fake_rbd.stable));
	fake_rbd.features = RBD_FEATURE_EXCLUSIVE_LOCK;
	fake_rbd.flushes = fake_rbd.most = fake_rbd.broken = fake_rbd.called_back = 0;
	fake_rbd_start();
	assert_int_equal(try_open(ARGS, false), 0);
	assert_int_equal(vblk_channel_open(backend, DEPTH, &channel), 0);
	unit_log_clear();
	return 0;
}

static int
teardown(void **state)
{
	RTE_SET_USED(state);
	backend->ops->channel_close(channel);
	vblk_backend_close(backend);
	fake_rbd_stop();
	assert_int_equal(fake_rbd.completions, 0);
	assert_int_equal(fake_rbd.images + fake_rbd.pools + fake_rbd.clusters, 0);
	assert_string_equal(fake_rbd.owner, "");
	return 0;
}

/* Two vectors of a slot's memory. */
static struct rte_vduse_blk_io *
prepare(unsigned int slot, enum rte_vduse_blk_op op, uint64_t offset)
{
	struct rte_vduse_blk_io *io = &ios[slot];

	iovs[slot][0] = (struct iovec){ memory[slot], 512 };
	iovs[slot][1] = (struct iovec){ memory[slot] + 512, PIECE - 512 };
	*io = (struct rte_vduse_blk_io){
		.op = op,
		.iov = iovs[slot],
		.nb_iov = 2,
		.offset = offset,
		.len = PIECE,
		.result = 1,
	};
	return io;
}

static void
submit(struct rte_vduse_blk_io *io)
{
	assert_int_equal(backend->ops->submit(channel, &io, 1), 1);
}

static struct rte_vduse_blk_io *
poll_one(void)
{
	struct rte_vduse_blk_io *io = NULL;

	/* The test's time limit is the end of it. */
	while (backend->ops->poll(channel, &io, 1) == 0)
		sched_yield();
	return io;
}

static int
run(struct rte_vduse_blk_io *io)
{
	submit(io);
	assert_ptr_equal(poll_one(), io);
	return io->result;
}

/* Each slot works on a place of its own, so what is there is known whatever the order. */
static void
test_model(void **state)
{
	static uint8_t model[SLOTS][PIECE];
	unsigned int round, i, n;

	RTE_SET_USED(state);
	memset(model, 0, sizeof(model));
	srand(7);
	for (round = 0; round < 60; round++) {
		for (i = 0; i < DEPTH; i++) {
			static const enum rte_vduse_blk_op kinds[] = { RTE_VDUSE_BLK_READ,
								       RTE_VDUSE_BLK_WRITE,
								       RTE_VDUSE_BLK_ZERO,
								       RTE_VDUSE_BLK_FLUSH };
			struct rte_vduse_blk_io *io = prepare(i, kinds[rand() % 4], i * PIECE);

			io->fua = rand() % 2;
			io->unmap = rand() % 2;
			memset(memory[i], io->op == RTE_VDUSE_BLK_WRITE ? rand() % 256 : 0xee,
			       PIECE);
			if (io->op == RTE_VDUSE_BLK_WRITE)
				memcpy(model[i], memory[i], PIECE);
			else if (io->op == RTE_VDUSE_BLK_ZERO)
				memset(model[i], 0, PIECE);
			submit(io);
		}
		for (n = 0; n < DEPTH; n++)
			assert_int_equal(poll_one()->result, 0);
		for (i = 0; i < DEPTH; i++) {
			if (ios[i].op == RTE_VDUSE_BLK_READ)
				assert_memory_equal(memory[i], model[i], PIECE);
			if (ios[i].fua &&
			    (ios[i].op == RTE_VDUSE_BLK_WRITE || ios[i].op == RTE_VDUSE_BLK_ZERO))
				assert_memory_equal(fake_rbd.stable + i * PIECE, model[i], PIECE);
			assert_memory_equal(fake_rbd.data + i * PIECE, model[i], PIECE);
		}
	}
}

static void
test_fua(void **state)
{
	struct rte_vduse_blk_io *io = prepare(0, RTE_VDUSE_BLK_WRITE, 0);

	RTE_SET_USED(state);
	memset(memory[0], 0x5a, PIECE);
	assert_int_equal(run(io), 0);
	assert_int_equal(fake_rbd.flushes, 0);
	assert_int_equal(fake_rbd.stable[0], 0);
	io = prepare(0, RTE_VDUSE_BLK_WRITE, 0);
	io->fua = true;
	assert_int_equal(run(io), 0);
	assert_int_equal(fake_rbd.flushes, 1);
	assert_memory_equal(fake_rbd.stable, memory[0], PIECE);
	/* The flush after it fails: so does the write. One that failed is not flushed. */
	fake_rbd.refuse_error = -EIO;
	io = prepare(0, RTE_VDUSE_BLK_WRITE, 0);
	io->fua = true;
	fake_rbd_hold(true);
	submit(io);
	fake_rbd.refuse = 1;
	fake_rbd_hold(false);
	assert_ptr_equal(poll_one(), io);
	assert_int_equal(io->result, -EIO);
	io = prepare(0, RTE_VDUSE_BLK_WRITE, 0);
	io->fua = true;
	fake_rbd.fail = 1;
	fake_rbd.fail_error = -ENOSPC;
	assert_int_equal(run(io), -ENOSPC);
	assert_int_equal(fake_rbd.flushes, 1);
}

static bool
are_called_back(void *arg)
{
	unsigned int nb;

	RTE_SET_USED(arg);
	pthread_mutex_lock(&fake_rbd.lock);
	nb = fake_rbd.called_back;
	pthread_mutex_unlock(&fake_rbd.lock);
	return nb == SLOTS;
}

/* More than the channel was opened for finish before a poll: each comes back, once. */
static void
test_more_than_depth(void **state)
{
	struct rte_vduse_blk_io *io;
	unsigned int i;

	RTE_SET_USED(state);
	fake_rbd_hold(true);
	for (i = 0; i < SLOTS; i++)
		submit(prepare(i, RTE_VDUSE_BLK_READ, i * PIECE));
	assert_int_equal(fake_rbd.most, SLOTS);
	fake_rbd_hold(false);
	assert_true(unit_wait(are_called_back, NULL));
	for (i = 0; i < SLOTS; i++) {
		assert_int_equal(backend->ops->poll(channel, &io, 1), 1);
		assert_int_equal(io->result, 0);
		io->result = 2;
	}
	assert_int_equal(backend->ops->poll(channel, &io, 1), 0);
}

static void
test_errors(void **state)
{
	RTE_SET_USED(state);
	fake_rbd.fail = 1;
	fake_rbd.fail_error = -EIO;
	assert_int_equal(run(prepare(0, RTE_VDUSE_BLK_READ, 0)), -EIO);
	fake_rbd.fail = 1;
	fake_rbd.fail_error = -EOPNOTSUPP;
	assert_int_equal(run(prepare(0, RTE_VDUSE_BLK_ZERO, 0)), -ENOTSUP);
	fake_rbd.cut = 1;
	assert_int_equal(run(prepare(0, RTE_VDUSE_BLK_READ, 0)), -EIO);
	fake_rbd.refuse = 1;
	fake_rbd.refuse_error = -EROFS;
	assert_int_equal(run(prepare(0, RTE_VDUSE_BLK_WRITE, 0)), -EROFS);
	assert_int_equal(run(prepare(0, RTE_VDUSE_BLK_ERASE, 0)), -ENOTSUP);
	/* The image became shorter than the disk. */
	fake_rbd.size = 0;
	assert_int_equal(run(prepare(0, RTE_VDUSE_BLK_READ, 0)), -EIO);
	fake_rbd.size = FAKE_RBD_SIZE;
	assert_int_equal(run(prepare(0, RTE_VDUSE_BLK_READ, 0)), 0);
}

/* librbd has no room now: that is no error of the disk. The flush of FUA is tried again, too. */
static void
test_try_again(void **state)
{
	struct rte_vduse_blk_io *io = prepare(0, RTE_VDUSE_BLK_WRITE, 0);

	RTE_SET_USED(state);
	memset(memory[0], 0x77, PIECE);
	fake_rbd.refuse_error = -EAGAIN;
	fake_rbd.refuse = 3;
	assert_int_equal(run(io), 0);
	assert_memory_equal(fake_rbd.data, memory[0], PIECE);
	io = prepare(0, RTE_VDUSE_BLK_WRITE, PIECE);
	io->fua = true;
	fake_rbd_hold(true);
	submit(io);
	fake_rbd.refuse = 3;
	fake_rbd_hold(false);
	assert_ptr_equal(poll_one(), io);
	assert_int_equal(io->result, 0);
	assert_memory_equal(fake_rbd.stable + PIECE, memory[0], PIECE);
}

static void
lock_path(char *path, size_t size)
{
	snprintf(path, size, "%s/rbd-00000000-0000-0000-0000-000000000001-1-1.lock", run_dir);
}

/* Opens it once more, as another process would. */
static int
open_again(void)
{
	struct rte_vduse_blk_backend *first = backend;
	int ret = try_open(ARGS, false);

	if (ret == 0)
		vblk_backend_close(backend);
	backend = first;
	return ret;
}

static void
test_lock(void **state)
{
	char path[128], owner[64] = "";
	int fd;

	RTE_SET_USED(state);
	lock_path(path, sizeof(path));
	assert_string_equal(fake_rbd.owner, FAKE_RBD_SELF);
	fd = open(path, O_RDWR);
	assert_true(fd >= 0);
	assert_int_equal(read(fd, owner, sizeof(owner) - 1), strlen(FAKE_RBD_SELF));
	assert_string_equal(owner, FAKE_RBD_SELF);
	/* While this process lives, its lock is not broken. */
	assert_int_equal(open_again(), -EBUSY);
	assert_int_equal(fake_rbd.broken, 0);
	assert_int_equal(unit_log_count("somebody else writes to it"), 1);
	vblk_backend_close(backend);
	assert_int_equal(access(path, F_OK), -1);
	/* Somebody of whom this machine knows nothing has it. */
	strcpy(fake_rbd.owner, "client.1");
	assert_int_equal(open_again(), -EBUSY);
	assert_int_equal(fake_rbd.broken, 0);
	/* A process of this machine was killed with it. */
	close(fd);
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	assert_int_equal(write(fd, "client.1", 8), 8);
	close(fd);
	assert_int_equal(try_open(ARGS, false), 0);
	assert_int_equal(fake_rbd.broken, 1);
	assert_string_equal(fake_rbd.owner, FAKE_RBD_SELF);
}

/* What does not open leaves nothing open. */
static void
test_refused(void **state)
{
	static const char *const args[] = {
		"pool=pool",
		"image=image",
		"pool=none,image=image",
		"pool=pool,image=none",
		ARGS ",conf=/nowhere",
		ARGS ",timeout=soon",
		ARGS ",what=1",
	};
	struct rte_vduse_blk_backend *first = backend;
	unsigned int i;

	RTE_SET_USED(state);
	for (i = 0; i < RTE_DIM(args); i++)
		assert_true(try_open(args[i], true) < 0);
	fake_rbd.connect_error = -ETIMEDOUT;
	assert_int_equal(try_open(ARGS, true), -ETIMEDOUT);
	fake_rbd.connect_error = 0;
	/* A reader needs no lock. */
	assert_int_equal(try_open(ARGS, true), 0);
	assert_true(backend->limits.read_only);
	assert_int_equal(backend->limits.size, FAKE_RBD_SIZE);
	backend->ops->close(backend);
	backend = first;
	assert_int_equal(fake_rbd.images, 1);
	assert_int_equal(fake_rbd.pools, 1);
	assert_int_equal(fake_rbd.clusters, 1);
}

/* A driver resets its device while the cluster has a request: it waits for that one. */
static void
test_late(void **state)
{
	struct blk_piece pieces[] = { { BLK_HDR, false, 0 }, { 512, true, 0 }, { 1, true, 0 } };
	struct virtio_blk_outhdr hdr = { .type = VIRTIO_BLK_T_IN };
	struct loopback_blk blk = { 0 };

	RTE_SET_USED(state);
	fake_rbd_start();
	loopback_blk_create(&blk, "rbd", ARGS, 64, false);
	blk.features = BLK_FEATURES & ~FEATURE(VIRTIO_BLK_F_SECURE_ERASE);
	loopback_blk_up(&blk);
	fake_rbd_hold(true);
	loopback_blk_post(&blk, loopback_blk_chain(&blk, pieces, 3, &hdr));
	loopback_blk_poll(&blk);
	assert_int_equal(fake_rbd.in_flight, 1);
	loopback_blk_reset_send(&blk);
	assert_false(loopback_blk_answered(&blk, 50));
	fake_rbd_hold(false);
	assert_true(loopback_blk_answered(&blk, UNIT_PATIENCE_MS));
	assert_int_equal(fake_rbd.completions, 0);
	loopback_blk_destroy(&blk);
	fake_rbd_stop();
	assert_int_equal(fake_rbd.images + fake_rbd.pools + fake_rbd.clusters, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_model, setup, teardown),
		cmocka_unit_test_setup_teardown(test_fua, setup, teardown),
		cmocka_unit_test_setup_teardown(test_more_than_depth, setup, teardown),
		cmocka_unit_test_setup_teardown(test_errors, setup, teardown),
		cmocka_unit_test_setup_teardown(test_try_again, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lock, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
		cmocka_unit_test(test_late),
	};
	int failed;

	if (unit_init() < 0 || mkdtemp(run_dir) == NULL)
		return 1;
	setenv("DPDK_VDUSE_RUN_DIR", run_dir, 1);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	(void)rmdir(run_dir);
	return unit_done(failed);
}
