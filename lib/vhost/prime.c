/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * An application that serves the rings itself cannot say that an address is in no region. But
 * virtio_vdpa's bounce buffer becomes a region only with the first buffer that a driver maps,
 * and no message tells of it. So such a device is shown to the application when the driver has
 * made a first buffer available and that one lies in a known region; if it does not, lib/vduse
 * is sent to look. In flow rings, out flows that a device may come up. Events thread.
 */
#include <rte_byteorder.h>
#include <rte_vduse_compat.h>

#include <vhost/vhost.h>

/* Between enter and leave. */
static bool
prime_buffer(const struct vhost_vq *vq)
{
	const struct rte_vhost_vring *vring = &vq->vring;
	uint16_t position = vhost_ring_position(vq), mask = (uint16_t)(vring->size - 1), head;
	const volatile struct vring_desc *desc;
	uint64_t addr;

	/* Acquire: pairs with the driver's barrier between filling entries and its index. */
	if (rte_le_to_cpu_16(rte_atomic_load_explicit(&vring->avail->idx,
						      rte_memory_order_acquire)) == position)
		return false;
	head = rte_le_to_cpu_16(*(const volatile uint16_t *)&vring->avail->ring[position & mask]);
	/* A driver that breaks the rules is the application's to judge. */
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
