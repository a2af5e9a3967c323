/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Splits requests into parts: a request may have any length, an operation of a backend is bounded.
 * The next part starts when the backend has finished the previous one.
 * Input: the data or range of a parsed request. Output: request->io, one part at a time.
 * Thread: polling; control while it stops a queue.
 */
#include <errno.h>
#include <stdlib.h>

#include <virtio_blk/blk.h>

int
vblk_part_alloc(struct vblk_queue *queue)
{
	size_t room = queue->vq->ring.max_bufs;
	uint16_t i;

	queue->rooms = malloc(VBLK_ROOMS * room * sizeof(*queue->rooms));
	if (queue->rooms == NULL)
		return -ENOMEM;
	for (i = 0; i < VBLK_ROOMS; i++)
		queue->spare_rooms[i] = queue->rooms + i * room;
	queue->nb_rooms = VBLK_ROOMS;
	return 0;
}

void
vblk_part_take(struct vblk_queue *queue, struct vblk_request *request)
{
	request->room = queue->spare_rooms[--queue->nb_rooms];
	request->io.iov = request->room;
}

void
vblk_part_leave(struct vblk_queue *queue, struct vblk_request *request)
{
	queue->spare_rooms[queue->nb_rooms++] = request->room;
	request->room = NULL;
}

/* Cuts the operation after len bytes, possibly inside a vector. */
static void
part_end(struct vblk_request *request, uint64_t len)
{
	struct rte_vduse_blk_io *io = &request->io;
	struct iovec *last;
	uint64_t sum = 0;
	uint16_t n = 0;

	while (sum < len)
		sum += io->iov[n++].iov_len;
	last = &io->iov[n - 1];
	request->rest.iov_len = (size_t)(sum - len);
	last->iov_len -= request->rest.iov_len;
	request->rest.iov_base = (uint8_t *)last->iov_base + last->iov_len;
	request->left -= len;
	request->nb_left = (uint16_t)(request->nb_left - n);
	io->nb_iov = n;
	io->len = len;
}

/*
 * Makes the next operation of the data that is left, from io->iov and io->offset on. It ends at a
 * block boundary unless it is the last. VIRTIO_BLK_S_IOERR: a block has too many pieces.
 */
static uint8_t
part_cut(const struct vblk_queue *queue, struct vblk_request *request)
{
	struct rte_vduse_blk_io *io = &request->io;
	uint64_t most = RTE_MIN(request->left, VBLK_PART_BYTES), len = 0, over;
	uint16_t n, nb = (uint16_t)RTE_MIN(request->nb_left, VBLK_PART_IOV);

	for (n = 0; n < nb && len < most; n++)
		len += io->iov[n].iov_len;
	len = RTE_MIN(len, most);
	over = len < request->left ? (io->offset + len) % queue->blk->block_size : 0;
	if (over >= len)
		return VIRTIO_BLK_S_IOERR;
	part_end(request, len - over);
	return VIRTIO_BLK_S_OK;
}

uint8_t
vblk_part_split(const struct vblk_queue *queue, struct vblk_request *request)
{
	request->left = request->io.len;
	request->nb_left = request->io.nb_iov;
	return part_cut(queue, request);
}

/* Continues after the vectors of the last part, with the rest of a vector that was cut. */
static uint8_t
part_next_data(const struct vblk_queue *queue, struct vblk_request *request)
{
	struct rte_vduse_blk_io *io = &request->io;

	io->offset += io->len;
	io->iov += io->nb_iov;
	if (request->rest.iov_len > 0) {
		*--io->iov = request->rest;
		request->nb_left++;
	}
	return part_cut(queue, request);
}

void
vblk_part_range(const struct vblk_queue *queue, struct vblk_request *request)
{
	const struct rte_vduse_blk_limits *limits = &queue->blk->backend->limits;
	struct rte_vduse_blk_io *io = &request->io;
	uint64_t most = io->op == RTE_VDUSE_BLK_DISCARD ? limits->discard_part : limits->zero_part;

	request->left = 0;
	if (most == 0)
		return;
	/* Align parts to their size, so that they keep the backend's granularity. */
	most -= io->offset % most;
	if (io->len <= most)
		return;
	request->left = io->len - most;
	io->len = most;
}

static void
part_next_range(const struct vblk_queue *queue, struct vblk_request *request)
{
	struct rte_vduse_blk_io *io = &request->io;

	io->offset += io->len;
	io->len = request->left;
	vblk_part_range(queue, request);
}

bool
vblk_part_advance(const struct vblk_queue *queue, struct vblk_request *request, uint8_t *status)
{
	if (request->left > 0 && request->nb_ranges == 0)
		*status = part_next_data(queue, request);
	else if (request->left > 0)
		part_next_range(queue, request);
	else if (!vblk_request_next_range(queue, request))
		return false;
	else if (queue->stopping)
		*status = VIRTIO_BLK_S_IOERR;
	return *status == VIRTIO_BLK_S_OK;
}
