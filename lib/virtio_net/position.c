/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Records where to resume a packed ring if the process is killed. A split ring has its used index;
 * for a packed ring the state file holds, per queue, the published used position and the one that
 * is being published. For a large packet of which an application received some segments, the file
 * holds how many bytes, so that the next process goes on after them.
 * Input: positions of the ring. Output: a ring that resumes there.
 * Thread: the application's and control; note, noted and gso: polling.
 */
#include <assert.h>
#include <errno.h>

#include <rte_vduse_compat.h>

#include <virtio_net/gso.h>
#include <virtio_net/net.h>

/* File layout. A killed process loses no stores, so the order of the stores is the protocol. */
struct vnet_position {
	uint64_t desc; /* identifies the ring, with the next two */
	uint64_t features;
	uint32_t size;
	uint16_t from; /* all before it was published */
	uint16_t to;   /* all before it was published if the descriptor at from is used */
	/*
	 * Bytes of payload of the packet at the position in the high half that were received; 0: all
	 * or none. In one store, so that a process that is killed leaves both or neither.
	 */
	uint64_t gso;
};

static_assert(sizeof(struct vnet_position) <= VNET_PART_CTRL, "see VNET_PART_SIZE");

int
vnet_position_open(struct rte_vduse_net *net, bool handed_over)
{
	bool packed = (rte_vduse_dev_offered(net->dev) & UINT64_C(1) << VIRTIO_F_RING_PACKED) != 0;
	bool taken_over = handed_over || rte_vduse_dev_taken_over(net->dev);
	uint16_t i;
	int ret;

	if (!packed && net->ctrl == NULL)
		return 0;
	ret = rte_vduse_state_open(net->dev, !taken_over);
	for (i = 0; i < net->nb_queues && ret == 0; i++) {
		struct vnet_queue *queue = &net->queues[i];

		ret = rte_vduse_part_open(net->dev, i, VNET_PART_SIZE, &queue->part);
		if (ret == 0)
			queue->position = queue->part.data;
		queue->gso_left = ret == 0 && taken_over && queue->part.kept;
	}
	/*
	 * A new device works without it, but with packed rings it cannot be taken over if its process
	 * is killed. With split rings, what the driver set through the control queue is not known then.
	 */
	return taken_over && packed ? ret : 0;
}

void
vnet_position_close(struct rte_vduse_net *net)
{
	uint16_t i;

	for (i = 0; i < net->nb_queues; i++) {
		net->queues[i].position = NULL;
		rte_vduse_part_close(&net->queues[i].part);
	}
}

static void
position_begin(struct vnet_queue *queue, const struct rte_vduse_vq_info *info)
{
	struct vnet_position *position = queue->position;

	position->desc = info->desc;
	position->features = info->features;
	position->size = info->size;
	position->to = vring_published(&queue->vq->ring);
	position->from = position->to;
}

int
vnet_position_start(struct vnet_queue *queue, const struct rte_vduse_vq_info *info)
{
	struct vnet_position *position = queue->position;
	int ret = -EINVAL;

	if ((info->features & UINT64_C(1) << VIRTIO_F_RING_PACKED) == 0)
		return 0;
	if (position != NULL && !info->resumed)
		position_begin(queue, info);
	if (!info->resumed)
		return 0;
	if (position != NULL && queue->part.kept && position->desc == info->desc &&
	    position->features == info->features && position->size == info->size)
		ret = vring_packed_go_on(&queue->vq->ring, position->from, position->to);
	if (ret == 0) {
		position_begin(queue, info);
		return 0;
	}
	VNET_LOG_DRIVER(ERR, queue->vq->dev,
			"virtqueue %u was left while it was written, and its position is "
			"unknown: unbind its driver and bind it again",
			queue->vq->index);
	return -EUCLEAN;
}

void
vnet_position_note(struct vnet_queue *queue)
{
	/* Stored before the ring is published: publish is a release, too. */
	rte_atomic_store_explicit(&queue->position->to,
				  (uint16_t)(vring_position(&queue->vq->ring) >> 16),
				  rte_memory_order_release);
}

void
vnet_position_noted(struct vnet_queue *queue)
{
	/* Release: stored after the ring was published. */
	rte_atomic_store_explicit(&queue->position->from, queue->position->to,
				  rte_memory_order_release);
}

/* Where the next chain is popped. */
static uint64_t
position_chain(const struct vnet_queue *queue)
{
	return vring_position(&queue->vq->ring) & UINT16_MAX;
}

void
vnet_position_gso(struct vnet_queue *queue)
{
	uint64_t gso = 0;

	if (queue->position == NULL)
		return;
	if (queue->gso_at != 0)
		gso = position_chain(queue) << 32 | queue->gso_at;
	/* Relaxed: read by the next process when this one is at rest or gone. */
	rte_atomic_store_explicit(&queue->position->gso, gso, rte_memory_order_relaxed);
}

uint32_t
vnet_position_gso_at(struct vnet_queue *queue)
{
	struct vnet_position *position = queue->position;
	bool left = queue->gso_left;
	uint64_t gso;

	queue->gso_left = false;
	if (position == NULL)
		return 0;
	gso = position->gso;
	if (left && gso >> 32 == position_chain(queue) && (uint32_t)gso <= VNET_GSO_FRAME_MAX)
		return (uint32_t)gso;
	position->gso = 0;
	return 0;
}
