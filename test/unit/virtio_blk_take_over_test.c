/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * A disk of a dead process, which a driver uses, and a start with other arguments: the disk
 * continues as its driver has it, or the start is refused and nothing changes.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/virtio_ids.h>

#include <rte_byteorder.h>
#include <rte_memory.h>

#include <vduse/core/device.h>

#include "create_over.h"
#include "loopback_blk.h"

#define TAKEN                                                                                      \
	(FEATURE(VIRTIO_F_VERSION_1) | FEATURE(VIRTIO_F_ACCESS_PLATFORM) |                         \
	 FEATURE(VIRTIO_BLK_F_FLUSH) | FEATURE(VIRTIO_BLK_F_BLK_SIZE))

static struct vduse_loopback *loop;
static struct rte_vduse_blk *blk;
static struct rte_vduse_blk_conf conf;
static struct rte_vduse_left left;
static char dir[64];

static int
setup(void **state)
{
	struct virtio_blk_config config = { .blk_size = rte_cpu_to_le_32(512) };

	RTE_SET_USED(state);
	strcpy(dir, "/tmp/unit-over-XXXXXX");
	assert_non_null(mkdtemp(dir));
	assert_int_equal(setenv("DPDK_VDUSE_RUN_DIR", dir, 1), 0);
	conf = (struct rte_vduse_blk_conf){
		.size = sizeof(struct rte_vduse_blk_conf),
		.path = "/dev/vduse/unit0",
		.queues = 1,
		.queue_size = 64,
		.backend = "ram",
		.backend_args = "size=1M",
		.socket_id = SOCKET_ID_ANY,
		.inflight = true,
	};
	left = (struct rte_vduse_left){
		.device_id = VIRTIO_ID_BLOCK,
		.nb_vqs = 1,
		.vq_size = 64,
		.offered = TAKEN,
		.features = TAKEN,
		.config_size = sizeof(config),
		.has_parts = true,
	};
	memcpy(left.config, &config, sizeof(config));
	loop = vduse_loopback_new();
	assert_non_null(loop);
	blk = NULL;
	unit_log_clear();
	return 0;
}

static int
teardown(void **state)
{
	char path[96];

	RTE_SET_USED(state);
	rte_vduse_blk_destroy(blk);
	vduse_loopback_free(loop);
	/* What was taken over and never served stays. */
	snprintf(path, sizeof(path), "%s/unit0.state", dir);
	(void)unlink(path);
	assert_int_equal(rmdir(dir), 0);
	return 0;
}

static int
start(void)
{
	vduse_loopback_leave(loop, &left);
	return create_blk_over(&conf, &vduse_transport_loopback, loop, &blk);
}

static void
expect_served(unsigned int lines)
{
	assert_int_equal(start(), 0);
	assert_int_equal(rte_vduse_blk_queues(blk), left.nb_vqs);
	assert_int_equal(blk->dev->vq_size, left.vq_size);
	assert_int_equal(left.features & ~blk->features, 0);
	assert_int_equal(unit_log_count("goes on as its driver has it"), lines);
}

static void
expect_refused(const char *difference)
{
	assert_int_equal(start(), -EEXIST);
	assert_int_equal(unit_log_count(difference), 1);
	assert_int_equal(unit_log_count("cannot serve it"), 1);
	assert_null(blk);
}

static void
same_arguments(void **state)
{
	RTE_SET_USED(state);
	assert_int_equal(start(), 0);
	left.offered = blk->features;
	rte_vduse_blk_destroy(blk);
	unit_log_clear();
	expect_served(0);
}

static void
other_queues(void **state)
{
	RTE_SET_USED(state);
	left.nb_vqs = 3;
	left.vq_size = 256;
	left.features |= FEATURE(VIRTIO_BLK_F_MQ);
	left.offered = 0;
	expect_served(1);
}

static void
other_rings(void **state)
{
	RTE_SET_USED(state);
	left.features |= FEATURE(VIRTIO_F_RING_PACKED) | FEATURE(VIRTIO_F_IN_ORDER);
	left.offered = 0;
	expect_served(1);
}

/* The driver computes in the block that it was told. */
static void
other_block(void **state)
{
	RTE_SET_USED(state);
	conf.block_size = 4096;
	left.offered = 0;
	expect_served(1);
	assert_int_equal(blk->block_size, 512);
	assert_int_equal(rte_le_to_cpu_32(blk->config.blk_size), 512);
}

/* A driver that reads only is served by a backend that can be written, read-only. */
static void
read_only_driver(void **state)
{
	RTE_SET_USED(state);
	left.features |= FEATURE(VIRTIO_BLK_F_RO);
	left.offered = 0;
	expect_served(0);
	assert_true(blk->read_only);
}

static void
read_only_now(void **state)
{
	RTE_SET_USED(state);
	conf.read_only = true;
	expect_refused("its driver writes");
}

/* VIRTIO_BLK_F_ZONED, which this version does not serve. */
static void
unknown_feature(void **state)
{
	RTE_SET_USED(state);
	left.features |= FEATURE(17);
	expect_refused("its driver has features 0x20000");
}

static void
no_disk(void **state)
{
	RTE_SET_USED(state);
	left.device_id = VIRTIO_ID_NET;
	expect_refused("it is no disk");
}

/* A start that fails for another reason leaves what it found, too. */
static void
state_file_taken(void **state)
{
	struct vduse_loopback *other = vduse_loopback_new();
	struct rte_vduse_blk *holder;

	RTE_SET_USED(state);
	assert_non_null(other);
	assert_int_equal(create_blk_over(&conf, &vduse_transport_loopback, other, &holder), 0);
	assert_int_equal(start(), -EBUSY);
	assert_null(blk);
	assert_true(holder->queues[0].part.data != NULL);
	rte_vduse_blk_destroy(holder);
	vduse_loopback_free(other);
	assert_int_equal(start(), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(same_arguments, setup, teardown),
		cmocka_unit_test_setup_teardown(other_queues, setup, teardown),
		cmocka_unit_test_setup_teardown(other_rings, setup, teardown),
		cmocka_unit_test_setup_teardown(other_block, setup, teardown),
		cmocka_unit_test_setup_teardown(read_only_driver, setup, teardown),
		cmocka_unit_test_setup_teardown(read_only_now, setup, teardown),
		cmocka_unit_test_setup_teardown(unknown_feature, setup, teardown),
		cmocka_unit_test_setup_teardown(no_disk, setup, teardown),
		cmocka_unit_test_setup_teardown(state_file_taken, setup, teardown),
	};

	if (unit_init() < 0)
		return 1;
	return unit_done(cmocka_run_group_tests(tests, NULL, NULL));
}
