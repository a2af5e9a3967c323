/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Resources of a queue for a ring of a given size: a channel of the backend and a part of the state
 * file for the inflight log. A driver on a socket may use a larger ring than was announced, so both
 * are checked whenever a ring starts.
 * Input: the size of a ring. Output: a queue that can serve it.
 * Thread: the one that creates the device, then the control thread.
 */
#include <errno.h>

#include <virtio_blk/blk.h>

/* Closes the old channel last: on failure the queue keeps it. */
static int
room_channel(struct vblk_queue *queue, uint16_t size)
{
	struct rte_vduse_blk_channel *channel;
	int ret;

	if (queue->channel != NULL && queue->depth >= size)
		return 0;
	ret = vblk_channel_open(queue->blk->backend, size, &channel);
	if (ret < 0)
		return ret;
	if (queue->channel != NULL)
		queue->channel->ops->channel_close(queue->channel);
	queue->channel = channel;
	queue->depth = size;
	return 0;
}

/*
 * Opens the inflight log that a killed process left, of any size. A ring that needs a larger one
 * gets it when it starts. -ENOENT: none was left.
 */
static int
room_inflight_left(struct vblk_queue *queue, uint16_t index)
{
	int ret = rte_vduse_part_open(queue->blk->dev, index, 0, &queue->part);

	return ret < 0 ? ret
		       : vblk_inflight_open(&queue->inflight, queue->part.data, queue->part.size,
					    1);
}

static int
room_log(struct vblk_queue *queue, uint16_t size)
{
	uint16_t index = (uint16_t)(queue - queue->blk->queues);
	int ret = -ENOENT;

	if (!queue->blk->keeps_inflight || queue->inflight.size >= size)
		return 0;
	if (queue->inflight.size == 0)
		ret = room_inflight_left(queue, index);
	if (ret != -ENOENT)
		return ret;
	ret = rte_vduse_part_open(queue->blk->dev, index, vblk_inflight_size(size), &queue->part);
	if (ret < 0)
		return ret;
	vblk_inflight_close(&queue->inflight);
	return vblk_inflight_open(&queue->inflight, queue->part.data, queue->part.size, size);
}

int
vblk_room_make(struct vblk_queue *queue, uint16_t size)
{
	int ret = room_channel(queue, size);

	/* Without a device there is no state file yet. */
	if (ret == 0 && queue->blk->dev != NULL)
		ret = room_log(queue, size);
	return ret;
}

void
vblk_room_close(struct vblk_queue *queue)
{
	if (queue->channel != NULL)
		queue->blk->backend->ops->channel_close(queue->channel);
	queue->channel = NULL;
	vblk_inflight_close(&queue->inflight);
	rte_vduse_part_close(&queue->part);
}
