/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Bursts of a virtqueue for device types outside this library. Those within it use the inline
 * functions of virtqueue.h.
 * Input: a burst. Output: chains popped from the ring and pushed back, interrupts.
 * Thread: the poller.
 */
#include <rte_vduse_compat.h>

#include <vduse/conf.h>
#include <vduse/virtqueue.h>

bool
rte_vduse_vq_enter(struct rte_vduse_vq *vq)
{
	return vduse_vq_enter(vq);
}

void
rte_vduse_vq_leave(struct rte_vduse_vq *vq)
{
	vduse_vq_leave(vq);
}

uint16_t
rte_vduse_vq_dequeue(struct rte_vduse_vq *vq, struct rte_vduse_chain *chains, uint16_t nb)
{
	return vring_pop(&vq->ring, chains, RTE_MIN(nb, RTE_VDUSE_BURST_MAX));
}

void
rte_vduse_vq_requeue(struct rte_vduse_vq *vq, const struct rte_vduse_chain *chains, uint16_t nb)
{
	vring_unpop(&vq->ring, chains, nb);
}

void
rte_vduse_vq_enqueue(struct rte_vduse_vq *vq, const struct rte_vduse_chain *chains, uint16_t nb)
{
	vring_push(&vq->ring, chains, nb);
}

void
rte_vduse_vq_written(struct rte_vduse_vq *vq, const void *va, uint32_t len)
{
	vring_log_va(&vq->ring, va, len);
}

bool
rte_vduse_vq_flush(struct rte_vduse_vq *vq)
{
	bool call = vring_publish(&vq->ring);

	if (call)
		/* Fails only while the driver resets, when it needs no interrupt. */
		(void)rte_vduse_vq_call(vq);
	if (unlikely(vq->ring.fault != VRING_FAULT_NONE))
		(void)vduse_vq_fault(vq);
	return call;
}

uint32_t
rte_vduse_vq_count(struct rte_vduse_vq *vq)
{
	return vring_count(&vq->ring);
}

uint16_t
rte_vduse_vq_index(const struct rte_vduse_vq *vq)
{
	return vq->index;
}

int
rte_vduse_vq_kick_fd(const struct rte_vduse_vq *vq)
{
	return vq->kick_fd;
}

void
rte_vduse_vq_stats(const struct rte_vduse_vq *vq, struct rte_vduse_vq_stats *stats, size_t size)
{
	struct rte_vduse_vq_stats now = {
		.misses = rte_atomic_load_explicit(&vq->misses, rte_memory_order_relaxed),
		.faults = rte_atomic_load_explicit(&vq->faults, rte_memory_order_relaxed),
		.state = rte_atomic_load_explicit(&vq->state, rte_memory_order_acquire),
	};

	vduse_conf_give(stats, size, &now, sizeof(now));
}
