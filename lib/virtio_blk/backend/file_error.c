/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Errors that are retried, and flush errors that later flushes return again.
 * Input: an operation and the result of its completion. Output: whether to submit it again.
 * Thread: the one that polls the channel; the state of a file is shared by its channels.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include <rte_cycles.h>
#include <rte_vduse_compat.h>

#include <virtio_blk/backend/file.h>
#include <virtio_blk/blk.h>

/* Shorter than an application waits on stop, longer than a device needs to recover. */
#define ERROR_RETRY_MS 5000

/* Between two lines about a file. */
#define ERROR_LOG_MS 60000

/* At most one line a minute, whatever the number of operations and channels. */
static void
error_log_retry(struct file_backend *file, uint32_t now, int result)
{
	uint32_t last = rte_atomic_load_explicit(&file->retry_logged, rte_memory_order_relaxed);

	if (last != 0 && now - last < ERROR_LOG_MS)
		return;
	if (!rte_atomic_compare_exchange_strong_explicit(&file->retry_logged, &last, now,
							 rte_memory_order_relaxed,
							 rte_memory_order_relaxed))
		return;
	VBLK_LOG(ERR, file->backend.name,
		 "its file refused requests for %u ms (%s): they fail, "
		 "see whether the device below works",
		 ERROR_RETRY_MS, strerror(-result));
}

bool
file_error_retry(struct file_backend *file, struct rte_vduse_blk_io *io, int result)
{
	struct file_io *own = file_io(io);
	uint32_t now;

	if (likely(result != -EAGAIN && result != -EINTR))
		return false;
	/* Milliseconds, wraps after 49 days; never 0, which means not retried yet. */
	now = (uint32_t)(rte_get_timer_cycles() / (rte_get_timer_hz() / MS_PER_S)) | 1;
	if (own->since == 0)
		own->since = now;
	if (now - own->since < ERROR_RETRY_MS)
		return true;
	error_log_retry(file, now, result);
	return false;
}

/*
 * The kernel reports a failed writeback to one flush only and drops the pages: the next flush
 * succeeds although earlier writes are not on stable storage. With O_DIRECT a write has its own
 * result and leaves no pages, but the state of the device's cache is unknown as well.
 */
void
file_error_flush(struct file_backend *file, int result)
{
	int none = 0;

	/* Relaxed: no other data depends on it. */
	if (!rte_atomic_compare_exchange_strong_explicit(&file->flush_error, &none, result,
							 rte_memory_order_relaxed,
							 rte_memory_order_relaxed))
		return;
	VBLK_LOG(
		ERR, file->backend.name,
		"a flush of its file failed (%s): what was written before "
		"may be lost, so all later flushes fail: see to the device below, start this process "
		"again, and check the disk's file system",
		strerror(-result));
}
