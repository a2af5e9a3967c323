/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Starts requests. Operations that the backend cannot take yet wait here, in order.
 * Input: chains popped from the ring. Output: operations submitted to the backend.
 * Thread: polling; vblk_dispatch_submit(): control, too, while it stops a queue.
 */
#include <string.h>

#include <rte_cycles.h>

#include <virtio_blk/blk.h>
#include <virtio_blk/trace.h>

void
vblk_dispatch_stage(struct vblk_queue *queue, struct vblk_request *request)
{
	struct vblk_stage *stage = &queue->stages[vblk_stage_kind(&request->io)];

	stage->ios[stage->nb++] = &request->io;
	stage->waiting += request->io.len;
}

/* Number of operations within the byte limits of a submit. *len: their bytes. */
static uint16_t
dispatch_allowed(const struct vblk_stage *stage, uint64_t *len)
{
	uint64_t most = VBLK_FLIGHT_BYTES - RTE_MIN(stage->flying, VBLK_FLIGHT_BYTES);
	uint16_t n;

	most = RTE_MIN(most, VBLK_POLL_BYTES);
	*len = stage->waiting;
	if (likely(stage->waiting <= most))
		return stage->nb;
	*len = 0;
	for (n = 0; n < stage->nb && *len + stage->ios[n]->len <= most; n++)
		*len += stage->ios[n]->len;
	/* A range may be larger than the limits: submit it alone. */
	if (n == 0 && stage->flying == 0)
		*len = stage->ios[n++]->len;
	return n;
}

static void
dispatch_submit(struct vblk_queue *queue, struct vblk_stage *stage)
{
	struct rte_vduse_blk_channel *channel = queue->channel;
	uint16_t allowed, n, i;
	uint64_t len;

	allowed = dispatch_allowed(stage, &len);
	if (allowed == 0)
		return;
	n = channel->ops->submit(channel, stage->ios, allowed);
	for (i = 0; i < n; i++) {
		const struct rte_vduse_blk_io *io = stage->ios[i];

		VDUSE_TRACE(blk_submit, queue->vq->name, queue->vq->index,
			    container_of(io, const struct vblk_request, io)->chain.head, io->op,
			    io->offset, io->len);
	}
	for (; i < allowed; i++)
		len -= stage->ios[i]->len;
	stage->waiting -= len;
	stage->flying += len;
	stage->nb = (uint16_t)(stage->nb - n);
	if (unlikely(stage->nb > 0))
		memmove(stage->ios, stage->ios + n, stage->nb * sizeof(*stage->ios));
}

void
vblk_dispatch_submit(struct vblk_queue *queue)
{
	unsigned int i;

	for (i = 0; i < VBLK_STAGES; i++)
		if (queue->stages[i].nb > 0)
			dispatch_submit(queue, &queue->stages[i]);
}

/* Stops the queue: the chain violates the specification so that it cannot be answered. */
static bool
dispatch_fail(struct vblk_queue *queue, const char *why, const struct rte_vduse_chain *chain)
{
	vblk_stats_add(&queue->stats.bad_descriptors, 1);
	rte_vduse_vq_fail(queue->vq, why, chain->head);
	return false;
}

/* Starts the request of a slot: from here on it is in flight. */
static bool
dispatch_begin(struct vblk_queue *queue, uint16_t slot, const struct rte_vduse_chain *chain)
{
	if (unlikely(!vblk_request_init(&queue->requests[slot], chain)))
		return dispatch_fail(queue, "a request without a byte for its status, descriptor",
				     chain);
	if (queue->vq->ring.in_order)
		queue->order[(queue->oldest + queue->in_flight) % queue->vq->ring.size] = slot;
	queue->requests[slot].taken = queue->now;
	queue->in_flight++;
	return true;
}

static bool
dispatch_slot(struct vblk_queue *queue, uint16_t slot, const struct rte_vduse_chain *chain,
	      const struct virtio_blk_outhdr *header)
{
	struct vblk_request *request = &queue->requests[slot];
	uint8_t status;
	bool done;

	if (unlikely(!dispatch_begin(queue, slot, chain)))
		return false;
	status = vblk_request_parse(queue, request, chain, header, &done);
	if (likely(status == VIRTIO_BLK_S_OK && !done)) {
		vblk_dispatch_stage(queue, request);
		return true;
	}
	if (status == VIRTIO_BLK_S_IOERR)
		vblk_stats_add(&queue->stats.bad_requests, 1);
	vblk_complete(queue, request, status);
	return true;
}

/* Another process changed the inflight log. Requests in flight do not depend on it. */
static void
dispatch_damaged(struct vblk_queue *queue)
{
	queue->inflight.damaged = false;
	VBLK_LOG_DRIVER(ERR, queue->blk->dev,
			"virtqueue %u: somebody else wrote to its log in the state file: the next "
			"process cannot go on with requests in flight; check who may write to %s",
			queue->vq->index, rte_vduse_state_dir());
}

/* Assigns a slot to a popped chain and writes the inflight log before the request starts. */
static bool
dispatch_chain(struct vblk_queue *queue, const struct rte_vduse_chain *chain,
	       const struct virtio_blk_outhdr *header, uint32_t nb_back)
{
	uint16_t slot = chain->head;

	if (queue->packed)
		slot = queue->spare[--queue->nb_spare];
	else if (unlikely(queue->requests[slot].busy))
		return dispatch_fail(queue,
				     "a request made available again before it was used, "
				     "descriptor",
				     chain);
	vblk_inflight_take(&queue->inflight, &queue->vq->ring, slot, chain, nb_back);
	if (unlikely(queue->inflight.damaged))
		dispatch_damaged(queue);
	return dispatch_slot(queue, slot, chain, header);
}

/* Answers a request with which too many processes died, without parsing it. */
static bool
dispatch_give_up(struct vblk_queue *queue, uint16_t slot, const struct rte_vduse_chain *chain)
{
	struct vblk_request *request = &queue->requests[slot];

	if (unlikely(!dispatch_begin(queue, slot, chain)))
		return false;
	VBLK_LOG_DRIVER(ERR, queue->blk->dev,
			"virtqueue %u: %u processes died with the request at descriptor %u in "
			"flight: it is answered with an I/O error, please report what it is",
			queue->vq->index, vblk_inflight_deaths(&queue->inflight, slot),
			chain->head);
	/* No type of a request: counted as other. */
	request->type = UINT32_MAX;
	vblk_stats_add(&queue->stats.io_errors, 1);
	vblk_complete(queue, request, VIRTIO_BLK_S_IOERR);
	return true;
}

/* Counts that a request is started again: it may be what killed the process before. */
static void
dispatch_again(struct vblk_queue *queue, uint16_t slot)
{
	if (queue->requests[slot].held)
		vblk_stats_add(&queue->stats.held, UINT64_MAX);
	else
		vblk_inflight_count(&queue->inflight, slot);
}

/* Starts requests again that a killed process left in flight or that were held, before any new one. */
static uint16_t
dispatch_replay(struct vblk_queue *queue)
{
	struct rte_vduse_chain chain;
	uint16_t n = 0;

	queue->now = rte_rdtsc();
	/* The same limits per poll as for a pop. */
	queue->vq->ring.nb_read = 0;
	while (queue->next_replay < queue->nb_replay && n < VBLK_BURST &&
	       queue->nb_done < VBLK_BURST && queue->vq->ring.nb_read < VRING_POP_DESCS) {
		uint16_t slot = queue->replay[queue->next_replay];
		uint32_t deaths = vblk_inflight_deaths(&queue->inflight, slot);
		bool started;

		/* A suspect has to be the only one in flight. */
		if (unlikely(queue->in_flight > 0 && deaths >= VBLK_INFLIGHT_DEATHS_MAX - 1))
			break;
		/* Stalled on an unmapped address: a later poll tries it again. */
		if (!vblk_inflight_reread(&queue->inflight, &queue->vq->ring, slot,
					  queue->replay_descs, &chain) ||
		    vblk_part_wait(queue, &chain))
			break;
		queue->next_replay++;
		n++;
		if (unlikely(deaths >= VBLK_INFLIGHT_DEATHS_MAX)) {
			started = dispatch_give_up(queue, slot, &chain);
		} else {
			dispatch_again(queue, slot);
			started = dispatch_slot(queue, slot, &chain, NULL);
		}
		if (!started)
			break;
	}
	/* The requests left to start again are unknown. */
	if (unlikely(queue->inflight.damaged)) {
		dispatch_damaged(queue);
		rte_vduse_vq_fail(queue->vq, "its inflight log is damaged, requests left",
				  (uint64_t)(queue->nb_replay - queue->next_replay));
	}
	return n;
}

/* Never more requests than the ring has descriptors, whatever the driver makes available. */
static inline uint16_t
dispatch_pop(struct vblk_queue *queue, struct rte_vduse_chain *chains)
{
	return vring_pop(
		&queue->vq->ring, chains,
		RTE_MIN((uint16_t)(queue->vq->ring.size - queue->in_flight - queue->nb_done),
			VBLK_BURST));
}

/*
 * Whether the limits of the device permit the request of a chain now. Its header is copied before
 * and what was copied is used, so that the driver cannot change the type afterwards. A request
 * without a header fails, and is not limited.
 */
static bool
dispatch_admit(struct vblk_queue *queue, const struct rte_vduse_chain *chain,
	       struct virtio_blk_outhdr *header, const struct virtio_blk_outhdr **copied,
	       uint64_t now)
{
	*copied = NULL;
	if (!vblk_request_header(chain, header))
		return true;
	*copied = header;
	if (vblk_limit_admit(&queue->blk->limit, &queue->turn, chain, header, now))
		return true;
	vblk_stats_add(&queue->stats.limited, 1);
	return false;
}

/* Of a device with limits: vblk_dispatch_take() until a request has to wait. */
static uint16_t
dispatch_take_limited(struct vblk_queue *queue)
{
	uint64_t now = rte_rdtsc();
	struct rte_vduse_chain chains[VBLK_BURST];
	const struct virtio_blk_outhdr *copied;
	struct virtio_blk_outhdr header;
	uint32_t nb_back = 0;
	uint16_t n, i;

	if (vblk_limit_wait(&queue->blk->limit, &queue->turn) > now)
		return 0;
	queue->now = now;
	n = dispatch_pop(queue, chains);
	for (i = 0; i < n; i++)
		nb_back += chains[i].nb_descs;
	for (i = 0; i < n; i++) {
		if (vblk_part_wait(queue, &chains[i]) ||
		    !dispatch_admit(queue, &chains[i], &header, &copied, now)) {
			vring_unpop(&queue->vq->ring, &chains[i], (uint16_t)(n - i));
			return i;
		}
		if (unlikely(!dispatch_chain(queue, &chains[i], copied, nb_back)))
			break;
		nb_back -= chains[i].nb_descs;
	}
	return n;
}

uint16_t
vblk_dispatch_take(struct vblk_queue *queue)
{
	struct rte_vduse_chain chains[VBLK_BURST];
	uint32_t nb_back = 0;
	uint16_t n, i;

	if (unlikely(queue->next_replay < queue->nb_replay))
		return dispatch_replay(queue);
	/* Relaxed: see vblk_limit_set(). */
	if (unlikely(rte_atomic_load_explicit(&queue->blk->limit.on, rte_memory_order_relaxed)))
		return dispatch_take_limited(queue);
	n = dispatch_pop(queue, chains);
	if (n > 0)
		queue->now = rte_rdtsc();
	for (i = 0; i < n; i++)
		nb_back += chains[i].nb_descs;
	for (i = 0; i < n; i++) {
		if (unlikely(vblk_part_wait(queue, &chains[i]))) {
			vring_unpop(&queue->vq->ring, &chains[i], (uint16_t)(n - i));
			return i;
		}
		if (unlikely(!dispatch_chain(queue, &chains[i], NULL, nb_back)))
			break;
		nb_back -= chains[i].nb_descs;
	}
	return n;
}
