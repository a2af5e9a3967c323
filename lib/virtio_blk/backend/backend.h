/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * The backends of this library, and what they share. rte_vduse_blk_backend.h says what one is.
 */
#ifndef VBLK_BACKEND_H
#define VBLK_BACKEND_H

#include <errno.h>

#include <rte_vduse_args.h>
#include <rte_vduse_blk_backend.h>

/* Of backends that work on a range while the poller does something else. */
#define VBLK_DISCARD_PART (UINT64_C(256) << 20)
#define VBLK_ZERO_PART    (UINT64_C(16) << 20)

/* See channel_open of struct rte_vduse_blk_backend_ops. */
static inline int
vblk_channel_open(struct rte_vduse_blk_backend *backend, uint16_t depth,
		  struct rte_vduse_blk_channel **channel)
{
	int ret = backend->ops->channel_open(backend, depth, channel);

	if (ret == 0)
		(*channel)->ops = backend->ops;
	return ret;
}

static inline void
vblk_channel_memory(struct rte_vduse_blk_channel *channel, void *va, uint64_t len)
{
	if (channel->ops->channel_memory != NULL)
		channel->ops->channel_memory(channel, va, len);
}

/* Functions that a backend of another version, with a smaller structure, may not have. */
#define VBLK_BACKEND_HAS(ops, name)                                                                \
	((ops)->size >= offsetof(struct rte_vduse_blk_backend_ops, name) + sizeof((ops)->name) &&  \
	 (ops)->name != NULL)

/* See acquire and release of struct rte_vduse_blk_backend_ops. */
static inline int
vblk_backend_acquire(struct rte_vduse_blk_backend *backend)
{
	return VBLK_BACKEND_HAS(backend->ops, acquire) ? backend->ops->acquire(backend) : 0;
}

static inline void
vblk_backend_release(struct rte_vduse_blk_backend *backend)
{
	if (VBLK_BACKEND_HAS(backend->ops, release))
		backend->ops->release(backend);
}

/* See hand_over of struct rte_vduse_blk_backend_ops. -ENOTSUP: the backend has none. */
static inline int
vblk_backend_hand_over(struct rte_vduse_blk_backend *backend, bool gone)
{
	return VBLK_BACKEND_HAS(backend->ops, hand_over) ? backend->ops->hand_over(backend, gone)
							 : -ENOTSUP;
}

/* See channel_sleep of struct rte_vduse_blk_backend_ops. */
static inline bool
vblk_channel_sleep(struct rte_vduse_blk_channel *channel, int fd)
{
	return VBLK_BACKEND_HAS(channel->ops, channel_sleep) &&
	       channel->ops->channel_sleep(channel, fd);
}

extern const struct rte_vduse_blk_backend_ops vblk_backend_null;
extern const struct rte_vduse_blk_backend_ops vblk_backend_ram;
extern const struct rte_vduse_blk_backend_ops vblk_backend_fault;
extern const struct rte_vduse_blk_backend_ops vblk_backend_file;
extern const struct rte_vduse_blk_backend_ops vblk_backend_rbd;

/* backend.c: opens a backend by its name, one log line if it cannot. */
int
vblk_backend_open(const char *name, const struct rte_vduse_blk_backend_conf *conf,
		  struct rte_vduse_blk_backend **backend);
void
vblk_backend_close(struct rte_vduse_blk_backend *backend);

/* For an allocation of open() that failed: one log line and -ENOMEM. */
int
vblk_no_memory(const char *device);

/*
 * backend.c: reads the arguments of a backend. rest is for unknown arguments, as in struct
 * rte_vduse_args. 0, or a negative errno and one log line.
 */
int
vblk_backend_args(const struct rte_vduse_blk_backend_conf *conf, struct rte_vduse_arg *known,
		  unsigned int nb_known, char *rest, size_t rest_size);

/* Finished operations of a backend that has its results at once: first in, first out. */
struct vblk_fifo {
	struct rte_vduse_blk_io *first;
	struct rte_vduse_blk_io **last;
};

static inline void
vblk_fifo_init(struct vblk_fifo *fifo)
{
	fifo->first = NULL;
	fifo->last = &fifo->first;
}

static inline void
vblk_fifo_put(struct vblk_fifo *fifo, struct rte_vduse_blk_io *io)
{
	io->next = NULL;
	*fifo->last = io;
	fifo->last = &io->next;
}

static inline uint16_t
vblk_fifo_take(struct vblk_fifo *fifo, struct rte_vduse_blk_io **ios, uint16_t nb)
{
	uint16_t n;

	for (n = 0; n < nb && fifo->first != NULL; n++) {
		ios[n] = fifo->first;
		fifo->first = ios[n]->next;
	}
	if (fifo->first == NULL)
		fifo->last = &fifo->first;
	return n;
}

#endif /* VBLK_BACKEND_H */
