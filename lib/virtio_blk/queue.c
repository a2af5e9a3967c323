/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Starts, drains, stops and polls a virtqueue of a block device. Before memory or rings change, all
 * requests in flight are completed, because the backend holds addresses of driver memory. So when
 * a queue stops, all popped chains are used, and a later start resumes at the end of the used ring.
 * Thread: control; rte_vduse_blk_poll(): polling.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_cycles.h>
#include <rte_vduse_compat.h>
#include <rte_vduse_handover.h>

#include <virtio_blk/blk.h>

static void
queue_free(struct vblk_queue *queue)
{
	free(queue->requests);
	free(queue->iov);
	free(queue->rooms);
	free(queue->staged);
	free(queue->slots);
	free(queue->replay_descs);
	queue->requests = NULL;
	queue->iov = NULL;
	queue->rooms = NULL;
	queue->staged = NULL;
	queue->slots = NULL;
	queue->replay_descs = NULL;
}

/* Vectors are not touched here: pages of unused ones are never populated. */
static int
queue_alloc(struct vblk_queue *queue)
{
	uint16_t stride = queue->blk->iov_stride, size = queue->vq->ring.size, i;

	queue->requests = aligned_alloc(RTE_CACHE_LINE_SIZE, size * sizeof(*queue->requests));
	queue->iov = malloc((size_t)size * stride * sizeof(*queue->iov));
	queue->staged = malloc(VBLK_STAGES * size * sizeof(*queue->staged));
	queue->slots = malloc(4 * size * sizeof(*queue->slots));
	queue->replay_descs = malloc(size * sizeof(*queue->replay_descs));
	if (vblk_part_alloc(queue) < 0 || queue->requests == NULL || queue->iov == NULL ||
	    queue->staged == NULL || queue->slots == NULL || queue->replay_descs == NULL) {
		queue_free(queue);
		return -ENOMEM;
	}
	memset(queue->requests, 0, size * sizeof(*queue->requests));
	for (i = 0; i < size; i++)
		queue->requests[i].iov = &queue->iov[(size_t)i * stride];
	for (i = 0; i < VBLK_STAGES; i++)
		queue->stages[i] = (struct vblk_stage){ .ios = queue->staged + i * size };
	queue->done = queue->slots;
	queue->spare = queue->slots + size;
	queue->replay = queue->slots + 2 * size;
	queue->order = queue->slots + 3 * size;
	queue->stopping = false;
	queue->oldest = 0;
	queue->turn.at = 0;
	queue->nb_done = 0;
	queue->nb_replay = 0;
	queue->next_replay = 0;
	return 0;
}

/* Lists the slots that have no request to be started again. */
static void
queue_find_spare(struct vblk_queue *queue)
{
	uint16_t i;

	for (i = 0; i < queue->nb_replay; i++)
		queue->requests[queue->replay[i]].busy = true;
	queue->nb_spare = 0;
	for (i = queue->vq->ring.size; i-- > 0;)
		if (!queue->requests[i].busy)
			queue->spare[queue->nb_spare++] = i;
}

/*
 * A process died with requests in flight. A used ring tells how many of them it finished but not
 * which, a packed ring not even that. To run one twice or not at all could lose data, so only a
 * reset by the driver helps.
 */
static int
queue_lost(const struct vblk_queue *queue, const char *why)
{
	VBLK_LOG_DRIVER(ERR, queue->blk->dev,
			"virtqueue %u was left with requests in flight, nobody knows which (%s): "
			"unbind its driver and bind it again",
			queue->vq->index, why);
	return -EUCLEAN;
}

/* Resumes where a killed process left the ring, or at the transport's position. */
static int
queue_resume(struct vblk_queue *queue, const struct rte_vduse_vq_info *info)
{
	int ret = 0;

	if (vblk_inflight_left(&queue->inflight, info)) {
		ret = vblk_inflight_recover(&queue->inflight, info, &queue->vq->ring, queue->replay,
					    &queue->nb_replay);
		if (ret == -EUCLEAN)
			return queue_lost(queue, "the inflight log is of another ring, or damaged");
		if (queue->nb_replay > 0)
			VBLK_LOG_DRIVER(NOTICE, queue->blk->dev,
					"virtqueue %u: %u requests were in flight, taken again",
					queue->vq->index, queue->nb_replay);
	} else if (info->resumed && queue->packed && !queue->part.kept) {
		return queue_lost(queue, "there is no inflight log");
	} else if (vring_position(&queue->vq->ring) != info->position &&
		   vring_count(&queue->vq->ring) != 0) {
		return queue_lost(queue, "there is no inflight log");
	} else {
		vblk_inflight_begin(&queue->inflight, info, &queue->vq->ring);
	}
	return ret;
}

/* Tells the backend the largest region: most buffers are there. */
static void
queue_lend_memory(struct vblk_queue *queue)
{
	const struct rte_vduse_region *regions;
	uint64_t len, most = 0;
	void *va = NULL;
	uint32_t nb, i;

	regions = rte_vduse_dev_regions(queue->blk->dev, &nb);
	for (i = 0; i < nb; i++) {
		len = regions[i].last - regions[i].first + 1;
		if (!regions[i].pinnable || !regions[i].writable || len <= most)
			continue;
		va = regions[i].va;
		most = len;
	}
	vblk_channel_memory(queue->channel, va, most);
}

/* The first queue that starts acquires the backend; the last one that stops releases it. */
static int
queue_acquire(struct vblk_queue *queue)
{
	struct rte_vduse_blk *blk = queue->blk;
	int ret = blk->nb_acquired == 0 ? vblk_backend_acquire(blk->backend) : 0;

	if (ret < 0) {
		VBLK_LOG_DRIVER(ERR, blk->dev,
				"its backend is in use by another process or device (%s): stop "
				"the disk there, then reset its driver here",
				strerror(-ret));
		return ret;
	}
	queue->acquired = true;
	blk->nb_acquired++;
	return 0;
}

void
vblk_queue_release(struct vblk_queue *queue)
{
	if (!queue->acquired)
		return;
	queue->acquired = false;
	if (--queue->blk->nb_acquired == 0)
		vblk_backend_release(queue->blk->backend);
}

static int
queue_prepare(struct vblk_queue *queue, const struct rte_vduse_vq_info *info)
{
	int ret;

	/* Section 5.2.6.2: for a driver that cannot flush, a write completes on stable storage. */
	queue->write_through = (info->features & VBLK_BIT(VIRTIO_BLK_F_FLUSH)) == 0;
	queue->settable = (info->features & VBLK_BIT(VIRTIO_BLK_F_CONFIG_WCE)) != 0;
	queue->packed = (info->features & VBLK_BIT(VIRTIO_F_RING_PACKED)) != 0;
	ret = vblk_room_make(queue, (uint16_t)info->size);
	if (ret == 0)
		ret = queue_alloc(queue);
	if (ret < 0)
		return ret;
	ret = queue_resume(queue, info);
	if (ret < 0) {
		queue_free(queue);
		return ret;
	}
	queue_find_spare(queue);
	queue_lend_memory(queue);
	return 0;
}

static int
queue_start(struct rte_vduse_vq *vq, const struct rte_vduse_vq_info *info, void *arg)
{
	struct rte_vduse_blk *blk = arg;
	struct vblk_queue *queue = &blk->queues[vq->index];
	int ret = queue_acquire(queue);

	if (ret < 0)
		return ret;
	ret = queue_prepare(queue, info);
	if (ret < 0)
		vblk_queue_release(queue);
	return ret;
}

/*
 * Publishes used chains and interrupts the driver if it asks for it. Interrupts are not coalesced:
 * the driver would be idle for longer than that saves.
 */
static inline void
queue_publish(struct vblk_queue *queue)
{
	bool call;

	vblk_complete_push(queue);
	rte_atomic_store_explicit(&queue->stats.in_flight, queue->in_flight,
				  rte_memory_order_relaxed);
	if (!queue->pushed)
		return;
	queue->pushed = false;
	call = vring_publish(&queue->vq->ring);
	vblk_complete_published(queue);
	if (call) {
		/* Fails only while the driver resets: it then needs no interrupt. */
		(void)rte_vduse_vq_call(queue->vq);
		vblk_stats_add(&queue->stats.calls, 1);
	} else {
		vblk_stats_add(&queue->stats.calls_suppressed, 1);
	}
}

/*
 * Requests that are not started again yet, of a queue whose log nobody reads after its stop: starts
 * them, and does not hold those that fail. Returns how many are to come. Those that cannot be read
 * are not waited for.
 */
static unsigned int
queue_start_left(struct vblk_queue *queue)
{
	if (likely(!queue->vq->forgets) || queue->stopping || !queue->vq->ring.started ||
	    queue->next_replay == queue->nb_replay)
		return 0;
	if (vblk_dispatch_take(queue) == 0 && queue->in_flight == 0)
		return 0;
	return (unsigned int)(queue->nb_replay - queue->next_replay);
}

/* Never gives up: the backend would still access memory that belongs to someone else. */
static unsigned int
queue_drain(struct rte_vduse_vq *vq, bool stop, void *arg)
{
	struct rte_vduse_blk *blk = arg;
	struct vblk_queue *queue = &blk->queues[vq->index];
	unsigned int left;

	queue->stopping |= stop;
	left = queue_start_left(queue);
	vblk_dispatch_submit(queue);
	if (queue->in_flight > 0)
		(void)vblk_complete_poll(queue);
	if (queue->vq->ring.started)
		queue_publish(queue);
	return queue->in_flight + left;
}

static void
queue_memory(struct rte_vduse_vq *vq, void *arg)
{
	struct rte_vduse_blk *blk = arg;

	queue_lend_memory(&blk->queues[vq->index]);
}

static void
queue_stop(struct rte_vduse_vq *vq, void *arg)
{
	struct rte_vduse_blk *blk = arg;
	struct vblk_queue *queue = &blk->queues[vq->index];

	/* The next process resumes at the position in the log, even if nothing is in flight. */
	if (queue->next_replay == queue->nb_replay && !rte_vduse_dev_leaving(blk->dev))
		vblk_inflight_end(&queue->inflight);
	vblk_channel_memory(queue->channel, NULL, 0);
	queue_free(queue);
	vblk_hold_stopped(queue);
	vblk_queue_release(queue);
}

const struct rte_vduse_dev_ops vblk_dev_ops = {
	.vq_start = queue_start,
	.vq_memory = queue_memory,
	.vq_drain = queue_drain,
	.vq_stop = queue_stop,
	.status = vblk_config_status,
	.config_write = vblk_config_write,
	.hand_over = vblk_hand_over,
};

unsigned int
rte_vduse_blk_poll(struct rte_vduse_blk *blk, uint16_t index)
{
	struct vblk_queue *queue = &blk->queues[index];
	unsigned int work = 0;

	if (!vduse_vq_enter(queue->vq))
		return 0;
	/* Relaxed: see rte_vduse_blk_drain(). */
	if (likely(!rte_atomic_load_explicit(&blk->draining, rte_memory_order_relaxed) &&
		   !vblk_hold_on(blk)))
		work = vblk_dispatch_take(queue);
	/* in_flight includes operations that are not submitted yet. */
	if (queue->in_flight > 0) {
		vblk_dispatch_submit(queue);
		work += vblk_complete_poll(queue);
	}
	if (unlikely(queue->asleep) && work > 0)
		vblk_sleep_end(queue);
	queue_publish(queue);
	if (unlikely(queue->vq->ring.fault != VRING_FAULT_NONE) && vduse_vq_fault(queue->vq))
		vblk_stats_add(&queue->stats.bad_descriptors, 1);
	vduse_vq_leave(queue->vq);
	return work;
}
