/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * The mode block: creates a device and, over the loopback, the kernel's part and a driver; lets the
 * lcores poll; destroys everything. Thread: main.
 */
#include <errno.h>

#include <linux/virtio_blk.h>
#include <linux/virtio_config.h>

#include <rte_bitops.h>
#include <rte_malloc.h>
#include <rte_vduse_compat.h>

#include "bench_block.h"
#include "conduct.h"
#include "kernel_side.h"
#include "perf_log.h"
#include "wishes.h"

static uint64_t
block_features(const struct perf_options *options, uint64_t offered)
{
	const struct perf_wish wishes[] = {
		{ RTE_BIT64(VIRTIO_F_VERSION_1) | RTE_BIT64(VIRTIO_F_ACCESS_PLATFORM) |
			  RTE_BIT64(VIRTIO_RING_F_INDIRECT_DESC) | RTE_BIT64(VIRTIO_BLK_F_FLUSH),
		  "" },
		{ options->packed ? RTE_BIT64(VIRTIO_F_RING_PACKED) : 0, "--ring packed" },
		{ options->in_order ? RTE_BIT64(VIRTIO_F_IN_ORDER) : 0, "--in-order 1" },
		{ options->queues > 1 ? RTE_BIT64(VIRTIO_BLK_F_MQ) : 0, "--queues" },
	};

	return perf_features(wishes, RTE_DIM(wishes), offered);
}

static struct rte_vduse_blk_conf
block_conf(const struct perf_options *options)
{
	return (struct rte_vduse_blk_conf){
		.size = sizeof(struct rte_vduse_blk_conf),
		.path = options->device != NULL ? options->device : RTE_VDUSE_PATH "perf",
		.queues = options->queues,
		.queue_size = options->queue_size,
		.backend = options->backend,
		.backend_args = options->backend_args,
		.socket_id = SOCKET_ID_ANY,
		.packed = true,
		.in_order = true,
		.inflight = options->inflight,
	};
}

static int
block_kernel_up(struct perf_block *block, uint64_t features)
{
	uint16_t queues = block->bench.options->queues, i;

	for (i = 0; i < queues; i++)
		perf_kernel_vq(block->loop, i, &block->driver.queues[i].ring);
	return perf_kernel_up(block->loop, &block->driver.memory, features,
			      rte_vduse_blk_dev(block->device.blk), queues);
}

static int
block_create_loopback(struct perf_block *block, const struct rte_vduse_blk_conf *conf)
{
	struct rte_vduse_blk_conf over = *conf;
	struct rte_vduse_blk *blk;
	uint64_t features;
	int ret;

	block->loop = vduse_loopback_new();
	if (block->loop == NULL)
		return -ENOMEM;
	over.transport = &vduse_transport_loopback;
	over.transport_priv = block->loop;
	ret = rte_vduse_blk_create(&over, &blk);
	if (ret < 0)
		return ret;
	block->device.blk = blk;
	features =
		block_features(block->bench.options, rte_vduse_dev_offered(rte_vduse_blk_dev(blk)));
	if (features == 0)
		return -ENOTSUP;
	ret = perf_block_driver_create(&block->driver, &block->bench, rte_vduse_blk_capacity(blk));
	if (ret < 0)
		return ret;
	ret = rte_vduse_blk_start(blk, RTE_VDUSE_ATTACH_NONE);
	if (ret < 0)
		return ret;
	block->up = true;
	return block_kernel_up(block, features);
}

static int
block_create(struct perf_block *block)
{
	struct rte_vduse_blk_conf conf = block_conf(block->bench.options);

	block->device.bench = &block->bench;
	if (block->bench.options->device != NULL)
		return rte_vduse_blk_create(&conf, &block->device.blk);
	return block_create_loopback(block, &conf);
}

static void
block_destroy(struct perf_block *block)
{
	if (block->up)
		perf_kernel_down(block->loop);
	rte_vduse_blk_destroy(block->device.blk);
	if (block->loop != NULL)
		vduse_loopback_free(block->loop);
	perf_block_driver_free(&block->driver);
	rte_free(block);
}

static bool
block_prepared(void *arg)
{
	const struct perf_block *block = arg;

	return rte_atomic_load_explicit(&block->driver.nb_blank, rte_memory_order_relaxed) == 0;
}

/* Before the measurement, write all blocks that will be read. */
static int
block_prepare(void *arg)
{
	perf_conduct_wait(block_prepared, arg);
	return 0;
}

static bool
block_driven(void *arg)
{
	const struct perf_block *block = arg;
	uint8_t status = rte_vduse_dev_status(rte_vduse_blk_dev(block->device.blk));

	return (status & VIRTIO_CONFIG_S_DRIVER_OK) != 0;
}

/* The kernel reads from the device while it attaches it, so the lcore polls already. */
static int
block_start(void *arg)
{
	const struct perf_block *block = arg;
	const struct perf_options *options = block->bench.options;
	int ret;

	ret = rte_vduse_blk_start(block->device.blk, options->attach);
	if (ret < 0)
		return ret;
	if (!block_driven(arg))
		PERF_LOG("waiting for a driver of %s", options->device);
	perf_conduct_wait(block_driven, arg);
	return 0;
}

/* The kernel writes back its cache before it releases the device, so the lcore still polls. */
static void
block_stop(void *arg)
{
	const struct perf_block *block = arg;

	rte_vduse_blk_stop(block->device.blk);
}

static int
block_conduct(struct perf_block *block, struct perf_result *result)
{
	struct perf_block_driver *driver = &block->driver;
	const struct perf_conduct conduct = {
		.bench = &block->bench,
		.sides = { { .turn = perf_block_device_turn, .arg = &block->device },
			   { .begin = perf_block_driver_begin,
			     .turn = perf_block_driver_turn,
			     .arg = driver } },
		.nb_sides = block->loop != NULL ? 2 : 1,
		.device = block->device.flows,
		.sent = { &driver->asked[PERF_FROM], &driver->asked[PERF_TO] },
		.received = { &driver->done[PERF_FROM], &driver->done[PERF_TO] },
		.latency = { &driver->latency[PERF_FROM], &driver->latency[PERF_TO] },
		.begin = block->loop != NULL ? block_prepare : block_start,
		.end = block->loop != NULL ? NULL : block_stop,
		.arg = block,
	};

	return perf_conduct(&conduct, result);
}

int
perf_block_run(const struct perf_options *options, int (*done)(const struct perf_result *result))
{
	struct perf_block *block;
	struct perf_result result;
	int ret;

	block = rte_zmalloc(NULL, sizeof(*block), RTE_CACHE_LINE_SIZE);
	if (block == NULL) {
		PERF_LOG("no memory: give EAL more");
		return -ENOMEM;
	}
	block->bench.options = options;
	ret = block_create(block);
	if (ret == 0)
		ret = block_conduct(block, &result);
	if (ret == 0)
		ret = done(&result);
	block_destroy(block);
	return ret;
}
