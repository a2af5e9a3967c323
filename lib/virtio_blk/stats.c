/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Counters of queues. Thread: polling writes when a request is answered; any thread reads.
 */
#include <rte_vduse_compat.h>

#include <vduse/conf.h>

#include <virtio_blk/blk.h>

static uint64_t *
stats_kind(struct rte_vduse_blk_stats *stats, uint32_t type)
{
	switch (type) {
	case VIRTIO_BLK_T_IN:
		return &stats->reads;
	case VIRTIO_BLK_T_OUT:
		return &stats->writes;
	case VIRTIO_BLK_T_FLUSH:
		return &stats->flushes;
	case VIRTIO_BLK_T_DISCARD:
		return &stats->discards;
	case VIRTIO_BLK_T_WRITE_ZEROES:
		return &stats->write_zeroes;
	case VIRTIO_BLK_T_SECURE_ERASE:
		return &stats->secure_erases;
	default:
		return &stats->others;
	}
}

void
vblk_stats_count(struct rte_vduse_blk_stats *stats, const struct vblk_request *request,
		 uint8_t status)
{
	vblk_stats_add(stats_kind(stats, request->type), 1);
	if (status == VIRTIO_BLK_S_UNSUPP)
		vblk_stats_add(&stats->unsupported, 1);
	if (status != VIRTIO_BLK_S_OK)
		return;
	if (request->type == VIRTIO_BLK_T_IN)
		vblk_stats_add(&stats->read_bytes, request->chain.in_len - 1);
	else if (request->type == VIRTIO_BLK_T_OUT)
		vblk_stats_add(&stats->written_bytes,
			       request->chain.out_len - sizeof(struct virtio_blk_outhdr));
}

void
rte_vduse_blk_stats(const struct rte_vduse_blk *blk, uint16_t queue,
		    struct rte_vduse_blk_stats *stats, size_t size)
{
	const uint64_t *from = (const uint64_t *)&blk->queues[queue].stats;
	uint64_t now[sizeof(*stats) / sizeof(uint64_t)];
	size_t i;

	for (i = 0; i < RTE_DIM(now); i++)
		now[i] = rte_atomic_load_explicit(&from[i], rte_memory_order_relaxed);
	vduse_conf_give(stats, size, now, sizeof(now));
}
