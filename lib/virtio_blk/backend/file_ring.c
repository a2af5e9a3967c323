/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Opens and closes channels of a file.
 * Input: the number of operations, and the memory that most of their buffers are in. Output:
 * io_urings with the file and, if the kernel permits, the memory registered. Thread: see backend.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <liburing.h>

#include <virtio_blk/blk.h>
#include <virtio_blk/backend/file_channel.h>

/*
 * Limit of the kernel for one registered buffer. Bounce memory and the memory of a driver in
 * userspace are smaller; of a VM's memory this is a part.
 */
#define FILE_PINNED_MAX (UINT64_C(1) << 30)

/* Unregisters the files: the kernel frees a ring late, which would keep the file in use. */
static void
file_rings_close(struct file_channel *channel)
{
	while (channel->nb_rings > 0) {
		struct io_uring *ring = &channel->rings[--channel->nb_rings];

		(void)io_uring_unregister_files(ring);
		io_uring_queue_exit(ring);
	}
}

static int
file_ring_open(struct file_channel *channel, uint16_t depth, unsigned int flags)
{
	const struct file_backend *file = channel->file;
	struct io_uring *ring = &channel->rings[channel->nb_rings];
	const int fds[] = { file->fd, file->cached_fd };
	int ret;

	/* The completion ring has 2 * depth entries, so it never overflows. */
	ret = io_uring_queue_init(depth, ring, flags);
	if (ret < 0)
		return ret;
	channel->nb_rings++;
	return io_uring_register_files(ring, fds, file->cached_fd >= 0 ? 2 : 1);
}

static int
file_ranges_open(struct file_channel *channel, uint16_t depth)
{
	uint16_t i;

	TAILQ_INIT(&channel->spare_ranges);
	if (channel->file->io_align == RTE_VDUSE_BLK_SECTOR)
		return 0;
	channel->ranges = calloc(depth, sizeof(*channel->ranges));
	if (channel->ranges == NULL)
		return -ENOMEM;
	for (i = 0; i < depth; i++)
		TAILQ_INSERT_TAIL(&channel->spare_ranges, &channel->ranges[i], entry);
	return 0;
}

int
file_channel_open(struct rte_vduse_blk_backend *backend, uint16_t depth,
		  struct rte_vduse_blk_channel **result)
{
	struct file_backend *file = (struct file_backend *)backend;
	struct file_channel *channel = calloc(1, sizeof(*channel));
	int ret;

	if (channel == NULL)
		return -ENOMEM;
	channel->file = file;
	channel->polls = file->polls;
	channel->overlaps = true;
	channel->wake_fd = -1;
	ret = file_ring_open(channel, depth, 0);
	if (ret == 0 && channel->polls)
		ret = file_ring_open(channel, depth, IORING_SETUP_IOPOLL);
	if (ret == 0)
		ret = file_ranges_open(channel, depth);
	if (ret < 0) {
		file_rings_close(channel);
		free(channel);
		return ret;
	}
	file_sleep_init();
	vblk_fifo_init(&channel->done);
	vblk_fifo_init(&channel->again);
	vblk_fifo_init(&channel->blocked);
	vblk_fifo_init(&channel->synced);
	vblk_fifo_init(&channel->to_sync);
	*result = &channel->channel;
	return 0;
}

void
file_channel_close(struct rte_vduse_blk_channel *base)
{
	struct file_channel *channel = (struct file_channel *)base;

	file_rings_close(channel);
	free(channel->ranges);
	free(channel);
}

static void
file_unpin(struct file_channel *channel)
{
	while (channel->nb_pinned > 0)
		(void)io_uring_unregister_buffers(&channel->rings[--channel->nb_pinned]);
	channel->pinned = NULL;
}

static int
file_pin(struct file_channel *channel, const struct iovec *iov)
{
	int ret = 0;

	while (ret == 0 && channel->nb_pinned < channel->nb_rings) {
		ret = io_uring_register_buffers(&channel->rings[channel->nb_pinned], iov, 1);
		if (ret == 0)
			channel->nb_pinned++;
	}
	if (ret < 0) {
		file_unpin(channel);
		return ret;
	}
	channel->pinned = iov->iov_base;
	channel->pinned_len = iov->iov_len;
	return 0;
}

/*
 * Registers driver memory, so that its pages are not looked up for each operation. The kernel
 * refuses its own bounce memory, which it maps page by page, and more than the locked memory limit.
 */
void
file_channel_memory(struct rte_vduse_blk_channel *base, void *va, uint64_t len)
{
	struct file_channel *channel = (struct file_channel *)base;
	struct iovec iov = { .iov_base = va, .iov_len = RTE_MIN(len, FILE_PINNED_MAX) };
	struct file_backend *file = channel->file;
	int ret;

	file_unpin(channel);
	if (len == 0)
		return;
	ret = file_pin(channel, &iov);
	/* Other errors are expected, for bounce memory. */
	if ((ret == -ENOMEM || ret == -EPERM) && file->direct && !file->pin_logged) {
		file->pin_logged = true;
		VBLK_LOG(INFO, file->backend.name,
			 "cannot pin the driver's memory (%s): large requests "
			 "are slower; raise the limit of locked memory (ulimit -l, LimitMEMLOCK=)",
			 strerror(-ret));
	}
}
