/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Holds requests that the backend failed, instead of answering them. A held request is not used: it
 * stays in the inflight log, and its slot joins those that are to be started again, as after a kill.
 * So a queue with held requests can stop, and another process finds them. While one is held, no queue
 * of the device starts a request.
 *
 * A failed flush is answered: the data that it was for may be lost, and a later flush would succeed.
 * Input: failed operations. Output: slots to be started again, in the order in which they were taken.
 * Thread: polling; control while it stops a queue; rte_vduse_blk_go_on(): any.
 */
#include <errno.h>
#include <string.h>

#include <rte_vduse_compat.h>

#include <virtio_blk/blk.h>

/* Errors of a backend that is full or failed, which somebody may repair. */
static bool
hold_wanted(const struct vblk_queue *queue, const struct rte_vduse_blk_io *io)
{
	if (queue->blk->hold.on_error == RTE_VDUSE_BLK_ON_ERROR_REPORT)
		return false;
	/* The driver resets the device or the device is removed. */
	if (queue->stopping || io->op == RTE_VDUSE_BLK_FLUSH)
		return false;
	return io->result == -ENOSPC || io->result == -EDQUOT || io->result == -EIO;
}

/* Lists a slot among those to be started again, in the order in which they were taken. */
static void
hold_list(struct vblk_queue *queue, uint16_t slot)
{
	const struct vblk_inflight_slot *slots = queue->inflight.slots;
	uint16_t i;

	queue->nb_replay = (uint16_t)(queue->nb_replay - queue->next_replay);
	memmove(queue->replay, queue->replay + queue->next_replay,
		queue->nb_replay * sizeof(*queue->replay));
	queue->next_replay = 0;
	for (i = queue->nb_replay; i > 0 && slots[queue->replay[i - 1]].taken > slots[slot].taken;
	     i--)
		queue->replay[i] = queue->replay[i - 1];
	queue->replay[i] = slot;
	queue->nb_replay++;
}

/* Stops the queues. One line for each time, whatever the number of requests. */
static void
hold_begin(struct rte_vduse_blk *blk, int result)
{
	bool stop = blk->hold.on_error == RTE_VDUSE_BLK_ON_ERROR_STOP;
	int none = 0;

	/* Relaxed: the slots belong to their queues, no other data depends on it. */
	if (!rte_atomic_compare_exchange_strong_explicit(&blk->hold.error, &none, -result,
							 rte_memory_order_relaxed,
							 rte_memory_order_relaxed))
		return;
	VBLK_LOG_DRIVER(
		ERR, blk->dev,
		"its backend failed (%s): its requests are held and the disk stands still: %s",
		strerror(-result),
		stop ? "repair the backend, then start this process again"
		     : "repair the backend, then let the disk go on: dpdk-vduse-ctl go-on");
}

bool
vblk_hold(struct vblk_queue *queue, struct vblk_request *request)
{
	uint16_t slot = (uint16_t)(request - queue->requests);

	if (!hold_wanted(queue, &request->io))
		return false;
	if (queue->inflight.ring == NULL || queue->vq->forgets) {
		VBLK_LOG_DRIVER(
			ERR, queue->blk->dev,
			"virtqueue %u: its backend failed (%s), and a request cannot be held "
			"because its driver would not find it again: it is answered with an "
			"error; use a front end that keeps requests in flight, and let the disk "
			"go on before its driver is migrated",
			queue->vq->index, strerror(-request->io.result));
		return false;
	}
	if (request->room != NULL)
		vblk_part_leave(queue, request);
	vblk_inflight_forgive(&queue->inflight, slot);
	hold_list(queue, slot);
	request->held = true;
	queue->in_flight--;
	vblk_stats_add(&queue->stats.held, 1);
	hold_begin(queue->blk, request->io.result);
	return true;
}

void
vblk_hold_stopped(struct vblk_queue *queue)
{
	struct rte_vduse_blk *blk = queue->blk;
	uint64_t held = 0;
	uint16_t i;

	rte_atomic_store_explicit(&queue->stats.held, 0, rte_memory_order_relaxed);
	if (blk->hold.on_error != RTE_VDUSE_BLK_ON_ERROR_WAIT)
		return;
	for (i = 0; i < blk->nb_queues; i++)
		held += rte_atomic_load_explicit(&blk->queues[i].stats.held,
						 rte_memory_order_relaxed);
	/* A request that another queue holds meanwhile is started again, and held again. */
	if (held == 0)
		rte_atomic_store_explicit(&blk->hold.error, 0, rte_memory_order_relaxed);
}

int
rte_vduse_blk_held(const struct rte_vduse_blk *blk)
{
	return rte_atomic_load_explicit(&blk->hold.error, rte_memory_order_relaxed);
}

int
rte_vduse_blk_go_on(struct rte_vduse_blk *blk)
{
	int error = rte_atomic_load_explicit(&blk->hold.error, rte_memory_order_relaxed);

	if (error != 0 && blk->hold.on_error == RTE_VDUSE_BLK_ON_ERROR_STOP) {
		VBLK_LOG(ERR, rte_vduse_dev_name(blk->dev),
			 "it does not go on (%s) because it was created with on-error=stop: start "
			 "this process again",
			 strerror(error));
		return -EPERM;
	}
	rte_atomic_store_explicit(&blk->hold.error, 0, rte_memory_order_relaxed);
	vblk_sleep_wake(blk);
	return 0;
}
