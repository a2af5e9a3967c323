/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Limits a device to requests and bytes per second. The queues of a device may be polled by several
 * lcores and share its limits. The meters of rte_meter are not thread-safe and know only whether a
 * packet conforms now, so each limit is one 64-bit time instead, as in the generic cell rate
 * algorithm (virtual scheduling): the TSC time at which the next unit is free. A request takes that
 * time as its turn and advances it by its cost, in one compare-and-swap. A queue whose turn is in
 * the future leaves the chain in the ring until then. Turns are given in the order in which queues
 * ask, and each queue asks for one at a time, so none starves.
 *
 * A request is charged when it gets its turn, whatever its size: those after it wait until that is
 * paid. Time in which nothing is asked for is saved up for at most LIMIT_SAVED_MS.
 * Input: popped chains. Output: whether they may start.
 * Thread: polling; vblk_limit_set() and rte_vduse_blk_limits_set(): any.
 */
#include <errno.h>
#include <stddef.h>

#include <rte_byteorder.h>
#include <rte_cycles.h>

#include <virtio_blk/blk.h>

#define LIMIT_SAVED_MS 10

/* Furthest that a turn may be ahead, cycles: decades. Sums of times do not overflow. */
#define LIMIT_AHEAD (UINT64_C(1) << 61)

/* Cycles that so many units take, rounded up so that the limit is never exceeded. */
static uint64_t
limit_cost(uint64_t units, uint64_t rate)
{
	double exact = (double)units * (double)rte_get_tsc_hz() / (double)rate;
	uint64_t cycles;

	if (exact >= (double)LIMIT_AHEAD)
		return LIMIT_AHEAD;
	cycles = (uint64_t)exact;
	return (double)cycles < exact ? cycles + 1 : cycles;
}

/* Charges units to a bucket. Returns the TSC time from which on they may be used. */
static uint64_t
limit_charge(struct vblk_bucket *bucket, uint64_t units, uint64_t now)
{
	uint64_t saved = rte_get_tsc_hz() / MS_PER_S * LIMIT_SAVED_MS, rate, from, to;
	/* Acquire: the rate is that of this time or a later one. Pairs with limit_set_bucket(). */
	uint64_t next = rte_atomic_load_explicit(&bucket->next, rte_memory_order_acquire);

	do {
		rate = rte_atomic_load_explicit(&bucket->rate, rte_memory_order_relaxed);
		if (rate == 0)
			return 0;
		from = RTE_MAX(next, now - RTE_MIN(now, saved));
		to = RTE_MIN(from + limit_cost(units, rate), now + LIMIT_AHEAD);
		/* It fails if the limit was changed meanwhile: no time is ever stored twice. */
	} while (!rte_atomic_compare_exchange_weak_explicit(
		&bucket->next, &next, to, rte_memory_order_acquire, rte_memory_order_acquire));
	return from;
}

/* Whether a request is limited; *bytes: those that it is charged. */
static bool
limit_counts(const struct rte_vduse_chain *chain, const struct virtio_blk_outhdr *header,
	     uint64_t *bytes)
{
	*bytes = 0;
	switch (rte_le_to_cpu_32(header->type)) {
	case VIRTIO_BLK_T_IN:
		*bytes = chain->in_len - RTE_MIN(chain->in_len, 1u);
		return true;
	case VIRTIO_BLK_T_OUT:
		*bytes = chain->out_len - RTE_MIN(chain->out_len, (uint32_t)sizeof(*header));
		return true;
	case VIRTIO_BLK_T_DISCARD:
	case VIRTIO_BLK_T_WRITE_ZEROES:
	case VIRTIO_BLK_T_SECURE_ERASE:
		return true;
	default:
		return false;
	}
}

/* The turn has come. The driver may have put a larger request into the place of the charged one. */
static void
limit_take_turn(struct vblk_limit *limit, struct vblk_turn *turn, uint64_t bytes, uint64_t now)
{
	if (bytes > turn->bytes)
		(void)limit_charge(&limit->bytes, bytes - turn->bytes, now);
	turn->at = 0;
}

bool
vblk_limit_admit(struct vblk_limit *limit, struct vblk_turn *turn,
		 const struct rte_vduse_chain *chain, const struct virtio_blk_outhdr *header,
		 uint64_t now)
{
	uint64_t bytes, requests_at, bytes_at;
	/* Acquire: before the charge, so that a turn of older limits never counts as of newer ones. */
	uint32_t generation =
		rte_atomic_load_explicit(&limit->generation, rte_memory_order_acquire);

	if (!limit_counts(chain, header, &bytes))
		return true;
	if (turn->at != 0 && turn->generation == generation) {
		if (turn->at > now)
			return false;
		limit_take_turn(limit, turn, bytes, now);
		return true;
	}
	requests_at = limit_charge(&limit->requests, 1, now);
	bytes_at = bytes > 0 ? limit_charge(&limit->bytes, bytes, now) : 0;
	turn->at = RTE_MAX(requests_at, bytes_at);
	if (turn->at <= now) {
		turn->at = 0;
		return true;
	}
	turn->bytes = bytes;
	turn->generation = generation;
	return false;
}

static void
limit_set_bucket(struct vblk_bucket *bucket, uint64_t rate, uint32_t generation)
{
	rte_atomic_store_explicit(&bucket->rate, rate, rte_memory_order_relaxed);
	/* A time long ago, different each time. Release: after the rate. Pairs with limit_charge(). */
	rte_atomic_store_explicit(&bucket->next, generation, rte_memory_order_release);
}

void
vblk_limit_set(struct vblk_limit *limit, uint64_t iops, uint64_t bps)
{
	uint32_t generation = limit->generation + 1;

	limit_set_bucket(&limit->requests, iops, generation);
	limit_set_bucket(&limit->bytes, bps, generation);
	/* Release: after the buckets. Pairs with vblk_limit_admit(). */
	rte_atomic_store_explicit(&limit->generation, generation, rte_memory_order_release);
	/* Relaxed: a poller that sees it late charges nothing, or to buckets without a rate. */
	rte_atomic_store_explicit(&limit->on, iops != 0 || bps != 0, rte_memory_order_relaxed);
}

int
rte_vduse_blk_limits_set(struct rte_vduse_blk *blk, const struct rte_vduse_blk_rate_limits *limits)
{
	const uint8_t *bytes = (const uint8_t *)limits;
	size_t i, least = offsetof(struct rte_vduse_blk_rate_limits, bps) + sizeof(limits->bps);

	if (limits->size < least) {
		VBLK_LOG(
			ERR, rte_vduse_dev_name(blk->dev),
			"its limits have size %zu, at least %zu are needed: set size to sizeof() of "
			"the structure",
			limits->size, least);
		return -EINVAL;
	}
	for (i = sizeof(*limits); i < limits->size; i++)
		if (bytes[i] != 0) {
			VBLK_LOG(
				ERR, rte_vduse_dev_name(blk->dev),
				"its limits have size %zu, and fields beyond the %zu bytes that this "
				"library knows are set: leave them 0 or use a newer library",
				limits->size, sizeof(*limits));
			return -E2BIG;
		}
	vblk_limit_set(&blk->limit, limits->iops, limits->bps);
	/* Their queues may be held for longer than the new limits say. */
	vblk_sleep_wake(blk);
	return 0;
}
