/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * A histogram of 64-bit values in log-linear buckets: each power of two is cut into equal parts,
 * so that a value is known to within 1/32 of it. One thread records; another reads when that one
 * is done.
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

/* Values below 2^5 have a bucket each; above, the leading bits choose. */
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

/* The smallest and the largest value that a bucket takes. */
uint64_t
perf_histogram_first(unsigned int bucket);
uint64_t
perf_histogram_last(unsigned int bucket);

/*
 * A value that the given share of all (0 to 1) does not exceed: the smallest such value itself,
 * or up to 1/32 more, and never more than the largest recorded. 0 if there are none.
 */
uint64_t
perf_histogram_percentile(const struct perf_histogram *histogram, double share);

#endif /* PERF_HISTOGRAM_H */
