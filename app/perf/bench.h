/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Data that the polling lcores share with the conductor. The conductor writes the phase and reads
 * the counters; the lcores read the phase and write the counters.
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
	PERF_DRAIN, /* no new packets are sent; those in flight arrive */
	PERF_STOP,
};

struct perf_bench {
	const struct perf_options *options;
	unsigned int phase __rte_cache_aligned; /* atomic; the conductor writes, the lcores read */
};

/*
 * Counters of one direction of packets or requests, as seen by one side. Atomic; one lcore writes,
 * the conductor reads.
 */
struct perf_flow {
	uint64_t packets;
	uint64_t bytes;
	uint64_t polls;
	uint64_t empty_polls;
	uint64_t busy_cycles; /* in bursts that moved a packet */
	uint64_t late;        /* packets that arrived after a later one */
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

/* Checks a received packet; *expected is the lowest number that is not late. */
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

/* Records the latency of a sampled packet. */
static inline void
perf_bench_latency(const struct perf_bench *bench, struct perf_histogram *latency,
		   const struct perf_mark *mark, uint64_t now)
{
	if (mark->tsc != 0 && now > mark->tsc && mark->magic == PERF_MARK_MAGIC &&
	    perf_bench_phase(bench) == PERF_MEASURE)
		perf_histogram_record(latency, now - mark->tsc);
}

#endif /* PERF_BENCH_H */
