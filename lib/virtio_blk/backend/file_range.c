/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Orders writes that share a block. A write of a partial block reads the block, modifies it and
 * writes it back; data that another write put there meanwhile would be lost. So each operation that
 * writes takes a ticket, and waits for earlier ones that share a block with it if one of the two
 * writes partial blocks. Earlier operations never wait for later ones, so there is no deadlock.
 *
 * Input: ranges of operations. Output: whether each may be submitted. Thread: any that polls a
 * queue of the file, under a lock that is taken only if the file has blocks larger than a sector.
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

/* The ticket of the first operation of a list that a range has to wait for; 0: none. */
static uint64_t
range_before(const struct file_range_list *list, const struct file_range *range)
{
	const struct file_range *other;

	TAILQ_FOREACH(other, list, entry) {
		if (other->ticket >= range->ticket)
			break;
		if (other->first <= range->last && range->first <= other->last)
			return other->ticket;
	}
	return 0;
}

static bool
range_is_ready(const struct file_ranges *ranges, struct file_range *range)
{
	range->waits_for = range_before(&ranges->parts, range);
	/* Writes of whole blocks need no order: the file decides, as for any disk. */
	if (range->waits_for == 0 && range->parts)
		range->waits_for = range_before(&ranges->whole, range);
	return range->waits_for == 0;
}

bool
file_range_enter(struct file_ranges *ranges, struct file_range *range)
{
	bool ready;

	rte_spinlock_lock(&ranges->lock);
	range->ticket = ++ranges->ticket;
	if (range->parts)
		TAILQ_INSERT_TAIL(&ranges->parts, range, entry);
	else
		TAILQ_INSERT_TAIL(&ranges->whole, range, entry);
	ready = range_is_ready(ranges, range);
	rte_spinlock_unlock(&ranges->lock);
	return ready;
}

bool
file_range_is_ready(struct file_ranges *ranges, struct file_range *range)
{
	bool ready;

	rte_spinlock_lock(&ranges->lock);
	ready = range_is_ready(ranges, range);
	rte_spinlock_unlock(&ranges->lock);
	return ready;
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
