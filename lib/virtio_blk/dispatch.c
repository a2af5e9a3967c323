/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Requests on their way to the backend. In flow chains off the ring, out flow operations that
 * the backend has taken; those it cannot take yet wait here, in order. Polling thread.
 */
#include <string.h>

#include <rte_debug.h>

#include "blk.h"

void
vblk_dispatch_stage(struct vblk_queue *queue, struct vblk_request *request)
{
	queue->staged[queue->nb_staged++] = &request->io;
}

void
vblk_dispatch_submit(struct vblk_queue *queue)
{
	uint16_t n;

	if (queue->nb_staged == 0)
		return;
	n = queue->channel->ops->submit(queue->channel, queue->staged, queue->nb_staged);
	queue->nb_staged = (uint16_t)(queue->nb_staged - n);
	if (unlikely(queue->nb_staged > 0))
		memmove(queue->staged, queue->staged + n, queue->nb_staged * sizeof(*queue->staged));
}

/* False: the chain breaks the rules in a way that leaves no answer; the queue stops. */
static bool
dispatch_chain(struct vblk_queue *queue, const struct vring_chain *chain)
{
	struct vblk_request *request;
	const char *why = NULL;
	uint8_t status;
	bool done;

	/* A ring has no other heads: this is against a mistake of ours. */
	RTE_VERIFY(chain->head < queue->ring.size);
	request = &queue->requests[chain->head];
	if (unlikely(request->busy))
		why = "a request made available again before it was used, descriptor";
	else if (unlikely(!vblk_request_init(request, chain)))
		why = "a request without a byte for its status, descriptor";
	if (unlikely(why != NULL)) {
		vblk_stats_add(&queue->stats.bad_descriptors, 1);
		rte_vduse_vq_fail(queue->vq, why, chain->head);
		return false;
	}
	queue->in_flight++;
	status = vblk_request_parse(queue, request, chain, &done);
	if (likely(status == VIRTIO_BLK_S_OK && !done)) {
		vblk_dispatch_stage(queue, request);
		return true;
	}
	if (status == VIRTIO_BLK_S_IOERR)
		vblk_stats_add(&queue->stats.bad_requests, 1);
	vblk_complete(queue, request, status);
	return true;
}

uint16_t
vblk_dispatch_take(struct vblk_queue *queue)
{
	struct vring_chain chains[VBLK_BURST];
	uint16_t n, i;

	/* A driver has no more chains than the ring has descriptors; one that says so lies. */
	n = vring_pop(&queue->ring, chains,
		      RTE_MIN((uint16_t)(queue->ring.size - queue->in_flight), VBLK_BURST));
	for (i = 0; i < n; i++)
		if (unlikely(!dispatch_chain(queue, &chains[i])))
			break;
	return n;
}
