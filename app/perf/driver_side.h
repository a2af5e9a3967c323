/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* The driver side of network virtqueues, with its own rings. Thread: one lcore. */
#ifndef PERF_DRIVER_SIDE_H
#define PERF_DRIVER_SIDE_H

#include "bench.h"
#include "driver_memory.h"
#include "ring.h"

/* A packet that is being received, in one or more buffers. */
struct perf_driver_packet {
	uint16_t buffers; /* still missing; 0: no packet is being received */
	bool intact;
	uint32_t len; /* so far */
	struct perf_mark mark;
};

struct perf_driver_pair {
	struct perf_ring rx;
	struct perf_ring tx;
	uint16_t *idle; /* transmit buffers that the device does not own, oldest first */
	uint16_t idle_head;
	uint16_t nb_idle;
	struct perf_source source;
	struct perf_driver_packet packet;
	uint64_t expected;
};

struct perf_driver {
	const struct perf_bench *bench;
	struct perf_flow flows[PERF_FLOWS];
	struct perf_histogram latency; /* of PERF_TO, or of the round trip */
	struct perf_memory memory;
	struct perf_driver_pair pairs[PERF_QUEUES_MAX];
};

/* Allocates memory with the rings. 0, or a negative errno after a line on stderr. */
int
perf_driver_create(struct perf_driver *driver, const struct perf_bench *bench);

/* No-op on a zeroed one. Call it after the device has unmapped the memory. */
void
perf_driver_free(struct perf_driver *driver);

/* See struct perf_side; arg is a struct perf_driver. */
void
perf_driver_turn(void *arg);

#endif /* PERF_DRIVER_SIDE_H */
