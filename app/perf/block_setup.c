/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Allocates the memory, rings and buffers of a block device's driver. Thread: main, before polling.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "bench_block.h"
#include "perf_log.h"

static void
setup_ring(struct perf_ring *ring, const struct perf_options *options)
{
	ring->ops = options->packed ? &perf_ring_packed_ops : &perf_ring_split_ops;
	ring->size = options->queue_size;
	ring->nb_bufs = options->depth;
	ring->in_order = options->in_order;
	ring->tables = true;
	ring->room = perf_block_room(options);
}

static int
setup_no_memory(const char *what, uint64_t nb)
{
	PERF_LOG("no memory for %" PRIu64 " %s of a queue", nb, what);
	return -ENOMEM;
}

/* With --verify all blocks are written before any is read. */
static int
setup_verify(struct perf_block_driver *driver, struct perf_block_queue *queue)
{
	if (queue->blocks <= queue->ring.nb_bufs) {
		PERF_LOG("--verify: a block for each of %u requests and one more: the backend has "
			 "%" PRIu64 " for a queue",
			 queue->ring.nb_bufs, queue->blocks);
		return -EINVAL;
	}
	queue->states = calloc(queue->blocks, sizeof(*queue->states));
	if (queue->states == NULL)
		return setup_no_memory("blocks", queue->blocks);
	queue->blank = queue->blocks;
	driver->nb_blank++;
	return 0;
}

/* Each queue has its own contiguous blocks. */
static int
setup_queue(struct perf_block_driver *driver, uint16_t index, uint64_t blocks, uint64_t *offset)
{
	struct perf_block_queue *queue = &driver->queues[index];

	queue->blocks = blocks;
	queue->first = index * blocks;
	queue->cursor[PERF_FROM] = blocks / 2;
	perf_ring_init(&queue->ring, driver->memory.va + *offset, PERF_DRIVER_IOVA + *offset);
	*offset += perf_ring_bytes(&queue->ring);
	queue->requests = calloc(queue->ring.nb_bufs, sizeof(*queue->requests));
	if (queue->requests == NULL)
		return setup_no_memory("requests", queue->ring.nb_bufs);
	return driver->bench->options->verify ? setup_verify(driver, queue) : 0;
}

int
perf_block_driver_create(struct perf_block_driver *driver, const struct perf_bench *bench,
			 uint64_t sectors)
{
	const struct perf_options *options = bench->options;
	uint64_t size = 0, offset = 0, blocks;
	uint16_t i;
	int ret;

	driver->bench = bench;
	blocks = sectors / (options->block_size / PERF_SECTOR) / options->queues;
	if (blocks == 0) {
		PERF_LOG("the backend has no block of %u bytes for each of %u queues",
			 options->block_size, options->queues);
		return -EINVAL;
	}
	for (i = 0; i < options->queues; i++) {
		setup_ring(&driver->queues[i].ring, options);
		size += perf_ring_bytes(&driver->queues[i].ring);
	}
	ret = perf_memory_create(&driver->memory, size);
	for (i = 0; i < options->queues && ret == 0; i++)
		ret = setup_queue(driver, i, blocks, &offset);
	return ret;
}

void
perf_block_driver_free(struct perf_block_driver *driver)
{
	unsigned int i;

	for (i = 0; i < PERF_QUEUES_MAX; i++) {
		free(driver->queues[i].requests);
		free(driver->queues[i].states);
	}
	perf_memory_free(&driver->memory);
}
