/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Signals an eventfd when an operation of a channel completes, while the thread that polls it
 * sleeps. The kernel writes the eventfd; a flag in the ring, which costs no system call, switches
 * that on and off.
 * Input: an eventfd. Output: whether all operations of the channel end with a completion that
 * signals it. Thread: the one that polls the queue; file_sleep_init(): see channel_open.
 */
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <liburing.h>

#include <rte_vduse_compat.h>

#include <virtio_blk/blk.h>
#include <virtio_blk/backend/file_channel.h>

static bool file_may_sleep; /* atomic */

static long
file_membarrier(int command)
{
	return syscall(SYS_membarrier, command, 0, 0);
}

void
file_sleep_init(void)
{
	/* Once per process: it takes milliseconds. Relaxed: no other data depends on it. */
	if (!rte_atomic_load_explicit(&file_may_sleep, rte_memory_order_relaxed) &&
	    file_membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) == 0)
		rte_atomic_store_explicit(&file_may_sleep, true, rte_memory_order_relaxed);
}

static bool
file_register(struct file_channel *channel, int fd)
{
	struct io_uring *ring = &channel->rings[FILE_RING];

	if (channel->wake_fd == fd)
		return true;
	if (!rte_atomic_load_explicit(&file_may_sleep, rte_memory_order_relaxed) ||
	    io_uring_register_eventfd(ring, fd) < 0)
		return false;
	channel->wake_fd = fd;
	return true;
}

bool
file_sleep(struct rte_vduse_blk_channel *base, int fd)
{
	struct file_channel *channel = (struct file_channel *)base;
	struct io_uring *ring = &channel->rings[FILE_RING];

	if (fd < 0) {
		if (channel->wake_fd >= 0)
			(void)io_uring_cq_eventfd_toggle(ring, false);
		return false;
	}
	/* A poll returns, submits or completes these. */
	if (channel->done.first != NULL || channel->again.first != NULL ||
	    channel->blocked.first != NULL || channel->nb_polled > 0 ||
	    io_uring_sq_ready(ring) > 0 || !file_register(channel, fd) ||
	    io_uring_cq_eventfd_toggle(ring, true) < 0)
		return false;
	/*
	 * The setting before the look at the ring. The kernel stores a completion before it loads
	 * the setting, but with no barrier in between: its threads for this process get one here.
	 */
	if (file_membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED) == 0 && io_uring_cq_ready(ring) == 0)
		return true;
	(void)io_uring_cq_eventfd_toggle(ring, false);
	return false;
}
