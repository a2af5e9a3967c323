/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Operations on an image of librbd, zero-copy. Threads of librbd put each finished operation on a
 * list, from which the poll takes it without a system call. The list is linked through the
 * operations, so it cannot overflow. See backend.h.
 * Input: operations of a queue. Output: the same with results.
 * Thread: the one that polls the queue; image_finished(): librbd's.
 */
#include <errno.h>
#include <stdlib.h>

#include <rte_vduse_compat.h>

#include <virtio_blk/backend/rbd.h>
#include <virtio_blk/blk.h>

/* Stage of an operation; FUA is a flush after the data. */
enum image_stage {
	IMAGE_DATA,
	IMAGE_SYNC,
};

struct image_channel {
	struct rte_vduse_blk_channel channel;
	struct image_backend *rbd;
	struct vblk_fifo done;  /* with a result, for the poll to return */
	struct vblk_fifo again; /* librbd returned -EAGAIN */
	struct rte_vduse_blk_io
		*finished; /* latest first; librbd's threads push, the poller takes all */
};

/* What the operations of this backend hold besides. */
struct image_io {
	struct image_channel *channel;
	enum image_stage stage;
};
static_assert(sizeof(struct image_io) <= RTE_VDUSE_BLK_IO_PRIV, "no room for it in an operation");

static struct image_io *
image_io(const struct rte_vduse_blk_io *io)
{
	return (struct image_io *)(uintptr_t)io->priv;
}

int
image_channel_open(struct rte_vduse_blk_backend *backend, uint16_t depth,
		   struct rte_vduse_blk_channel **result)
{
	struct image_channel *channel = calloc(1, sizeof(*channel));

	RTE_SET_USED(depth);
	if (channel == NULL)
		return -ENOMEM;
	channel->rbd = (struct image_backend *)backend;
	vblk_fifo_init(&channel->done);
	vblk_fifo_init(&channel->again);
	*result = &channel->channel;
	return 0;
}

void
image_channel_close(struct rte_vduse_blk_channel *base)
{
	free(base);
}

/* A read returns its number of bytes, all others 0. */
static int
image_result(const struct rte_vduse_blk_io *io, ssize_t value)
{
	if (value < 0)
		return value == -EOPNOTSUPP ? -ENOTSUP : (int)value;
	/* The image is shorter than the disk now. */
	if (io->op == RTE_VDUSE_BLK_READ && (uint64_t)value != io->len)
		return -EIO;
	return 0;
}

/* Once it is on the list the poller owns the operation again, and may close the channel. */
static void
image_finished(rbd_completion_t completion, void *arg)
{
	struct rte_vduse_blk_io *io = arg;
	struct image_channel *channel = image_io(io)->channel;

	io->result = image_result(io, rbd_aio_get_return_value(completion));
	rbd_aio_release(completion);
	io->next = rte_atomic_load_explicit(&channel->finished, rte_memory_order_relaxed);
	/* Release: the result before the list; pairs with the exchange in image_collect(). */
	while (!rte_atomic_compare_exchange_weak_explicit(&channel->finished, &io->next, io,
							  rte_memory_order_release,
							  rte_memory_order_relaxed))
		;
}

static int
image_call(rbd_image_t image, struct rte_vduse_blk_io *io, rbd_completion_t completion)
{
	if (image_io(io)->stage == IMAGE_SYNC)
		return rbd_aio_flush(image, completion);
	switch (io->op) {
	case RTE_VDUSE_BLK_READ:
		return rbd_aio_readv(image, io->iov, io->nb_iov, io->offset, completion);
	case RTE_VDUSE_BLK_WRITE:
		return rbd_aio_writev(image, io->iov, io->nb_iov, io->offset, completion);
	case RTE_VDUSE_BLK_FLUSH:
		return rbd_aio_flush(image, completion);
	case RTE_VDUSE_BLK_DISCARD:
		return rbd_aio_discard(image, io->offset, io->len, completion);
	case RTE_VDUSE_BLK_ZERO:
		return rbd_aio_write_zeroes(image, io->offset, io->len, completion,
					    io->unmap ? 0 : RBD_WRITE_ZEROES_FLAG_THICK_PROVISION,
					    0);
	default:
		return -ENOTSUP;
	}
}

/* Submits an operation to librbd. -EAGAIN: a later poll tries again; else it is done. */
static void
image_begin(struct image_channel *channel, struct rte_vduse_blk_io *io)
{
	rbd_completion_t completion;
	int ret;

	image_io(io)->channel = channel;
	ret = rbd_aio_create_completion(io, image_finished, &completion);
	if (ret == 0) {
		ret = image_call(channel->rbd->image, io, completion);
		if (ret < 0)
			rbd_aio_release(completion);
	}
	if (likely(ret >= 0))
		return;
	if (ret == -EAGAIN) {
		vblk_fifo_put(&channel->again, io);
		return;
	}
	io->result = ret == -EOPNOTSUPP ? -ENOTSUP : ret;
	vblk_fifo_put(&channel->done, io);
}

uint16_t
image_submit(struct rte_vduse_blk_channel *base, struct rte_vduse_blk_io **ios, uint16_t nb)
{
	struct image_channel *channel = (struct image_channel *)base;
	uint16_t i;

	for (i = 0; i < nb; i++) {
		image_io(ios[i])->stage = IMAGE_DATA;
		image_begin(channel, ios[i]);
	}
	return nb;
}

/* With a cache in librbd a finished write may be only in the cache. */
static bool
image_wants_sync(const struct rte_vduse_blk_io *io)
{
	return io->fua && io->result == 0 && image_io(io)->stage == IMAGE_DATA &&
	       (io->op == RTE_VDUSE_BLK_WRITE || io->op == RTE_VDUSE_BLK_ZERO);
}

static void
image_retry(struct image_channel *channel)
{
	struct rte_vduse_blk_io *io = channel->again.first, *next;

	vblk_fifo_init(&channel->again);
	for (; io != NULL; io = next) {
		next = io->next;
		image_begin(channel, io);
	}
}

/* Takes the operations that librbd finished, first in, first out. */
static void
image_collect(struct image_channel *channel)
{
	struct rte_vduse_blk_io *io, *next, *first = NULL;

	if (rte_atomic_load_explicit(&channel->finished, rte_memory_order_relaxed) == NULL)
		return;
	io = rte_atomic_exchange_explicit(&channel->finished, NULL, rte_memory_order_acquire);
	for (; io != NULL; io = next) {
		next = io->next;
		io->next = first;
		first = io;
	}
	for (io = first; io != NULL; io = next) {
		next = io->next;
		if (unlikely(image_wants_sync(io))) {
			image_io(io)->stage = IMAGE_SYNC;
			image_begin(channel, io);
		} else {
			vblk_fifo_put(&channel->done, io);
		}
	}
}

uint16_t
image_poll(struct rte_vduse_blk_channel *base, struct rte_vduse_blk_io **ios, uint16_t nb)
{
	struct image_channel *channel = (struct image_channel *)base;

	if (unlikely(channel->again.first != NULL))
		image_retry(channel);
	image_collect(channel);
	return vblk_fifo_take(&channel->done, ios, nb);
}
