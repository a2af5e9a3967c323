/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * The size of a file as the driver sees it: bytes that are not served are logged, and a driver that
 * was there before the process gets the new size.
 */
#include "create_over.h"
#include "loopback_blk.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <rte_memory.h>

#define RING 64u

static struct loopback_blk blk;
static char path[64], args[96];
static int fd = -1;

static void
create(off_t size)
{
	strcpy(path, "/var/tmp/unit-blk-XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, size), 0);
	snprintf(args, sizeof(args), "path=%s", path);
	unit_log_clear();
	loopback_blk_create(&blk, "file", args, RING, false);
	loopback_blk_up(&blk);
}

static void
destroy(void)
{
	loopback_blk_destroy(&blk);
	unlink(path);
	close(fd);
}

static uint64_t
capacity(void)
{
	struct virtio_blk_config config;

	vduse_loopback_config(blk.loop, 0, &config, sizeof(config));
	return config.capacity;
}

static void
not_served(void **state)
{
	uint8_t byte[BLK_SECTOR];

	RTE_SET_USED(state);
	create(0);
	assert_int_equal(unit_log_count("unit0: its backend is empty"), 1);
	assert_int_equal(capacity(), 0);
	assert_int_equal(loopback_blk_do(&blk, VIRTIO_BLK_T_IN, 0, byte, BLK_SECTOR),
			 VIRTIO_BLK_S_IOERR);
	/* Larger, but less than a block; again, which is no news. */
	assert_int_equal(ftruncate(fd, 511), 0);
	assert_int_equal(rte_vduse_blk_resize(blk.blk), 0);
	assert_int_equal(capacity(), 0);
	destroy();
	create(511);
	assert_int_equal(unit_log_count("unit0: the last 511 of 511 bytes are not served"), 1);
	assert_int_equal(capacity(), 0);
	assert_int_equal(ftruncate(fd, 3 * BLK_SECTOR + 7), 0);
	assert_int_equal(rte_vduse_blk_resize(blk.blk), 0);
	assert_int_equal(unit_log_count("unit0: the last 7 of 1543 bytes are not served"), 1);
	assert_int_equal(capacity(), 3);
	destroy();
	create(3 * BLK_SECTOR);
	assert_int_equal(unit_log_count("not served"), 0);
	destroy();
}

/* The file grew meanwhile: a driver that reconnects gets the new size without a SIGHUP. */
static void
grown(void **state)
{
	uint64_t told;

	RTE_SET_USED(state);
	create(8 * BLK_SECTOR);
	destroy();
	create(16 * BLK_SECTOR);
	told = vduse_loopback_config_changes(blk.loop);
	/* Its driver may be one that was there before: a front end that connects again. */
	assert_true(told >= 1);
	loopback_blk_up(&blk);
	assert_int_equal(vduse_loopback_config_changes(blk.loop), told + 1);
	assert_int_equal(capacity(), 16);
	destroy();
}

/* A device that the kernel kept has the configuration space of the process before. */
static void
grown_taken_over(void **state)
{
	struct rte_vduse_blk_conf conf = {
		.size = sizeof(struct rte_vduse_blk_conf),
		.path = "/dev/vduse/unit0",
		.queues = 1,
		.queue_size = RING,
		.backend = "ram",
		.backend_args = "size=64K",
		.socket_id = SOCKET_ID_ANY,
	};
	struct vduse_loopback *loop = vduse_loopback_new();
	struct virtio_blk_config config;
	struct rte_vduse_blk *taken;

	RTE_SET_USED(state);
	assert_non_null(loop);
	vduse_loopback_leave(loop, NULL);
	vduse_loopback_set_features(loop, FEATURE(VIRTIO_F_VERSION_1) |
						  FEATURE(VIRTIO_F_ACCESS_PLATFORM));
	assert_int_equal(create_blk_over(&conf, &vduse_transport_loopback, loop, &taken), 0);
	assert_int_equal(rte_vduse_blk_start(taken, RTE_VDUSE_ATTACH_NONE), 0);
	vduse_loopback_config(loop, 0, &config, sizeof(config));
	assert_int_equal(config.capacity, 65536 / BLK_SECTOR);
	rte_vduse_blk_destroy(taken);
	vduse_loopback_free(loop);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(not_served),
		cmocka_unit_test(grown),
		cmocka_unit_test(grown_taken_over),
	};

	if (unit_init() < 0)
		return 1;
	return unit_done(cmocka_run_group_tests(tests, NULL, NULL));
}
