/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Waits until the backend has no request in flight; pollers pop no new ones meanwhile.
 * Output: 0, or an error if the backend does not finish in time or requests are held. Thread: the application's.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include <rte_cycles.h>
#include <rte_vduse_compat.h>

#include <virtio_blk/blk.h>

#define DRAIN_US 1000

/*
 * Requests of a queue in flight, at least 1 if the lock is taken: then a poller may not have seen
 * the flag yet, or the control thread stops the queue and waits for the backend itself. A queue in
 * the error state is not polled, so do not wait for it.
 */
static unsigned int
drain_left(struct vblk_queue *queue)
{
	unsigned int left;

	if (!rte_spinlock_trylock(&queue->vq->lock))
		return (unsigned int)RTE_MAX(
			rte_atomic_load_explicit(&queue->stats.in_flight, rte_memory_order_relaxed),
			UINT64_C(1));
	left = queue->vq->state == RTE_VDUSE_VQ_ERROR ? 0 : queue->in_flight;
	rte_spinlock_unlock(&queue->vq->lock);
	return left;
}

static unsigned int
drain_left_all(struct rte_vduse_blk *blk)
{
	unsigned int left = 0;
	uint16_t i;

	for (i = 0; i < blk->nb_queues; i++)
		left += drain_left(&blk->queues[i]);
	return left;
}

/* Requests that nobody finishes before the device goes on. */
static int
drain_held(struct rte_vduse_blk *blk)
{
	uint64_t held = 0;
	uint16_t i;

	for (i = 0; i < blk->nb_queues; i++)
		held += rte_atomic_load_explicit(&blk->queues[i].stats.held,
						 rte_memory_order_relaxed);
	if (held == 0)
		return 0;
	VBLK_LOG_DRIVER(ERR, blk->dev,
			"it holds %" PRIu64
			" requests that its backend failed (%s): let it go on first, "
			"or start its process again with on-error=report",
			held, strerror(rte_vduse_blk_held(blk)));
	return -EBUSY;
}

int
rte_vduse_blk_drain(struct rte_vduse_blk *blk, unsigned int ms)
{
	uint64_t end = rte_get_timer_cycles() + ms * (rte_get_timer_hz() / MS_PER_S);
	unsigned int left;

	/* Relaxed: ordered by the locks of the queues. */
	rte_atomic_store_explicit(&blk->draining, true, rte_memory_order_relaxed);
	while ((left = drain_left_all(blk)) > 0 && rte_get_timer_cycles() < end)
		usleep(DRAIN_US);
	rte_atomic_store_explicit(&blk->draining, false, rte_memory_order_relaxed);
	if (left == 0)
		return drain_held(blk);
	VBLK_LOG_DRIVER(ERR, blk->dev,
			"the backend has not finished %u requests in %u ms: check that it works",
			left, ms);
	return -ETIMEDOUT;
}
