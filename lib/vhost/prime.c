/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Holds a device back from the application until the driver's first buffer is mapped. The rings of
 * virtio_vdpa are mapped before its bounce buffer, which becomes a region only when the driver maps
 * its first buffer, and no message reports that. An application that serves the rings itself cannot
 * report an unmapped address. So the device is shown to it only when the driver has made a buffer
 * available and that buffer is in a known region; if it is not, lib/vduse is asked to look for it.
 * Input: rings. Output: whether a device may come up.
 * Thread: events.
 */
#include <rte_byteorder.h>
#include <rte_vduse_compat.h>

#include <vhost/vhost.h>

/* Between rte_vduse_vq_enter() and rte_vduse_vq_leave(). */
static bool
prime_buffer(const struct vhost_vq *vq)
{
	const struct rte_vhost_vring *vring = &vq->vring;
	uint16_t position = vhost_ring_position(vq), mask = (uint16_t)(vring->size - 1), head;
	const volatile struct vring_desc *desc;
	uint64_t addr;

	/* Acquire: pairs with the driver's barrier between writing entries and the avail index. */
	if (rte_le_to_cpu_16(rte_atomic_load_explicit(&vring->avail->idx,
						      rte_memory_order_acquire)) == position)
		return false;
	head = rte_le_to_cpu_16(*(const volatile uint16_t *)&vring->avail->ring[position & mask]);
	/* The application checks the ring itself and handles an invalid head. */
	if (head >= vring->size)
		return true;
	desc = &vring->desc[head];
	addr = rte_le_to_cpu_64(desc->addr);
	if (rte_vduse_vq_lookup(vq->vq, addr) != NULL)
		return true;
	rte_vduse_vq_miss(vq->vq, addr, (rte_le_to_cpu_16(desc->flags) & VRING_DESC_F_WRITE) != 0);
	return false;
}

bool
vhost_prime(struct vhost_dev *dev)
{
	uint16_t i;

	for (i = 0; i < dev->conf.nb_vqs && !dev->primed; i++) {
		const struct vhost_vq *vq = &dev->vqs[i];

		/* The control thread holds the virtqueue: the events thread tries again later. */
		if (!vq->ready || !rte_vduse_vq_enter(vq->vq))
			continue;
		dev->primed = prime_buffer(vq);
		rte_vduse_vq_leave(vq->vq);
	}
	return dev->primed;
}
