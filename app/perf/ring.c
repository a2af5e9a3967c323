/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * The memory layout of a ring and its buffers: the ring first. Thread: main, before polling.
 */
#include <rte_common.h>

#include "ring.h"

#define RING_ALIGN 4096

/* An odd number of cache lines, so that the heads of the buffers use different cache sets. */
static uint32_t
ring_stride(uint32_t room)
{
	uint32_t lines = (room + RTE_CACHE_LINE_SIZE - 1) / RTE_CACHE_LINE_SIZE;

	return (lines | 1) * RTE_CACHE_LINE_SIZE;
}

static uint64_t
ring_head_bytes(const struct perf_ring *ring)
{
	return RTE_ALIGN_CEIL(ring->ops->bytes(ring->size), (uint64_t)RING_ALIGN);
}

uint64_t
perf_ring_bytes(const struct perf_ring *ring)
{
	uint64_t bufs = (uint64_t)ring->nb_bufs * ring_stride(ring->room);

	return ring_head_bytes(ring) + RTE_ALIGN_CEIL(bufs, (uint64_t)RING_ALIGN);
}

void
perf_ring_init(struct perf_ring *ring, uint8_t *va, uint64_t iova)
{
	ring->mask = (uint16_t)(ring->size - 1);
	ring->stride = ring_stride(ring->room);
	ring->va = va;
	ring->iova = iova;
	ring->bufs = va + ring_head_bytes(ring);
	ring->bufs_iova = iova + ring_head_bytes(ring);
	ring->batch = 0;
	ring->expected = 0;
	ring->ops->init(ring);
}
