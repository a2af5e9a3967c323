/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Detection of wrong blocks: any wrong byte, another sector, an older version of the same sector.
 */
#include <string.h>

#include <rte_common.h>

#include <block_pattern.h>
#include <options.h>

#include "unit.h"

#define SECTORS 8
#define BYTES   (SECTORS * PERF_SECTOR)

static uint8_t block[BYTES] __rte_aligned(8);

static void
every_byte_counts(void **state)
{
	unsigned int i;

	RTE_SET_USED(state);
	perf_block_fill(block, 1000, SECTORS, 3);
	for (i = 0; i < BYTES; i++) {
		block[i] ^= 0x10;
		assert_false(perf_block_match(block, 1000, SECTORS, 3));
		block[i] ^= 0x10;
	}
	assert_true(perf_block_match(block, 1000, SECTORS, 3));
}

static void
another_block_does_not_match(void **state)
{
	uint32_t sector, counter;

	RTE_SET_USED(state);
	perf_block_fill(block, 1000, SECTORS, 3);
	for (sector = 0; sector < 4096; sector++)
		for (counter = 1; counter < 8; counter++)
			assert_int_equal(perf_block_match(block, sector, 1, counter),
					 sector == 1000 && counter == 3);
	memset(block, 0, sizeof(block));
	assert_false(perf_block_match(block, 0, 1, 1));
}

/* What was written as one can be read in pieces, and not from a wrong place. */
static void
sectors_stand_alone(void **state)
{
	uint32_t i;

	RTE_SET_USED(state);
	perf_block_fill(block, UINT64_C(1) << 40, SECTORS, UINT32_MAX);
	for (i = 0; i < SECTORS; i++)
		assert_true(perf_block_match(block + i * PERF_SECTOR, (UINT64_C(1) << 40) + i, 1,
					     UINT32_MAX));
	for (i = 8; i < PERF_SECTOR; i += 8)
		assert_false(perf_block_match(block + i, UINT64_C(1) << 40, 1, UINT32_MAX));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_byte_counts),
		cmocka_unit_test(another_block_does_not_match),
		cmocka_unit_test(sectors_stand_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
