/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Records how long requests take, in histograms with log-linear buckets: each power of two of TSC
 * cycles is divided into equal parts. A time is known to within 1/16.
 * Thread: the one that serves the queue writes; any thread reads.
 */
#ifndef VBLK_LATENCY_H
#define VBLK_LATENCY_H

#include <assert.h>

#include <rte_branch_prediction.h>
#include <rte_common.h>
#include <rte_vduse_compat.h>

#include <rte_vduse_blk.h>

#define VBLK_LATENCY_BITS 4
/* Longer times, over half an hour, are in the last bucket. */
#define VBLK_LATENCY_MAX ((UINT64_C(1) << 44) - 1)
static_assert(RTE_VDUSE_BLK_LATENCY_BUCKETS == (44 - VBLK_LATENCY_BITS + 1) << VBLK_LATENCY_BITS,
	      "one bucket for each part");

static inline unsigned int
vblk_latency_bucket(uint64_t cycles)
{
	unsigned int shift;

	if (cycles < (1u << VBLK_LATENCY_BITS))
		return (unsigned int)cycles;
	cycles = RTE_MIN(cycles, VBLK_LATENCY_MAX);
	shift = 63 - (unsigned int)__builtin_clzll(cycles) - VBLK_LATENCY_BITS;
	return (shift << VBLK_LATENCY_BITS) + (unsigned int)(cycles >> shift);
}

/* Relaxed: readers expect no order between counters. */
static inline void
vblk_latency_add(uint64_t *counter, uint64_t n)
{
	rte_atomic_store_explicit(counter, *counter + n, rte_memory_order_relaxed);
}

/* Counts n requests that were taken and finished at these times, in TSC cycles. */
static inline void
vblk_latency_record(struct rte_vduse_blk_latency *latency, uint64_t taken, uint64_t now, uint64_t n)
{
	/* The counters of two processors may differ a little. */
	uint64_t cycles = likely(now > taken) ? now - taken : 0;

	vblk_latency_add(&latency->count, n);
	vblk_latency_add(&latency->cycles, n * cycles);
	if (unlikely(cycles > latency->max))
		rte_atomic_store_explicit(&latency->max, cycles, rte_memory_order_relaxed);
	vblk_latency_add(&latency->buckets[vblk_latency_bucket(cycles)], n);
}

/* The kind of request that an operation belongs to. */
static inline enum rte_vduse_blk_latency_kind
vblk_latency_kind(unsigned int op)
{
	return (enum rte_vduse_blk_latency_kind)RTE_MIN(op,
							(unsigned int)RTE_VDUSE_BLK_LATENCY_RANGES);
}

/*
 * Requests of one operation that were taken at the same time and finish at the same time, as those
 * of a burst do if the backend answers at once: counted together.
 */
struct vblk_latency_run {
	uint64_t taken;
	unsigned int op;
	uint32_t nb;
};

/* Counts those of the run, which finish now. latency: of each kind. */
static inline void
vblk_latency_run_end(const struct vblk_latency_run *run, struct rte_vduse_blk_latency *latency,
		     uint64_t now)
{
	if (likely(run->nb > 0))
		vblk_latency_record(&latency[vblk_latency_kind(run->op)], run->taken, now, run->nb);
}

/* One more request that finishes now. */
static inline void
vblk_latency_run_add(struct vblk_latency_run *run, struct rte_vduse_blk_latency *latency,
		     uint64_t taken, uint64_t now, unsigned int op)
{
	if (taken != run->taken || op != run->op) {
		vblk_latency_run_end(run, latency, now);
		*run = (struct vblk_latency_run){ .taken = taken, .op = op };
	}
	run->nb++;
}

/* Copies the counters, as the thread that serves the queue may be writing them. */
void
vblk_latency_copy(const struct rte_vduse_blk_latency *from, struct rte_vduse_blk_latency *to);
/* Adds counters to a sum. */
void
vblk_latency_sum(struct rte_vduse_blk_latency *sum, const struct rte_vduse_blk_latency *other);

/*
 * Counts the requests that took at most bounds_ns[i] ns, for nb ascending bounds. Returns the number of
 * all. Times are rounded up as by rte_vduse_blk_latency_ns().
 */
uint64_t
vblk_latency_count(const struct rte_vduse_blk_latency *latency, const uint64_t *bounds_ns,
		   uint64_t *counts, size_t nb);

/* The sum of all times, nanoseconds. */
uint64_t
vblk_latency_sum_ns(const struct rte_vduse_blk_latency *latency);

#endif /* VBLK_LATENCY_H */
