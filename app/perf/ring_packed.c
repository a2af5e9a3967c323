/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * The driver side of a packed ring (VIRTIO 1.2, 2.8). Available and used buffers are written to the
 * same descriptors. The number of a buffer is its id. Input: buffers to make available. Output: used
 * buffers. Thread: the driver's lcore.
 */
#include <linux/virtio_config.h>

#include <rte_byteorder.h>
#include <rte_common.h>
#include <rte_vduse_compat.h>

#include "ring.h"

#define PACKED_AVAIL (1u << VRING_PACKED_DESC_F_AVAIL)
#define PACKED_USED  (1u << VRING_PACKED_DESC_F_USED)

/* Descriptors, then the driver's event area, then the device's; each area has a cache line. */
static uint64_t
packed_driver_offset(uint16_t size)
{
	return RTE_ALIGN_CEIL(sizeof(struct vring_packed_desc) * (uint64_t)size,
			      (uint64_t)RTE_CACHE_LINE_SIZE);
}

static uint64_t
packed_device_offset(uint16_t size)
{
	return packed_driver_offset(size) + RTE_CACHE_LINE_SIZE;
}

static uint64_t
packed_bytes(uint16_t size)
{
	return packed_device_offset(size) + RTE_CACHE_LINE_SIZE;
}

static void
packed_init(struct perf_ring *ring)
{
	struct vring_packed_desc_event *event =
		(void *)(ring->va + packed_driver_offset(ring->size));

	ring->packed = (struct perf_ring_packed){
		.desc = (void *)ring->va,
		.next_wrap = true,
		.seen_wrap = true,
	};
	event->flags = rte_cpu_to_le_16(VRING_PACKED_EVENT_FLAG_DISABLE);
}

static void
packed_locate(const struct perf_ring *ring, struct vduse_vq_info *info)
{
	info->desc_addr = ring->iova;
	info->driver_addr = ring->iova + packed_driver_offset(ring->size);
	info->device_addr = ring->iova + packed_device_offset(ring->size);
	info->packed = (struct vduse_vq_state_packed){
		.last_avail_counter = 1,
		.last_used_counter = 1,
	};
}

/* VIRTIO 1.2, 2.8.1: available means AVAIL equals the wrap counter and USED does not. */
static inline uint16_t
packed_avail_flags(const struct perf_ring *ring)
{
	uint16_t flags = perf_ring_flags(ring);

	return (uint16_t)(flags | (ring->packed.next_wrap ? PACKED_AVAIL : PACKED_USED));
}

static void
packed_post(struct perf_ring *ring, const struct perf_buf *bufs, uint16_t nb)
{
	struct perf_ring_packed *packed = &ring->packed;
	uint16_t first_flags = packed_avail_flags(ring), first = packed->next, i;

	if (nb == 0)
		return;
	for (i = 0; i < nb; i++) {
		struct vring_packed_desc *desc = &packed->desc[packed->next];

		desc->addr = rte_cpu_to_le_64(perf_ring_buf_iova(ring, bufs[i].id));
		desc->len = rte_cpu_to_le_32(bufs[i].len);
		desc->id = rte_cpu_to_le_16(bufs[i].id);
		/* Later descriptors may become visible early: the device stops at the first. */
		if (i > 0)
			rte_atomic_store_explicit(&desc->flags,
						  rte_cpu_to_le_16(packed_avail_flags(ring)),
						  rte_memory_order_relaxed);
		if (++packed->next == ring->size) {
			packed->next = 0;
			packed->next_wrap = !packed->next_wrap;
		}
	}
	/* Release: pairs with the device's acquire of a descriptor's flags; it shows all that is
	 * written above, the buffers too, before the first descriptor.
	 */
	rte_atomic_store_explicit(&packed->desc[first].flags, rte_cpu_to_le_16(first_flags),
				  rte_memory_order_release);
}

/* VIRTIO 1.2, 2.8.7: no chaining; the only valid flag is VIRTQ_DESC_F_WRITE. */
static void
packed_table(const struct perf_ring *ring, uint16_t id, const struct perf_piece *pieces,
	     uint16_t nb)
{
	struct vring_packed_desc *desc = (void *)perf_ring_buf(ring, id);
	uint64_t iova = perf_ring_buf_iova(ring, id);
	uint16_t i;

	for (i = 0; i < nb; i++) {
		uint16_t flags = pieces[i].device_writes ? VRING_DESC_F_WRITE : 0;

		desc[i] = (struct vring_packed_desc){
			.addr = rte_cpu_to_le_64(iova + pieces[i].offset),
			.len = rte_cpu_to_le_32(pieces[i].len),
			.flags = rte_cpu_to_le_16(flags),
		};
	}
}

/* Whether the device used the next descriptor. */
static inline bool
packed_used(const struct perf_ring *ring)
{
	/* Acquire: pairs with the device's release of a used descriptor's flags; its id, length
	 * and buffer are read after it.
	 */
	uint16_t flags = rte_le_to_cpu_16(rte_atomic_load_explicit(
		&ring->packed.desc[ring->packed.seen].flags, rte_memory_order_acquire));

	return ((flags & PACKED_AVAIL) != 0) == ring->packed.seen_wrap &&
	       ((flags & PACKED_USED) != 0) == ring->packed.seen_wrap;
}

static inline struct perf_buf
packed_entry(const struct perf_ring *ring)
{
	const struct vring_packed_desc *desc = &ring->packed.desc[ring->packed.seen];

	return (struct perf_buf){
		.id = rte_le_to_cpu_16(desc->id) & ring->mask,
		.len = rte_le_to_cpu_32(desc->len),
	};
}

static inline void
packed_advance(struct perf_ring_packed *packed, uint16_t size)
{
	if (++packed->seen == size) {
		packed->seen = 0;
		packed->seen_wrap = !packed->seen_wrap;
	}
}

static uint16_t
packed_take(struct perf_ring *ring, struct perf_buf *bufs, uint16_t nb)
{
	uint16_t n;

	for (n = 0; n < nb; n++) {
		if (!ring->in_order) {
			if (!packed_used(ring))
				break;
			bufs[n] = packed_entry(ring);
		} else {
			/* Within a batch the descriptors are unchanged since the driver wrote them. */
			if (ring->batch == 0) {
				struct perf_buf last;

				if (!packed_used(ring))
					break;
				last = packed_entry(ring);
				perf_ring_batch_begin(ring, last.id, last.len);
			}
			bufs[n] = perf_ring_batch_next(ring);
		}
		packed_advance(&ring->packed, ring->size);
	}
	return n;
}

const struct perf_ring_ops perf_ring_packed_ops = {
	.feature = UINT64_C(1) << VIRTIO_F_RING_PACKED,
	.bytes = packed_bytes,
	.init = packed_init,
	.locate = packed_locate,
	.post = packed_post,
	.table = packed_table,
	.take = packed_take,
};
