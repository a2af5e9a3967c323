/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * See histogram.h. Input: values that the lcores recorded. Output: percentiles.
 * Thread: main, after the lcores have finished.
 */
#include <math.h>

#include <rte_common.h>

#include "histogram.h"

#define PARTS (1u << PERF_HISTOGRAM_BITS)

uint64_t
perf_histogram_first(unsigned int bucket)
{
	if (bucket < 2 * PARTS)
		return bucket;
	return (uint64_t)(PARTS + bucket % PARTS) << (bucket / PARTS - 1);
}

uint64_t
perf_histogram_last(unsigned int bucket)
{
	if (bucket + 1 >= PERF_HISTOGRAM_BUCKETS)
		return UINT64_MAX;
	return perf_histogram_first(bucket + 1) - 1;
}

uint64_t
perf_histogram_percentile(const struct perf_histogram *histogram, double share)
{
	uint64_t rank = (uint64_t)ceil(share * (double)histogram->count), seen = 0;
	unsigned int i;

	rank = RTE_MIN(RTE_MAX(rank, UINT64_C(1)), histogram->count);
	for (i = 0; i < PERF_HISTOGRAM_BUCKETS; i++) {
		seen += histogram->buckets[i];
		if (seen >= rank && seen > 0)
			return RTE_MIN(perf_histogram_last(i), histogram->max);
	}
	return 0;
}
