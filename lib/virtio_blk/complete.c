/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Completes requests.
 * Input: operations that the backend has finished, in any order. Output: status bytes and used
 * chains. Thread: polling; control while it stops a queue.
 */
#include <errno.h>

#include <rte_cycles.h>
#include <rte_vduse_compat.h>

#include <virtio_blk/blk.h>
#include <virtio_blk/trace.h>

void
vblk_complete_push(struct vblk_queue *queue)
{
	if (queue->nb_used == 0)
		return;
	vring_push(&queue->vq->ring, queue->used, queue->nb_used);
	queue->nb_used = 0;
	queue->pushed = true;
}

static inline void
complete_use(struct vblk_queue *queue, const struct vblk_request *request)
{
	uint16_t slot = (uint16_t)(request - queue->requests);

	queue->used[queue->nb_used++] = request->chain;
	vblk_inflight_done(&queue->inflight, &queue->vq->ring, slot);
	queue->done[queue->nb_done++] = slot;
	queue->in_flight--;
	if (queue->nb_used == VBLK_BURST)
		vblk_complete_push(queue);
}

/* Section 2.7.9: requests are used in the order in which they were popped. */
static void
complete_in_order(struct vblk_queue *queue)
{
	while (queue->in_flight > 0) {
		const struct vblk_request *request = &queue->requests[queue->order[queue->oldest]];

		if (!request->finished)
			return;
		queue->oldest = (uint16_t)((queue->oldest + 1) % queue->vq->ring.size);
		complete_use(queue, request);
	}
}

void
vblk_complete(struct vblk_queue *queue, struct vblk_request *request, uint8_t status)
{
	VDUSE_TRACE(blk_complete, queue->vq->name, queue->vq->index, request->chain.head, status);
	*(volatile uint8_t *)request->status = status;
	if (unlikely(queue->vq->ring.log != NULL))
		vring_log_va(&queue->vq->ring, request->status, 1);
	/* After a failed read, any part of the data may be missing. */
	if (unlikely(status != VIRTIO_BLK_S_OK))
		request->chain.used_len = vblk_request_used(request, 0);
	if (unlikely(request->room != NULL))
		vblk_part_leave(queue, request);
	vblk_stats_count(&queue->stats, request, status);
	request->finished = true;
	if (likely(!queue->vq->ring.in_order))
		complete_use(queue, request);
	else
		complete_in_order(queue);
}

void
vblk_complete_published(struct vblk_queue *queue)
{
	uint16_t i;

	vblk_inflight_published(&queue->inflight, &queue->vq->ring);
	for (i = 0; i < queue->nb_done; i++) {
		uint16_t slot = queue->done[i];

		VDUSE_TRACE(blk_used, queue->vq->name, queue->vq->index,
			    queue->requests[slot].chain.head);
		vblk_inflight_free(&queue->inflight, slot);
		queue->requests[slot].busy = false;
		if (queue->packed)
			queue->spare[queue->nb_spare++] = slot;
	}
	queue->nb_done = 0;
}

/* Marks what a read wrote in the dirty log; also a failed one, which may have written a part. */
static void
complete_log(const struct vblk_queue *queue, const struct rte_vduse_blk_io *io)
{
	uint16_t i;

	if (io->op != RTE_VDUSE_BLK_READ)
		return;
	for (i = 0; i < io->nb_iov; i++)
		vring_log_va(&queue->vq->ring, io->iov[i].iov_base, io->iov[i].iov_len);
}

static uint8_t
complete_status(int result)
{
	if (likely(result == 0))
		return VIRTIO_BLK_S_OK;
	return result == -ENOTSUP ? VIRTIO_BLK_S_UNSUPP : VIRTIO_BLK_S_IOERR;
}

uint16_t
vblk_complete_poll(struct vblk_queue *queue)
{
	uint64_t data = 0, ranges = 0;
	struct rte_vduse_blk_io *ios[VBLK_BURST];
	struct vblk_latency_run run = { .nb = 0 };
	uint16_t n, i;

	n = queue->channel->ops->poll(queue->channel, ios, VBLK_BURST);
	if (n == 0)
		return 0;
	queue->now = rte_rdtsc();
	for (i = 0; i < n; i++) {
		struct vblk_request *request = container_of(ios[i], struct vblk_request, io);
		uint8_t status = complete_status(request->io.result);

		if (likely(vblk_stage_kind(ios[i]) == VBLK_STAGE_DATA))
			data += ios[i]->len;
		else
			ranges += ios[i]->len;
		if (unlikely(queue->vq->ring.log != NULL))
			complete_log(queue, ios[i]);
		if (status == VIRTIO_BLK_S_OK && vblk_part_next(queue, request, &status)) {
			vblk_dispatch_stage(queue, request);
			continue;
		}
		if (unlikely(status == VIRTIO_BLK_S_IOERR) && vblk_hold(queue, request))
			continue;
		if (status == VIRTIO_BLK_S_IOERR)
			vblk_stats_add(&queue->stats.io_errors, 1);
		vblk_latency_run_add(&run, queue->latency, request->taken, queue->now,
				     request->io.op);
		vblk_complete(queue, request, status);
	}
	vblk_latency_run_end(&run, queue->latency, queue->now);
	queue->stages[VBLK_STAGE_DATA].flying -= data;
	queue->stages[VBLK_STAGE_RANGES].flying -= ranges;
	return n;
}
