/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * See block_pattern.h. Input: sector numbers. Output: their bytes, in words of 8 bytes.
 * Thread: the driver's lcore.
 */
#include "block_pattern.h"
#include "options.h"

#define PATTERN_WORDS (PERF_SECTOR / sizeof(uint64_t))

/* The first word of a sector. Odd factors make neighbouring sectors differ in most bytes. */
static inline uint64_t
pattern_seed(uint64_t sector, uint32_t counter)
{
	return sector * UINT64_C(0x9e3779b97f4a7c15) ^ counter * UINT64_C(0xc2b2ae3d27d4eb4f);
}

/* All words of a sector differ, so that a misplaced word is detected. */
static inline uint64_t
pattern_word(uint64_t seed, uint32_t at)
{
	return seed + at * UINT64_C(0x165667b19e3779f9);
}

void
perf_block_fill(void *to, uint64_t sector, uint32_t nb, uint32_t counter)
{
	uint64_t *word = to;
	uint32_t i, at;

	for (i = 0; i < nb; i++) {
		uint64_t seed = pattern_seed(sector + i, counter);

		for (at = 0; at < PATTERN_WORDS; at++)
			*word++ = pattern_word(seed, at);
	}
}

bool
perf_block_match(const void *from, uint64_t sector, uint32_t nb, uint32_t counter)
{
	const uint64_t *word = from;
	uint64_t wrong = 0;
	uint32_t i, at;

	for (i = 0; i < nb; i++) {
		uint64_t seed = pattern_seed(sector + i, counter);

		for (at = 0; at < PATTERN_WORDS; at++)
			wrong |= *word++ ^ pattern_word(seed, at);
	}
	return wrong == 0;
}
