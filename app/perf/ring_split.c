/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * The driver side of a split ring (VIRTIO 1.2, 2.7). The number of a buffer is that of its
 * descriptor. Input: buffers to make available. Output: used buffers. Thread: the driver's lcore.
 */
#include <rte_byteorder.h>
#include <rte_common.h>
#include <rte_vduse_compat.h>

#include "ring.h"

/* Descriptors, then the avail ring with used_event, then the used ring with avail_event. */
static uint64_t
split_avail_offset(uint16_t size)
{
	return sizeof(struct vring_desc) * size;
}

static uint64_t
split_used_offset(uint16_t size)
{
	/* Different cores write the two rings: they share no cache line. */
	return RTE_ALIGN_CEIL(split_avail_offset(size) + sizeof(uint16_t) * (3 + (uint64_t)size),
			      (uint64_t)RTE_CACHE_LINE_SIZE);
}

static uint64_t
split_bytes(uint16_t size)
{
	return split_used_offset(size) + 6 + sizeof(struct vring_used_elem) * size;
}

static void
split_init(struct perf_ring *ring)
{
	ring->split = (struct perf_ring_split){
		.desc = (void *)ring->va,
		.avail = (void *)(ring->va + split_avail_offset(ring->size)),
		.used = (void *)(ring->va + split_used_offset(ring->size)),
	};
	ring->split.avail->flags = rte_cpu_to_le_16(VRING_AVAIL_F_NO_INTERRUPT);
}

static void
split_locate(const struct perf_ring *ring, struct vduse_vq_info *info)
{
	info->desc_addr = ring->iova;
	info->driver_addr = ring->iova + split_avail_offset(ring->size);
	info->device_addr = ring->iova + split_used_offset(ring->size);
	info->split.avail_index = 0;
}

static void
split_post(struct perf_ring *ring, const struct perf_buf *bufs, uint16_t nb)
{
	struct perf_ring_split *split = &ring->split;
	uint16_t flags = perf_ring_flags(ring), i;

	for (i = 0; i < nb; i++) {
		split->desc[bufs[i].id] = (struct vring_desc){
			.addr = rte_cpu_to_le_64(perf_ring_buf_iova(ring, bufs[i].id)),
			.len = rte_cpu_to_le_32(bufs[i].len),
			.flags = rte_cpu_to_le_16(flags),
		};
		split->avail->ring[(split->next + i) & ring->mask] = rte_cpu_to_le_16(bufs[i].id);
	}
	split->next = (uint16_t)(split->next + nb);
	/* Release: pairs with the device's acquire of the avail index in split_available() of
	 * lib/vring; it shows the buffers, descriptors and entries before the index.
	 */
	rte_atomic_store_explicit(&split->avail->idx, rte_cpu_to_le_16(split->next),
				  rte_memory_order_release);
}

/* VIRTIO 1.2, 2.7.5.3: chained as in the ring. */
static void
split_table(const struct perf_ring *ring, uint16_t id, const struct perf_piece *pieces, uint16_t nb)
{
	struct vring_desc *desc = (void *)perf_ring_buf(ring, id);
	uint64_t iova = perf_ring_buf_iova(ring, id);
	uint16_t i;

	for (i = 0; i < nb; i++) {
		uint16_t flags = pieces[i].device_writes ? VRING_DESC_F_WRITE : 0;

		flags |= i + 1 < nb ? VRING_DESC_F_NEXT : 0;
		desc[i] = (struct vring_desc){
			.addr = rte_cpu_to_le_64(iova + pieces[i].offset),
			.len = rte_cpu_to_le_32(pieces[i].len),
			.flags = rte_cpu_to_le_16(flags),
			.next = rte_cpu_to_le_16((uint16_t)(i + 1)),
		};
	}
}

/* Number of used entries. Reads the device's index if fewer than want are known. */
static inline uint16_t
split_used(struct perf_ring *ring, uint16_t want)
{
	struct perf_ring_split *split = &ring->split;

	if ((uint16_t)(split->known - split->seen) < want)
		/* Acquire: pairs with the device's release of the used index in
		 * split_publish() of lib/vring; entries and buffers are read after it.
		 */
		split->known = rte_le_to_cpu_16(
			rte_atomic_load_explicit(&split->used->idx, rte_memory_order_acquire));
	return RTE_MIN((uint16_t)(split->known - split->seen), want);
}

static inline struct perf_buf
split_entry(const struct perf_ring *ring, uint16_t at)
{
	const struct vring_used_elem *entry = &ring->split.used->ring[at & ring->mask];

	return (struct perf_buf){
		.id = (uint16_t)(rte_le_to_cpu_32(entry->id) & ring->mask),
		.len = rte_le_to_cpu_32(entry->len),
	};
}

static uint16_t
split_take(struct perf_ring *ring, struct perf_buf *bufs, uint16_t nb)
{
	uint16_t n = split_used(ring, nb), i;

	for (i = 0; i < n; i++) {
		uint16_t at = (uint16_t)(ring->split.seen + i);

		if (!ring->in_order) {
			bufs[i] = split_entry(ring, at);
			continue;
		}
		if (ring->batch == 0) {
			struct perf_buf last = split_entry(ring, at);

			perf_ring_batch_begin(ring, last.id, last.len);
		}
		bufs[i] = perf_ring_batch_next(ring);
	}
	ring->split.seen = (uint16_t)(ring->split.seen + n);
	return n;
}

const struct perf_ring_ops perf_ring_split_ops = {
	.bytes = split_bytes,
	.init = split_init,
	.locate = split_locate,
	.post = split_post,
	.table = split_table,
	.take = split_take,
};
