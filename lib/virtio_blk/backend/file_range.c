/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * The order of writes that share a block. A write of a part of a block reads the block, changes
 * it and writes all of it back; what another write put there meanwhile would be lost. So each
 * operation that writes takes a ticket, and one goes ahead when no earlier one that it shares a
 * block with is left, if one of the two writes parts of blocks. Earlier ones never wait for later
 * ones, so nothing waits for ever.
 *
 * Input: ranges of operations. Output: whether each may go. Thread: any poller of the file, under
 * a lock that only files with larger blocks than the driver's take.
 */
#include <stdlib.h>

#include <virtio_blk/backend/file.h>

void
file_ranges_init(struct file_ranges *ranges)
{
	rte_spinlock_init(&ranges->lock);
	TAILQ_INIT(&ranges->whole);
	TAILQ_INIT(&ranges->parts);
	ranges->ticket = 0;
}

static bool
range_is_first(const struct file_range_list *list, const struct file_range *range)
{
	const struct file_range *other;

	TAILQ_FOREACH(other, list, entry) {
		if (other->ticket >= range->ticket)
			break;
		if (other->first <= range->last && range->first <= other->last)
			return false;
	}
	return true;
}

static bool
range_may_go(const struct file_ranges *ranges, const struct file_range *range)
{
	/* Two of whole blocks do not disturb each other: the file decides, as for any disk. */
	return range_is_first(&ranges->parts, range) &&
	       (!range->parts || range_is_first(&ranges->whole, range));
}

bool
file_range_enter(struct file_ranges *ranges, struct file_range *range)
{
	bool go;

	rte_spinlock_lock(&ranges->lock);
	range->ticket = ++ranges->ticket;
	if (range->parts)
		TAILQ_INSERT_TAIL(&ranges->parts, range, entry);
	else
		TAILQ_INSERT_TAIL(&ranges->whole, range, entry);
	go = range_may_go(ranges, range);
	rte_spinlock_unlock(&ranges->lock);
	return go;
}

bool
file_range_may_go(struct file_ranges *ranges, const struct file_range *range)
{
	bool go;

	rte_spinlock_lock(&ranges->lock);
	go = range_may_go(ranges, range);
	rte_spinlock_unlock(&ranges->lock);
	return go;
}

void
file_range_leave(struct file_ranges *ranges, struct file_range *range)
{
	rte_spinlock_lock(&ranges->lock);
	if (range->parts)
		TAILQ_REMOVE(&ranges->parts, range, entry);
	else
		TAILQ_REMOVE(&ranges->whole, range, entry);
	rte_spinlock_unlock(&ranges->lock);
}
