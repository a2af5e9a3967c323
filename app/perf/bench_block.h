/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* A measurement of the queues of a block device: both sides and their connection. */
#ifndef PERF_BENCH_BLOCK_H
#define PERF_BENCH_BLOCK_H

#include <rte_vduse_blk.h>
#include <vduse/loopback/loopback.h>

#include "bench.h"
#include "driver_memory.h"
#include "result.h"
#include "ring.h"

/* A queue's counters as last read, and the cycles since then that no request was charged for. */
struct perf_block_seen {
	struct rte_vduse_blk_stats stats;
	uint64_t cycles;
};

/* The device side: polls through lib/virtio_blk. Thread: one lcore. */
struct perf_block_device {
	const struct perf_bench *bench;
	struct rte_vduse_blk *blk;
	struct perf_flow flows[PERF_FLOWS];
	struct perf_block_seen seen[PERF_QUEUES_MAX];
};

/* A request in flight. */
struct perf_block_request {
	uint64_t tsc;   /* time when it was made available */
	uint64_t block; /* of its queue */
	enum perf_flow_index flow;
	bool counted; /* false: it prepares the disk before the measurement */
};

/* With --verify: the state of a block. */
struct perf_block_state {
	uint32_t counter; /* number of times it was written */
	bool busy;        /* a request for it is in flight */
};

struct perf_block_queue {
	struct perf_ring ring;
	struct perf_block_request *requests; /* one for each buffer */
	uint64_t first;                      /* block */
	uint64_t blocks;                     /* number of blocks */
	uint64_t cursor[PERF_FLOWS];         /* the next block, per direction */
	struct perf_block_state *states;     /* one for each block, or NULL: nothing is verified */
	uint64_t blank;            /* number of blocks at the end that were not written yet */
	enum perf_flow_index last; /* with mixed requests: direction of the last one */
};

/* The driver side, with its own rings. Thread: one lcore. */
struct perf_block_driver {
	const struct perf_bench *bench;
	struct perf_flow asked[PERF_FLOWS];
	struct perf_flow done[PERF_FLOWS];
	struct perf_histogram latency[PERF_FLOWS];
	struct perf_memory memory;
	unsigned int nb_blank; /* queues that have unwritten blocks; atomic, its lcore writes */
	struct perf_block_queue queues[PERF_QUEUES_MAX];
};

struct perf_block {
	struct perf_bench bench;
	struct perf_block_device device;
	struct perf_block_driver driver; /* over the loopback only */
	struct vduse_loopback *loop;     /* or NULL */
	bool up;                         /* the driver is up, over the loopback */
};

/* block_device.c: see struct perf_side; arg is a struct perf_block_device. */
void
perf_block_device_turn(void *arg);

/* block_driver.c: size of a buffer in bytes. */
uint32_t
perf_block_room(const struct perf_options *options);

/*
 * block_setup.c: allocates memory with the rings. The blocks are divided among the queues.
 * 0, or a negative errno after a line on stderr.
 */
int
perf_block_driver_create(struct perf_block_driver *driver, const struct perf_bench *bench,
			 uint64_t sectors);

/* block_setup.c: no-op on a zeroed one. Call it after the device has unmapped the memory. */
void
perf_block_driver_free(struct perf_block_driver *driver);

/* block_driver.c: see struct perf_side: keeps requests in flight; arg is a struct perf_block_driver. */
void
perf_block_driver_begin(void *arg);
void
perf_block_driver_turn(void *arg);

/*
 * Sets up, measures and cleans up; calls done with the result before cleaning up. Returns the result
 * of done, or a negative errno after a line on stderr.
 */
int
perf_block_run(const struct perf_options *options, int (*done)(const struct perf_result *result));

#endif /* PERF_BENCH_BLOCK_H */
