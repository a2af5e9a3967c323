/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Lets the thread that polls a queue sleep. One eventfd per queue wakes it: that of the virtqueue,
 * which the driver's kicks and starts of the virtqueue signal. While the thread sleeps, completions
 * of the backend signal it too.
 * Input: a queue that was idle. Output: until when its thread may sleep; notifications of the driver
 * and signals of the backend, which the first poll that finds work disables.
 * Thread: polling.
 */
#include <sys/eventfd.h>

#include <rte_vduse_compat.h>

#include <virtio_blk/blk.h>
#include <virtio_blk/trace.h>

int
rte_vduse_blk_wake_fd(struct rte_vduse_blk *blk, uint16_t index)
{
	int fd = rte_vduse_vq_wake_fd(blk->queues[index].vq);

	if (fd >= 0)
		rte_atomic_store_explicit(&blk->queues[index].wake_fd, fd,
					  rte_memory_order_relaxed);
	return fd;
}

int
rte_vduse_blk_wake_epoll(struct rte_vduse_blk *blk, uint16_t index, int epoll_fd, void *ptr)
{
	/* For the signals of the backend. */
	int fd = epoll_fd >= 0 ? rte_vduse_blk_wake_fd(blk, index) : 0;

	return fd < 0 ? fd : rte_vduse_vq_wake_epoll(blk->queues[index].vq, epoll_fd, ptr);
}

/*
 * When the queue has to be polled next although nothing is signalled, TSC cycles; never 0. That is
 * if the limits hold its next request back.
 */
static uint64_t
sleep_due(const struct vblk_queue *queue)
{
	uint64_t at = vblk_limit_wait(&queue->blk->limit, &queue->turn);

	return at != 0 ? at : RTE_VDUSE_BLK_SIGNALLED;
}

/* Whether something waits for a poll and not for a signal. */
static bool
sleep_has_work(struct vblk_queue *queue)
{
	unsigned int i;

	if (queue->pushed || (queue->next_replay < queue->nb_replay && !vblk_hold_on(queue->blk)))
		return true;
	for (i = 0; i < VBLK_STAGES; i++)
		if (queue->stages[i].nb > 0)
			return true;
	return false;
}

/*
 * Enables both kinds of signals, then looks once more: what came before is not signalled. Between
 * enter and leave. Returns whether there is nothing.
 */
static bool
sleep_enable(struct vblk_queue *queue)
{
	struct vring_vq *ring = &queue->vq->ring;
	int fd = rte_atomic_load_explicit(&queue->wake_fd, rte_memory_order_relaxed);

	queue->asleep = true;
	/* It stays enabled if the last wake-up was not for this queue. */
	if (ring->notify)
		rte_atomic_thread_fence(rte_memory_order_seq_cst);
	else
		vring_notify(ring, true);
	/* A request that is held back by a limit, or because others are held, stays in the ring. */
	if (vring_count(ring) > 0 && vblk_limit_wait(&queue->blk->limit, &queue->turn) == 0 &&
	    !vblk_hold_on(queue->blk))
		return false;
	return queue->in_flight == 0 || vblk_channel_sleep(queue->channel, fd);
}

/* in_flight: whether requests may be in flight meanwhile. */
static uint64_t
sleep_ask(struct vblk_queue *queue, bool in_flight)
{
	uint64_t until = RTE_VDUSE_BLK_AWAKE;

	if (rte_atomic_load_explicit(&queue->wake_fd, rte_memory_order_relaxed) < 0)
		return RTE_VDUSE_BLK_AWAKE;
	/*
	 * No driver is up, or the control thread has the queue and completes its requests. The
	 * control thread signals after it enables the queue: see vduse_vq_let_in().
	 */
	if (!vduse_vq_enter(queue->vq))
		return rte_atomic_load_explicit(&queue->vq->enabled, rte_memory_order_relaxed)
			       ? RTE_VDUSE_BLK_AWAKE
			       : RTE_VDUSE_BLK_SIGNALLED;
	/* Relaxed: the control thread signals after it set the flag. */
	if (!rte_atomic_load_explicit(&queue->vq->unkicked, rte_memory_order_relaxed) &&
	    (in_flight || queue->in_flight == 0) && !sleep_has_work(queue) && sleep_enable(queue))
		until = sleep_due(queue);
	vduse_vq_leave(queue->vq);
	return until;
}

uint64_t
rte_vduse_blk_sleep(struct rte_vduse_blk *blk, uint16_t index)
{
	return sleep_ask(&blk->queues[index], true);
}

bool
rte_vduse_blk_park(struct rte_vduse_blk *blk, uint16_t index)
{
	return sleep_ask(&blk->queues[index], false) == RTE_VDUSE_BLK_SIGNALLED;
}

void
vblk_sleep_wake(struct rte_vduse_blk *blk)
{
	uint16_t i;
	int fd;

	for (i = 0; i < blk->nb_queues; i++) {
		fd = rte_atomic_load_explicit(&blk->queues[i].wake_fd, rte_memory_order_relaxed);
		/* Fails only if the counter is full, which wakes the thread too. */
		if (fd >= 0)
			(void)eventfd_write(fd, 1);
	}
}

void
vblk_sleep_end(struct vblk_queue *queue)
{
	VDUSE_TRACE(blk_wake, queue->vq->name, queue->vq->index);
	queue->asleep = false;
	if (queue->vq->ring.notify)
		vring_notify(&queue->vq->ring, false);
	(void)vblk_channel_sleep(queue->channel, -1);
}
