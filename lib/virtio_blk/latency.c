/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Reads the histograms of latency.h.
 * Input: histograms that a queue writes. Output: copies, sums, percentiles. Thread: any.
 */
#include <errno.h>

#include <rte_cycles.h>

#include <vduse/conf.h>

#include <virtio_blk/blk.h>

static_assert(RTE_VDUSE_BLK_LATENCY_READ == (int)RTE_VDUSE_BLK_READ &&
		      RTE_VDUSE_BLK_LATENCY_WRITE == (int)RTE_VDUSE_BLK_WRITE &&
		      RTE_VDUSE_BLK_LATENCY_FLUSH == (int)RTE_VDUSE_BLK_FLUSH,
	      "see vblk_latency_kind()");
static_assert(sizeof(struct rte_vduse_blk_latency) % sizeof(uint64_t) == 0, "counters only");

#define LATENCY_WORDS (sizeof(struct rte_vduse_blk_latency) / sizeof(uint64_t))

void
vblk_latency_copy(const struct rte_vduse_blk_latency *from, struct rte_vduse_blk_latency *to)
{
	const uint64_t *word = (const uint64_t *)from;
	uint64_t *copy = (uint64_t *)to;
	size_t i;

	for (i = 0; i < LATENCY_WORDS; i++)
		copy[i] = rte_atomic_load_explicit(&word[i], rte_memory_order_relaxed);
}

void
vblk_latency_sum(struct rte_vduse_blk_latency *sum, const struct rte_vduse_blk_latency *other)
{
	unsigned int i;

	sum->count += other->count;
	sum->cycles += other->cycles;
	sum->max = RTE_MAX(sum->max, other->max);
	for (i = 0; i < RTE_VDUSE_BLK_LATENCY_BUCKETS; i++)
		sum->buckets[i] += other->buckets[i];
}

/* The largest value of a bucket. */
static uint64_t
latency_last(unsigned int bucket)
{
	unsigned int parts = 1u << VBLK_LATENCY_BITS;

	if (bucket + 1 < 2 * parts)
		return bucket;
	bucket++;
	return ((uint64_t)(parts + bucket % parts) << (bucket / parts - 1)) - 1;
}

/* Nanoseconds, rounded. */
static uint64_t
latency_ns(double cycles)
{
	return (uint64_t)(cycles * 1e9 / (double)rte_get_tsc_hz() + 0.5);
}

uint64_t
rte_vduse_blk_latency_ns(const struct rte_vduse_blk_latency *latency, double share)
{
	uint64_t total = 0, seen = 0, rank;
	unsigned int i;
	double wanted;

	/* Not count: the queue may have added to the buckets since it was read. */
	for (i = 0; i < RTE_VDUSE_BLK_LATENCY_BUCKETS; i++)
		total += latency->buckets[i];
	if (total == 0)
		return 0;
	wanted = (share > 0 ? RTE_MIN(share, 1.0) : 0) * (double)total;
	rank = (uint64_t)wanted;
	rank = RTE_MIN(RTE_MAX(rank + (wanted > (double)rank), UINT64_C(1)), total);
	for (i = 0; i + 1 < RTE_VDUSE_BLK_LATENCY_BUCKETS; i++) {
		seen += latency->buckets[i];
		if (seen >= rank)
			return latency_ns((double)RTE_MIN(latency_last(i), latency->max));
	}
	return latency_ns((double)latency->max);
}

uint64_t
rte_vduse_blk_latency_mean_ns(const struct rte_vduse_blk_latency *latency)
{
	if (latency->count == 0)
		return 0;
	return latency_ns((double)latency->cycles / (double)latency->count);
}

uint64_t
vblk_latency_count(const struct rte_vduse_blk_latency *latency, const uint64_t *bounds_ns,
		   uint64_t *counts, size_t nb)
{
	uint64_t seen = 0;
	unsigned int i;
	size_t bound = 0;

	for (i = 0; i < RTE_VDUSE_BLK_LATENCY_BUCKETS; i++) {
		/* The last bucket has no upper limit. */
		while (bound < nb && (i + 1 == RTE_VDUSE_BLK_LATENCY_BUCKETS ||
				      latency_ns((double)latency_last(i)) > bounds_ns[bound]))
			counts[bound++] = seen;
		seen += latency->buckets[i];
	}
	return seen;
}

uint64_t
vblk_latency_sum_ns(const struct rte_vduse_blk_latency *latency)
{
	return latency_ns((double)latency->cycles);
}

int
rte_vduse_blk_latency(const struct rte_vduse_blk *blk, uint16_t queue,
		      enum rte_vduse_blk_latency_kind kind, struct rte_vduse_blk_latency *latency,
		      size_t size)
{
	struct rte_vduse_blk_latency now;

	if (queue >= blk->nb_queues || (unsigned int)kind >= RTE_VDUSE_BLK_LATENCY_KINDS)
		return -EINVAL;
	vblk_latency_copy(&blk->queues[queue].latency[kind], &now);
	vduse_conf_give(latency, size, &now, sizeof(now));
	return 0;
}
