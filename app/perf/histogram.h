/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * A histogram of 64-bit values with log-linear buckets: each power of two is divided into equal
 * parts, so that a value is known to within 1/32. One thread records; others may read after it has
 * finished.
 */
#ifndef PERF_HISTOGRAM_H
#define PERF_HISTOGRAM_H

#include <stdint.h>

#define PERF_HISTOGRAM_BITS    5 /* 2^5 buckets in each power of two */
#define PERF_HISTOGRAM_BUCKETS ((65 - PERF_HISTOGRAM_BITS) << PERF_HISTOGRAM_BITS)

struct perf_histogram {
	uint64_t count;
	uint64_t max;
	uint64_t buckets[PERF_HISTOGRAM_BUCKETS];
};

/* Each value below 2^5 has its own bucket; above, the leading bits select the bucket. */
static inline unsigned int
perf_histogram_bucket(uint64_t value)
{
	unsigned int shift;

	if (value < (1u << PERF_HISTOGRAM_BITS))
		return (unsigned int)value;
	shift = 63 - (unsigned int)__builtin_clzll(value) - PERF_HISTOGRAM_BITS;
	return (shift << PERF_HISTOGRAM_BITS) + (unsigned int)(value >> shift);
}

static inline void
perf_histogram_record(struct perf_histogram *histogram, uint64_t value)
{
	histogram->buckets[perf_histogram_bucket(value)]++;
	histogram->count++;
	if (value > histogram->max)
		histogram->max = value;
}

/* The smallest and the largest value of a bucket. */
uint64_t
perf_histogram_first(unsigned int bucket);
uint64_t
perf_histogram_last(unsigned int bucket);

/*
 * The value that the given share (0 to 1) of all values does not exceed. It is exact or rounded up
 * by at most 1/32, and never exceeds the largest recorded value. 0 if nothing was recorded.
 */
uint64_t
perf_histogram_percentile(const struct perf_histogram *histogram, double share);

#endif /* PERF_HISTOGRAM_H */
