/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * The driver side of a block device. Each completed request is replaced by a new one.
 * Makes no system calls between bursts. Thread: the driver's lcore.
 */
#include <string.h>

#include <linux/virtio_blk.h>

#include <rte_branch_prediction.h>
#include <rte_byteorder.h>
#include <rte_random.h>
#include <rte_vduse_compat.h>

#include "bench_block.h"
#include "block_pattern.h"

/* The initial status; a device never writes this value. */
#define DRIVER_NO_STATUS 0xff

/* The beginning of a buffer; the data follows. */
struct driver_head {
	uint8_t table[PERF_TABLE_BYTES(3)];
	struct virtio_blk_outhdr header;
	uint8_t status __rte_cache_aligned; /* the device writes this line */
};

uint32_t
perf_block_room(const struct perf_options *options)
{
	return (uint32_t)sizeof(struct driver_head) + options->block_size;
}

/* With mixed requests, reads and writes alternate. */
static enum perf_flow_index
driver_flow(const struct perf_options *options, struct perf_block_queue *queue)
{
	if (options->direction == PERF_DIRECTION_BOTH)
		queue->last = queue->last == PERF_TO ? PERF_FROM : PERF_TO;
	else
		queue->last = options->direction == PERF_DIRECTION_FROM ? PERF_FROM : PERF_TO;
	return queue->last;
}

/* The next block of the queue to write or read. */
static uint64_t
driver_block(const struct perf_options *options, struct perf_block_queue *queue,
	     enum perf_flow_index flow)
{
	uint64_t block = options->random ? rte_rand_max(queue->blocks) : queue->cursor[flow];

	/* Only one request per block: the order of two would be undefined. */
	while (queue->states != NULL && queue->states[block].busy)
		block = block + 1 == queue->blocks ? 0 : block + 1;
	queue->cursor[flow] = block + 1 == queue->blocks ? 0 : block + 1;
	return block;
}

/* Chooses the next request. */
static struct perf_block_request
driver_choose(struct perf_block_driver *driver, struct perf_block_queue *queue)
{
	const struct perf_options *options = driver->bench->options;
	struct perf_block_request request = { .flow = PERF_FROM };

	if (unlikely(queue->blank > 0)) {
		request.block = queue->blocks - queue->blank;
		/* Relaxed: no other data depends on it. */
		if (--queue->blank == 0)
			rte_atomic_store_explicit(&driver->nb_blank, driver->nb_blank - 1,
						  rte_memory_order_relaxed);
		return request;
	}
	request.flow = driver_flow(options, queue);
	request.block = driver_block(options, queue, request.flow);
	request.counted = true;
	return request;
}

/* Before a request: fills in the data to write, or bytes that differ from the data to read. */
static void
driver_verify_begin(struct perf_block_queue *queue, const struct perf_block_request *request,
		    void *data, uint64_t sector, uint32_t sectors)
{
	struct perf_block_state *state = &queue->states[request->block];

	state->busy = true;
	if (request->flow == PERF_FROM)
		perf_block_fill(data, sector, sectors, ++state->counter);
	else
		memset(data, DRIVER_NO_STATUS, sectors * PERF_SECTOR);
}

/* After a request: returns whether the data read is what was written last. */
static bool
driver_verify_end(struct perf_block_queue *queue, const struct perf_block_request *request,
		  const void *data, uint32_t sectors)
{
	struct perf_block_state *state = &queue->states[request->block];

	state->busy = false;
	return request->flow == PERF_FROM ||
	       perf_block_match(data, (queue->first + request->block) * sectors, sectors,
				state->counter);
}

/* Writes a request into a buffer. */
static void
driver_make(struct perf_block_driver *driver, struct perf_block_queue *queue, uint16_t id)
{
	const struct perf_options *options = driver->bench->options;
	struct driver_head *head = (void *)perf_ring_buf(&queue->ring, id);
	struct perf_block_request *request = &queue->requests[id];
	uint32_t sectors = options->block_size / PERF_SECTOR;
	uint64_t sector;
	bool read;

	*request = driver_choose(driver, queue);
	read = request->flow == PERF_TO;
	sector = (queue->first + request->block) * sectors;
	if (queue->states != NULL)
		driver_verify_begin(queue, request, head + 1, sector, sectors);
	head->header = (struct virtio_blk_outhdr){
		.type = rte_cpu_to_le_32(read ? VIRTIO_BLK_T_IN : VIRTIO_BLK_T_OUT),
		.sector = rte_cpu_to_le_64(sector),
	};
	head->status = DRIVER_NO_STATUS;
	queue->ring.ops->table(
		&queue->ring, id,
		(const struct perf_piece[]){
			{ offsetof(struct driver_head, header), sizeof(head->header), false },
			{ sizeof(*head), options->block_size, read },
			{ offsetof(struct driver_head, status), sizeof(head->status), true },
		},
		3);
}

/* Makes new requests available in buffers that the device does not own. */
static void
driver_ask(struct perf_block_driver *driver, struct perf_block_queue *queue, struct perf_buf *bufs,
	   uint16_t nb)
{
	uint64_t nb_flow[PERF_FLOWS] = { 0 }, now;
	uint16_t i;

	if (nb == 0 || perf_bench_phase(driver->bench) >= PERF_DRAIN)
		return;
	for (i = 0; i < nb; i++) {
		driver_make(driver, queue, bufs[i].id);
		bufs[i].len = PERF_TABLE_BYTES(3);
		nb_flow[queue->requests[bufs[i].id].flow] += queue->requests[bufs[i].id].counted;
	}
	now = rte_rdtsc();
	for (i = 0; i < nb; i++)
		queue->requests[bufs[i].id].tsc = now;
	perf_ring_post(&queue->ring, bufs, nb);
	for (i = 0; i < PERF_FLOWS; i++)
		perf_flow_add(&driver->asked[i].packets, nb_flow[i]);
}

/* Whether the result of a request is correct. */
static bool
driver_good(const struct perf_options *options, struct perf_block_queue *queue,
	    const struct perf_buf *buf)
{
	const struct driver_head *head = (void *)perf_ring_buf(&queue->ring, buf->id);
	const struct perf_block_request *request = &queue->requests[buf->id];
	uint32_t written = (request->flow == PERF_TO ? options->block_size : 0) +
			   (uint32_t)sizeof(head->status);
	bool good = head->status == VIRTIO_BLK_S_OK && (options->in_order || buf->len == written);

	if (queue->states != NULL)
		good &= driver_verify_end(queue, request, head + 1,
					  options->block_size / PERF_SECTOR);
	return good;
}

/* Processes a completed request. */
static void
driver_check(struct perf_block_driver *driver, struct perf_block_queue *queue,
	     const struct perf_buf *buf, uint64_t now)
{
	const struct perf_block_request *request = &queue->requests[buf->id];
	/* Requests that prepare the disk count for reads. */
	struct perf_flow *done = &driver->done[request->counted ? request->flow : PERF_TO];

	if (!driver_good(driver->bench->options, queue, buf))
		perf_flow_add(&done->damaged, 1);
	if (!request->counted)
		return;
	perf_flow_add(&done->packets, 1);
	if (perf_bench_phase(driver->bench) == PERF_MEASURE)
		perf_histogram_record(&driver->latency[request->flow], now - request->tsc);
}

static void
driver_poll(struct perf_block_driver *driver, struct perf_block_queue *queue)
{
	struct perf_buf bufs[PERF_BURST_MAX];
	uint64_t now;
	uint16_t n, i;

	n = perf_ring_take(&queue->ring, bufs, driver->bench->options->burst);
	now = rte_rdtsc();
	for (i = 0; i < n; i++)
		driver_check(driver, queue, &bufs[i], now);
	driver_ask(driver, queue, bufs, n);
}

/* Fills the queue. Later each completed request is replaced by a new one. */
static void
driver_begin(struct perf_block_driver *driver, struct perf_block_queue *queue)
{
	uint16_t i;

	for (i = 0; i < queue->ring.nb_bufs; i++) {
		struct perf_buf buf = { .id = i };

		driver_ask(driver, queue, &buf, 1);
	}
}

void
perf_block_driver_begin(void *arg)
{
	struct perf_block_driver *driver = arg;
	uint16_t i;

	for (i = 0; i < driver->bench->options->queues; i++)
		driver_begin(driver, &driver->queues[i]);
}

void
perf_block_driver_turn(void *arg)
{
	struct perf_block_driver *driver = arg;
	uint16_t i;

	for (i = 0; i < driver->bench->options->queues; i++)
		driver_poll(driver, &driver->queues[i]);
}
