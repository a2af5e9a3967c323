/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * What the polling lcores share with the thread that conducts them: the phase goes one way,
 * counters the other.
 */
#ifndef PERF_BENCH_H
#define PERF_BENCH_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_common.h>
#include <rte_cycles.h>
#include <rte_vduse_compat.h>

#include "histogram.h"
#include "packet.h"

enum perf_phase {
	PERF_WARMUP,
	PERF_MEASURE,
	PERF_DRAIN, /* nothing new is sent; what is on its way arrives */
	PERF_STOP,
};

struct perf_bench {
	const struct perf_options *options;
	unsigned int phase __rte_cache_aligned; /* the conductor writes, atomic; the lcores read */
};

/*
 * One way of packets, or of requests, as one side sees it. One lcore writes, atomic; the conductor
 * reads.
 */
struct perf_flow {
	uint64_t packets;
	uint64_t bytes;
	uint64_t polls;
	uint64_t empty_polls;
	uint64_t busy_cycles; /* in bursts that moved a packet */
	uint64_t late;        /* packets behind one that was sent after them */
	uint64_t damaged;
} __rte_cache_aligned;

static inline enum perf_phase
perf_bench_phase(const struct perf_bench *bench)
{
	return rte_atomic_load_explicit(&bench->phase, rte_memory_order_relaxed);
}

static inline void
perf_flow_add(uint64_t *counter, uint64_t n)
{
	rte_atomic_store_explicit(counter, *counter + n, rte_memory_order_relaxed);
}

/* Counts a burst that took some cycles. */
static inline void
perf_flow_burst(struct perf_flow *flow, uint64_t packets, uint64_t bytes, uint64_t cycles)
{
	perf_flow_add(&flow->polls, 1);
	if (packets == 0) {
		perf_flow_add(&flow->empty_polls, 1);
		return;
	}
	perf_flow_add(&flow->packets, packets);
	perf_flow_add(&flow->bytes, bytes);
	perf_flow_add(&flow->busy_cycles, cycles);
}

/* Checks a packet that arrived; *expected is the number that is not late yet. */
static inline void
perf_flow_check(struct perf_flow *flow, uint64_t *expected, const struct perf_mark *mark,
		uint32_t len, bool intact)
{
	if (!intact || mark->magic != PERF_MARK_MAGIC || mark->len != len)
		perf_flow_add(&flow->damaged, 1);
	else if (mark->sequence < *expected)
		perf_flow_add(&flow->late, 1);
	else
		*expected = mark->sequence + 1;
}

/* Records how long a sampled packet took. */
static inline void
perf_bench_latency(const struct perf_bench *bench, struct perf_histogram *latency,
		   const struct perf_mark *mark, uint64_t now)
{
	if (mark->tsc != 0 && now > mark->tsc && mark->magic == PERF_MARK_MAGIC &&
	    perf_bench_phase(bench) == PERF_MEASURE)
		perf_histogram_record(latency, now - mark->tsc);
}

#endif /* PERF_BENCH_H */
