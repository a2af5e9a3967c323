/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* Histogram buckets without gaps, and percentiles compared with those of the sorted values. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>

#include <histogram.h>

#include "unit.h"

#define NB_VALUES 10000

static void
buckets_follow_one_another(void **state)
{
	unsigned int i;

	RTE_SET_USED(state);
	assert_int_equal(perf_histogram_first(0), 0);
	for (i = 0; i < PERF_HISTOGRAM_BUCKETS; i++) {
		uint64_t first = perf_histogram_first(i), last = perf_histogram_last(i);

		assert_true(first <= last);
		assert_int_equal(perf_histogram_bucket(first), i);
		assert_int_equal(perf_histogram_bucket(last), i);
		if (i + 1 < PERF_HISTOGRAM_BUCKETS)
			assert_int_equal(perf_histogram_first(i + 1), last + 1);
		/* As narrow as promised. */
		assert_true(last - first <= first / (1u << PERF_HISTOGRAM_BITS));
	}
	assert_true(perf_histogram_last(PERF_HISTOGRAM_BUCKETS - 1) == UINT64_MAX);
}

static int
compare(const void *a, const void *b)
{
	uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

	return left < right ? -1 : left > right;
}

/* Values of every magnitude, the same in each run. */
static uint64_t
next_value(uint64_t *random, unsigned int bits)
{
	*random = *random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (*random >> 11) >> (53 - 1 - (*random >> 59) % bits);
}

static void
percentiles_lie_within_bounds(void **state)
{
	static const double shares[] = { 0, 0.0001, 0.5, 0.9, 0.99, 0.999, 0.9999, 1 };
	static const unsigned int bits[] = { 1, 4, 5, 6, 20, 32 };
	static uint64_t values[NB_VALUES];
	static struct perf_histogram histogram;
	uint64_t random = 1;
	unsigned int i, j;

	RTE_SET_USED(state);
	for (j = 0; j < RTE_DIM(bits); j++) {
		memset(&histogram, 0, sizeof(histogram));
		for (i = 0; i < NB_VALUES; i++) {
			values[i] = next_value(&random, bits[j]);
			perf_histogram_record(&histogram, values[i]);
		}
		qsort(values, NB_VALUES, sizeof(values[0]), compare);
		for (i = 0; i < RTE_DIM(shares); i++) {
			unsigned int rank = RTE_MAX((unsigned int)ceil(shares[i] * NB_VALUES), 1u);
			uint64_t exact = values[rank - 1];
			uint64_t told = perf_histogram_percentile(&histogram, shares[i]);

			assert_true(told >= exact);
			assert_true(told <= exact + exact / (1u << PERF_HISTOGRAM_BITS));
		}
		assert_true(perf_histogram_percentile(&histogram, 1) == values[NB_VALUES - 1]);
	}
}

static void
few_values(void **state)
{
	struct perf_histogram histogram = { 0 };

	RTE_SET_USED(state);
	assert_int_equal(perf_histogram_percentile(&histogram, 0.5), 0);
	perf_histogram_record(&histogram, 1000);
	assert_int_equal(perf_histogram_percentile(&histogram, 0), 1000);
	assert_int_equal(perf_histogram_percentile(&histogram, 0.5), 1000);
	assert_int_equal(perf_histogram_percentile(&histogram, 1), 1000);
	perf_histogram_record(&histogram, UINT64_MAX);
	assert_true(perf_histogram_percentile(&histogram, 0.5) < 1032);
	assert_true(perf_histogram_percentile(&histogram, 0.51) == UINT64_MAX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(buckets_follow_one_another),
		cmocka_unit_test(percentiles_lie_within_bounds),
		cmocka_unit_test(few_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
