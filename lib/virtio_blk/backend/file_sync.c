/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Merges syncs of a file: a channel has one in flight. Each sync occupies a kernel worker thread,
 * and all rings of an lcore share a bounded number of them: a driver with many flushes in flight
 * would leave none for reads. A sync covers all writes that completed before it started, so the
 * operations that arrive while one is in flight share the next one.
 *
 * Input: operations that need a sync. Output: one sync for all that wait, its result for each.
 * Thread: the one that polls the channel.
 */
#include <rte_vduse_compat.h>

#include <virtio_blk/backend/file_channel.h>

bool
file_sync_begin(struct file_channel *channel, struct rte_vduse_blk_io *io)
{
	if (likely(channel->syncing == NULL)) {
		channel->syncing = io;
		return true;
	}
	vblk_fifo_put(&channel->to_sync, io);
	return false;
}

void
file_sync_end(struct file_channel *channel)
{
	int result = channel->syncing->result;
	struct rte_vduse_blk_io *io;

	while (vblk_fifo_take(&channel->synced, &io, 1) == 1) {
		io->result = result;
		/* A sync for a FUA operation does not report earlier failures, a flush must. */
		if (result == 0 && io->op == RTE_VDUSE_BLK_FLUSH)
			io->result = rte_atomic_load_explicit(&channel->file->flush_error,
							      rte_memory_order_relaxed);
		vblk_fifo_put(&channel->done, io);
	}
	channel->syncing = NULL;
	if (likely(vblk_fifo_take(&channel->to_sync, &channel->syncing, 1) == 0))
		return;
	while (vblk_fifo_take(&channel->to_sync, &io, 1) == 1)
		vblk_fifo_put(&channel->synced, io);
	vblk_fifo_put(&channel->again, channel->syncing);
}
