/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * The data that --verify writes to a block device: the bytes of a sector are computed from its
 * number and from the number of times it was written. Thread: any.
 */
#ifndef PERF_BLOCK_PATTERN_H
#define PERF_BLOCK_PATTERN_H

#include <stdbool.h>
#include <stdint.h>

/* Writes nb sectors; to is aligned to 8 bytes. */
void
perf_block_fill(void *to, uint64_t sector, uint32_t nb, uint32_t counter);

/* Whether the data is that of these sectors. */
bool
perf_block_match(const void *from, uint64_t sector, uint32_t nb, uint32_t counter);

#endif /* PERF_BLOCK_PATTERN_H */
