/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Allocates the driver's memory, rings and buffers. Thread: main, before polling.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <linux/virtio_net.h>

#include "driver_side.h"

static void
driver_ring_describe(struct perf_ring *ring, const struct perf_options *options, bool rx)
{
	ring->ops = options->packed ? &perf_ring_packed_ops : &perf_ring_split_ops;
	ring->size = options->queue_size;
	ring->nb_bufs = options->queue_size;
	ring->in_order = options->in_order;
	ring->device_writes = rx;
	ring->room = (uint32_t)sizeof(struct virtio_net_hdr_v1) + options->max_size;
	if (rx && options->mergeable)
		ring->room = PERF_MERGEABLE_ROOM;
}

/* Makes all receive buffers available to the device. All transmit buffers are idle. */
static int
driver_pair_init(struct perf_driver_pair *pair)
{
	uint16_t i;

	pair->idle = calloc(pair->tx.size, sizeof(*pair->idle));
	if (pair->idle == NULL)
		return -ENOMEM;
	for (i = 0; i < pair->tx.size; i++)
		pair->idle[i] = i;
	pair->nb_idle = pair->tx.size;
	for (i = 0; i < pair->rx.size; i++) {
		struct perf_buf buf = { .id = i, .len = pair->rx.room };

		perf_ring_post(&pair->rx, &buf, 1);
	}
	return 0;
}

static int
driver_pair_create(struct perf_driver_pair *pair, const struct perf_options *options,
		   const struct perf_memory *memory, uint64_t *offset)
{
	pair->source.options = options;
	perf_ring_init(&pair->rx, memory->va + *offset, PERF_DRIVER_IOVA + *offset);
	*offset += perf_ring_bytes(&pair->rx);
	perf_ring_init(&pair->tx, memory->va + *offset, PERF_DRIVER_IOVA + *offset);
	*offset += perf_ring_bytes(&pair->tx);
	return driver_pair_init(pair);
}

int
perf_driver_create(struct perf_driver *driver, const struct perf_bench *bench)
{
	const struct perf_options *options = bench->options;
	uint64_t size = 0, offset = 0;
	uint16_t i;
	int ret;

	driver->bench = bench;
	for (i = 0; i < options->queues; i++) {
		driver_ring_describe(&driver->pairs[i].rx, options, true);
		driver_ring_describe(&driver->pairs[i].tx, options, false);
		size += perf_ring_bytes(&driver->pairs[i].rx);
		size += perf_ring_bytes(&driver->pairs[i].tx);
	}
	ret = perf_memory_create(&driver->memory, size);
	for (i = 0; i < options->queues && ret == 0; i++)
		ret = driver_pair_create(&driver->pairs[i], options, &driver->memory, &offset);
	return ret;
}

void
perf_driver_free(struct perf_driver *driver)
{
	unsigned int i;

	for (i = 0; i < PERF_QUEUES_MAX; i++)
		free(driver->pairs[i].idle);
	perf_memory_free(&driver->memory);
}
