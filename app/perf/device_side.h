/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* The device side of network virtqueues: polls through lib/virtio_net. Thread: one lcore. */
#ifndef PERF_DEVICE_SIDE_H
#define PERF_DEVICE_SIDE_H

#include <rte_mbuf.h>

#include <rte_vduse_net.h>

#include "bench.h"

struct perf_device_pair {
	struct rte_mbuf *mbufs[PERF_BURST_MAX]; /* pending: first to last - 1 */
	uint32_t lens[PERF_BURST_MAX];
	uint16_t first;
	uint16_t last;
	struct perf_source source;
	uint64_t expected;
};

struct perf_device {
	const struct perf_bench *bench;
	struct rte_vduse_net *net;
	struct rte_mempool *pool;
	bool ours; /* the driver is the internal one, whose packets carry marks */
	struct perf_flow flows[PERF_FLOWS];
	struct perf_histogram latency; /* of PERF_FROM */
	struct perf_device_pair pairs[PERF_QUEUES_MAX];
};

/* See struct perf_side; arg is a struct perf_device. */
void
perf_device_turn(void *arg);
void
perf_device_end(void *arg);

#endif /* PERF_DEVICE_SIDE_H */
