/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* The limits of a device in requests and bytes per second, which its queues share: see limit.c. */
#ifndef VBLK_LIMIT_H
#define VBLK_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

#include <linux/virtio_blk.h>

#include <rte_vduse_compat.h>

#include <rte_vduse.h>

struct rte_vduse_blk;

/* What is limited: requests, or bytes. */
struct vblk_bucket {
	uint64_t rate; /* units a second; 0: no limit; atomic */
	uint64_t next; /* TSC time from which on the next unit may be used; atomic */
};

/* Of a device; any thread. */
struct vblk_limit {
	bool on;             /* there is a limit; atomic */
	uint32_t generation; /* changes with the limits; atomic */
	struct vblk_bucket requests;
	struct vblk_bucket bytes;
};

/* The turn of the next request of a queue. The polling thread owns it. */
struct vblk_turn {
	uint64_t at;         /* TSC time, already charged; 0: none */
	uint64_t bytes;      /* charged for it */
	uint32_t generation; /* of the limits that it was charged to */
};

/* Sets the limits, 0: none. What was charged is forgotten. Any thread, one at a time. */
void
vblk_limit_set(struct vblk_limit *limit, uint64_t iops, uint64_t bps);

/*
 * Charges the request of a popped chain. False: it has to wait in the ring, and turn says until
 * when. The caller asks again when vblk_limit_wait() is over.
 */
bool
vblk_limit_admit(struct vblk_limit *limit, struct vblk_turn *turn,
		 const struct rte_vduse_chain *chain, const struct virtio_blk_outhdr *header,
		 uint64_t now);

/*
 * TSC time at which a queue that is held by its limits is to be polled again; 0: it is not held. A
 * thread that sleeps needs it: the chains are in the ring already, so no kick comes for them. It
 * also has to wake up when the limits change, which ends the time early. On the polling thread.
 */
static inline uint64_t
vblk_limit_wait(const struct vblk_limit *limit, const struct vblk_turn *turn)
{
	/* Relaxed: a change that is seen late is seen by the next poll. */
	if (turn->at == 0 ||
	    turn->generation !=
		    rte_atomic_load_explicit(&limit->generation, rte_memory_order_relaxed) ||
	    !rte_atomic_load_explicit(&limit->on, rte_memory_order_relaxed))
		return 0;
	return turn->at;
}

#endif /* VBLK_LIMIT_H */
