/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Split rings of applications that serve them themselves.
 * Input: addresses of the driver. Output: addresses of this process.
 * Thread: control where vhost.h says so, otherwise any, under the mutex.
 */
#include <errno.h>

#include <linux/virtio_ring.h>

#include <rte_bitops.h>
#include <rte_byteorder.h>
#include <rte_vduse_compat.h>

#include <vhost/vhost.h>

const struct rte_vhost_vring vhost_ring_none = { .callfd = VHOST_NO_CALLFD, .kickfd = -1 };

/* Translates a range, which may span regions if they are contiguous in this process. */
static void *
ring_area(const struct vhost_vq *vq, uint64_t iova, uint64_t len, bool write)
{
	uint64_t left = len, next = iova;
	uint8_t *end = NULL;

	if (iova + len - 1 < iova)
		return NULL;
	while (left > 0) {
		const struct rte_vduse_region *region = rte_vduse_vq_lookup(vq->vq, next);
		uint64_t n;

		if (region == NULL || !(write ? region->writable : region->readable))
			return NULL;
		if (end != NULL && region->va + (next - region->first) != end)
			return NULL;
		n = RTE_MIN(left, region->last - next + 1);
		end = region->va + (next - region->first) + n;
		next += n;
		left -= n;
	}
	return end - len;
}

int
vhost_ring_map(struct vhost_vq *vq)
{
	const struct rte_vduse_vq_info *info = &vq->info;
	uint64_t size = info->size;
	struct rte_vhost_vring vring = {
		.callfd = VHOST_NO_CALLFD,
		.kickfd = rte_vduse_vq_kick_fd(vq->vq),
		.size = (uint16_t)size,
	};

	vq->vring = vhost_ring_none;
	/* Virtio 1.2, sections 2.7 and 2.8: size and alignment. */
	if (!rte_is_power_of_2(info->size) || info->size > 32768 || info->desc % 16 != 0 ||
	    info->driver % 2 != 0 || info->device % 4 != 0)
		return -EINVAL;
	/* Both formats have descriptors of 16 bytes; the device writes those of a packed ring. */
	vring.desc = ring_area(vq, info->desc, 16 * size, vq->packed);
	vring.avail = ring_area(vq, info->driver, vq->packed ? 4 : 2 * (3 + size), false);
	vring.used = ring_area(vq, info->device, vq->packed ? 4 : 6 + 8 * size, true);
	if (vring.desc == NULL || vring.avail == NULL || vring.used == NULL)
		return -EFAULT;
	vq->vring = vring;
	return 0;
}

void
vhost_ring_notify(struct vhost_vq *vq, bool enable)
{
	const struct rte_vhost_vring *vring = &vq->vring;
	uint16_t *avail_event = (uint16_t *)(void *)&vring->used->ring[vring->size];
	uint16_t avail = rte_le_to_cpu_16(
		rte_atomic_load_explicit(&vring->avail->idx, rte_memory_order_relaxed));

	if (!vq->event_idx)
		rte_atomic_store_explicit(&vring->used->flags,
					  enable ? 0 : rte_cpu_to_le_16(VRING_USED_F_NO_NOTIFY),
					  rte_memory_order_relaxed);
	else if (enable)
		rte_atomic_store_explicit(avail_event, rte_cpu_to_le_16(avail),
					  rte_memory_order_relaxed);
	/*
	 * Orders the flag or event index before the next read of the avail index: pairs with the
	 * driver's barrier between writing the avail index and reading them.
	 */
	rte_atomic_thread_fence(rte_memory_order_seq_cst);
}

uint16_t
vhost_ring_position(const struct vhost_vq *vq)
{
	/* Requests that were not completed are taken again: the used index says which were. */
	if (vq->based || vq->packed || vq->vring.used == NULL)
		return vq->base;
	return rte_le_to_cpu_16(
		rte_atomic_load_explicit(&vq->vring.used->idx, rte_memory_order_relaxed));
}
