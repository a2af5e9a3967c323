/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* A measurement of the queues of a block device: both sides and what joins them. */
#ifndef PERF_BENCH_BLOCK_H
#define PERF_BENCH_BLOCK_H

#include <rte_vduse_blk.h>
#include <vduse/loopback/loopback.h>

#include "bench.h"
#include "driver_memory.h"
#include "result.h"
#include "ring.h"

/* What was seen of a queue's counters, and cycles since then that no request has paid for. */
struct perf_block_seen {
	struct rte_vduse_blk_stats stats;
	uint64_t cycles;
};

/* The device's side: one lcore, which polls through lib/virtio_blk. */
struct perf_block_device {
	const struct perf_bench *bench;
	struct rte_vduse_blk *blk;
	struct perf_flow flows[PERF_FLOWS];
	struct perf_block_seen seen[PERF_QUEUES_MAX];
};

/* A request in flight. */
struct perf_block_request {
	uint64_t tsc;   /* when it was made available */
	uint64_t block; /* of its queue */
	enum perf_flow_index flow;
	bool counted; /* it is no preparation */
};

/* With --verify: a block of a queue. */
struct perf_block_state {
	uint32_t counter; /* how often it was written */
	bool busy;        /* a request for it is in flight */
};

struct perf_block_queue {
	struct perf_ring ring;
	struct perf_block_request *requests; /* one for each buffer */
	uint64_t first;                      /* block */
	uint64_t blocks;                     /* from there on */
	uint64_t cursor[PERF_FLOWS];         /* the next block of those, each way */
	struct perf_block_state *states;     /* one for each block, or NULL: nothing is verified */
	uint64_t blank;                      /* last blocks that have still to be written once */
	enum perf_flow_index last;           /* with mixed requests: which way the last one went */
};

/* The driver's side: one lcore with rings of its own. */
struct perf_block_driver {
	const struct perf_bench *bench;
	struct perf_flow asked[PERF_FLOWS];
	struct perf_flow done[PERF_FLOWS];
	struct perf_histogram latency[PERF_FLOWS];
	struct perf_memory memory;
	unsigned int nb_blank; /* queues that have blank blocks; its lcore writes, atomic */
	struct perf_block_queue queues[PERF_QUEUES_MAX];
};

struct perf_block {
	struct perf_bench bench;
	struct perf_block_device device;
	struct perf_block_driver driver; /* over the loopback only */
	struct vduse_loopback *loop;     /* or NULL */
	bool up;                         /* the driver is, over the loopback */
};

/* block_device.c: polls until the phase is PERF_STOP; arg is a struct perf_block_device. */
int
perf_block_device_run(void *arg);

/* block_driver.c: bytes of a buffer. */
uint32_t
perf_block_room(const struct perf_options *options);

/* block_setup.c: gets memory and lays the rings out in it. Blocks are shared by the queues.
 * 0, or a negative errno and a line on stderr.
 */
int
perf_block_driver_create(struct perf_block_driver *driver, const struct perf_bench *bench,
			 uint64_t sectors);

/* block_setup.c: harmless on a zeroed one. After the device forgot the memory. */
void
perf_block_driver_free(struct perf_block_driver *driver);

/*
 * block_driver.c: keeps requests in flight until the phase is PERF_STOP; arg is a struct
 * perf_block_driver.
 */
int
perf_block_driver_run(void *arg);

/*
 * Sets up, measures and takes down; done sees the result before it goes. Returns what done does,
 * or a negative errno with a line on stderr.
 */
int
perf_block_run(const struct perf_options *options, int (*done)(const struct perf_result *result));

#endif /* PERF_BENCH_BLOCK_H */
