/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Operations on an image of librbd. In flow those of a queue, which librbd takes with the
 * driver's pages as they are; a thread of its own calls back for each that is finished and puts
 * it on a ring, from which the poll takes it without a system call. See backend.h.
 */
#include <errno.h>
#include <stdlib.h>

#include <rte_ring.h>

#include "backend_rbd.h"
#include "blk.h"

/* What is under way of an operation; FUA is a flush behind it. */
enum image_stage {
	IMAGE_DATA,
	IMAGE_SYNC,
};

struct image_channel {
	struct vblk_channel channel;
	struct image_backend *rbd;
	struct vblk_fifo done; /* refused by librbd */
	struct rte_ring *ring; /* finished: librbd's threads put, the poller takes */
};

int
image_channel_open(struct vblk_backend *backend, uint16_t depth, struct vblk_channel **result)
{
	struct image_channel *channel = calloc(1, sizeof(*channel));
	unsigned int size = rte_align32pow2(depth + 1u);
	ssize_t bytes = rte_ring_get_memsize(size);
	int ret = -ENOMEM;

	if (channel == NULL || bytes < 0)
		goto free_channel;
	channel->ring = aligned_alloc(RTE_CACHE_LINE_SIZE,
				      RTE_ALIGN_CEIL((size_t)bytes, RTE_CACHE_LINE_SIZE));
	if (channel->ring == NULL)
		goto free_channel;
	ret = rte_ring_init(channel->ring, backend->name, size, RING_F_SC_DEQ);
	if (ret < 0)
		goto free_ring;
	channel->channel.ops = backend->ops;
	channel->rbd = (struct image_backend *)backend;
	vblk_fifo_init(&channel->done);
	*result = &channel->channel;
	return 0;

free_ring:
	free(channel->ring);
free_channel:
	free(channel);
	return ret;
}

void
image_channel_close(struct vblk_channel *base)
{
	struct image_channel *channel = (struct image_channel *)base;

	free(channel->ring);
	free(channel);
}

/* A read says how many bytes it has; all else says 0. */
static int
image_result(const struct vblk_io *io, ssize_t value)
{
	if (value < 0)
		return value == -EOPNOTSUPP ? -ENOTSUP : (int)value;
	/* The image has become shorter than the disk. */
	if (io->op == VBLK_READ && (uint64_t)value != io->len)
		return -EIO;
	return 0;
}

/* A thread of librbd's. The operation is the poller's again once it is on the ring. */
static void
image_finished(rbd_completion_t completion, void *arg)
{
	struct vblk_io *io = arg;
	struct image_channel *channel = io->room;

	io->result = image_result(io, rbd_aio_get_return_value(completion));
	rbd_aio_release(completion);
	/* It has room for all that are in flight. */
	(void)rte_ring_mp_enqueue(channel->ring, io);
}

static int
image_call(rbd_image_t image, struct vblk_io *io, rbd_completion_t completion)
{
	if (io->stage == IMAGE_SYNC)
		return rbd_aio_flush(image, completion);
	switch (io->op) {
	case VBLK_READ:
		return rbd_aio_readv(image, io->iov, io->nb_iov, io->offset, completion);
	case VBLK_WRITE:
		return rbd_aio_writev(image, io->iov, io->nb_iov, io->offset, completion);
	case VBLK_FLUSH:
		return rbd_aio_flush(image, completion);
	case VBLK_DISCARD:
		return rbd_aio_discard(image, io->offset, io->len, completion);
	case VBLK_ZERO:
		return rbd_aio_write_zeroes(image, io->offset, io->len, completion,
					    io->unmap ? 0 : RBD_WRITE_ZEROES_FLAG_THICK_PROVISION,
					    0);
	default:
		return -ENOTSUP;
	}
}

/* Hands it to librbd, or to the poll with the reason why not. */
static void
image_begin(struct image_channel *channel, struct vblk_io *io)
{
	rbd_completion_t completion;
	int ret;

	io->room = channel;
	ret = rbd_aio_create_completion(io, image_finished, &completion);
	if (ret == 0) {
		ret = image_call(channel->rbd->image, io, completion);
		if (ret < 0)
			rbd_aio_release(completion);
	}
	if (likely(ret >= 0))
		return;
	io->result = ret == -EOPNOTSUPP ? -ENOTSUP : ret;
	vblk_fifo_put(&channel->done, io);
}

uint16_t
image_submit(struct vblk_channel *base, struct vblk_io **ios, uint16_t nb)
{
	struct image_channel *channel = (struct image_channel *)base;
	uint16_t i;

	for (i = 0; i < nb; i++) {
		ios[i]->stage = IMAGE_DATA;
		image_begin(channel, ios[i]);
	}
	return nb;
}

/* With a cache in librbd a write that is finished may be there alone. */
static bool
image_wants_sync(const struct vblk_io *io)
{
	return io->fua && io->result == 0 && io->stage == IMAGE_DATA &&
	       (io->op == VBLK_WRITE || io->op == VBLK_ZERO);
}

uint16_t
image_poll(struct vblk_channel *base, struct vblk_io **ios, uint16_t nb)
{
	struct image_channel *channel = (struct image_channel *)base;
	uint16_t n, found, i;

	n = vblk_fifo_take(&channel->done, ios, nb);
	found = (uint16_t)rte_ring_sc_dequeue_burst(channel->ring, (void **)&ios[n],
						    (unsigned int)(nb - n), NULL);
	for (i = n, found = (uint16_t)(found + n); i < found; i++) {
		struct vblk_io *io = ios[i];

		if (unlikely(image_wants_sync(io))) {
			io->stage = IMAGE_SYNC;
			image_begin(channel, io);
		} else {
			ios[n++] = io;
		}
	}
	return n;
}
