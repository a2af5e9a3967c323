/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * The inflight log: per queue, a part of the device's state file from which the next process learns
 * what a killed one had popped and not published as used. A request has a slot from pop to publish.
 * The order of stores is the protocol:
 *
 *   take       fill the slot, then mark it as taken
 *   done       store the batch in the slot: the used position before the next publish
 *   (publish the ring)
 *   published  move the used position of the log on, then free the slots
 *
 * After a kill, the ring tells whether the batch at the log's position was published; any other
 * batch was. A killed process loses no stores, so compiler ordering is enough.
 */
#ifndef VBLK_INFLIGHT_H
#define VBLK_INFLIGHT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rte_vduse.h>
#include <rte_vduse_compat.h>

#include <vring/vring.h>

/* In the file: identifies the ring of an inflight log. */
struct vblk_inflight_ring {
	uint64_t desc;
	uint64_t driver;
	uint64_t device;
	uint64_t features;
	uint64_t life;
	uint32_t size;
	uint32_t room; /* descriptors of the largest ring that fits */
	uint16_t valid;
	uint16_t published; /* see vring_published() */
};

/* In the file: one request. */
struct vblk_inflight_slot {
	uint64_t taken; /* sequence number, starting at 1; 0: the slot is free */
	uint32_t batch; /* VBLK_INFLIGHT_BATCH | used position before it; 0: in flight */
	uint16_t head;
	uint16_t nb_descs;
	uint16_t first;   /* packed ring: its first descriptor in the inflight log */
	uint16_t retries; /* times it was started again after a kill */
	uint16_t reserved[2];
};

#define VBLK_INFLIGHT_BATCH 0x10000u

/*
 * A request with which this many processes died is answered with an error, because it may have
 * killed them. After one death less, such requests run one at a time, to find the one that kills.
 */
#define VBLK_INFLIGHT_DEATHS_MAX 3

struct vblk_inflight {
	struct vblk_inflight_ring *ring; /* NULL: no inflight log */
	struct vblk_inflight_slot *slots;
	struct vring_desc *descs; /* packed ring: copies of descriptors, linked by links */
	uint16_t *links;
	uint16_t *spare; /* indices of free descs; not in the file */
	uint16_t nb_spare;
	uint16_t size; /* descriptors of the largest ring that fits */
	bool packed;
	bool damaged;   /* another process wrote to the file */
	uint64_t taken; /* last sequence number */
};

/* Bytes of the inflight log of a queue. */
size_t
vblk_inflight_size(uint16_t queue_size);

/*
 * Opens an inflight log in memory that is zeroed or was left by another process. It fits a ring of
 * queue_size, or the larger one of the other process. 0 or -ENOMEM.
 */
int
vblk_inflight_open(struct vblk_inflight *inflight, void *memory, size_t bytes, uint16_t queue_size);
void
vblk_inflight_close(struct vblk_inflight *inflight);

/* Resets the log for a ring that starts at its position with nothing in flight. */
void
vblk_inflight_begin(struct vblk_inflight *inflight, const struct rte_vduse_vq_info *info,
		    const struct vring_vq *ring);
/* Invalidates the log; nothing is in flight. */
void
vblk_inflight_end(struct vblk_inflight *inflight);

/* Whether a killed process left a log of the ring that starts. */
bool
vblk_inflight_left(const struct vblk_inflight *inflight, const struct rte_vduse_vq_info *info);

/*
 * Resumes a started ring where that process left it. Fills order, which has an entry per slot, with
 * the slots in flight, oldest first, and sets *nb to their number. 0, -ENOMEM, or -EUCLEAN: not a
 * log of this ring.
 */
int
vblk_inflight_recover(struct vblk_inflight *inflight, const struct rte_vduse_vq_info *info,
		      struct vring_vq *ring, uint16_t *order, uint16_t *nb);
/* Reads the chain of a slot again; descs has ring size entries. False: see vring_reread(). */
bool
vblk_inflight_reread(struct vblk_inflight *inflight, struct vring_vq *ring, uint16_t slot,
		     struct vring_desc *descs, struct rte_vduse_chain *chain);

/* Number of processes that died with the request of a slot in flight. */
uint32_t
vblk_inflight_deaths(const struct vblk_inflight *inflight, uint16_t slot);
/* Counts a retry of the request of a slot. Call it before the request starts. */
void
vblk_inflight_count(struct vblk_inflight *inflight, uint16_t slot);

/* The backend finished the request of a slot, so it kills no process: forgets its retries. */
void
vblk_inflight_forgive(struct vblk_inflight *inflight, uint16_t slot);

/*
 * inflight.c: the packed ring part of vblk_inflight_take() and of vblk_inflight_free(). The file is
 * not trusted: every index is checked, and a log that another process changed is invalidated.
 */
void
vblk_inflight_save(struct vblk_inflight *inflight, const struct vring_vq *ring,
		   struct vblk_inflight_slot *slot, uint32_t nb_back);
void
vblk_inflight_spare(struct vblk_inflight *inflight, const struct vblk_inflight_slot *slot);

/* Records a chain popped nb_back descriptors before the avail position. Call it before use. */
static inline void
vblk_inflight_take(struct vblk_inflight *inflight, const struct vring_vq *ring, uint16_t index,
		   const struct rte_vduse_chain *chain, uint32_t nb_back)
{
	struct vblk_inflight_slot *slot;

	if (inflight->ring == NULL)
		return;
	slot = &inflight->slots[index];
	slot->batch = 0;
	slot->head = chain->head;
	slot->nb_descs = chain->nb_descs;
	slot->retries = 0;
	if (inflight->packed)
		vblk_inflight_save(inflight, ring, slot, nb_back);
	/* Release: store the slot before its mark. */
	rte_atomic_store_explicit(&slot->taken, ++inflight->taken, rte_memory_order_release);
}

/* Records that a request is complete; the next publish includes it. */
static inline void
vblk_inflight_done(struct vblk_inflight *inflight, const struct vring_vq *ring, uint16_t index)
{
	if (inflight->ring == NULL)
		return;
	/* Relaxed: publishing the ring is a release. */
	rte_atomic_store_explicit(&inflight->slots[index].batch,
				  VBLK_INFLIGHT_BATCH | vring_published(ring),
				  rte_memory_order_relaxed);
}

/* Call it after publish, then vblk_inflight_free() for each slot that was done. */
static inline void
vblk_inflight_published(struct vblk_inflight *inflight, const struct vring_vq *ring)
{
	if (inflight->ring == NULL)
		return;
	/* Release: stored after the ring was published. */
	rte_atomic_store_explicit(&inflight->ring->published, vring_published(ring),
				  rte_memory_order_release);
}

static inline void
vblk_inflight_free(struct vblk_inflight *inflight, uint16_t index)
{
	struct vblk_inflight_slot *slot;

	if (inflight->ring == NULL)
		return;
	slot = &inflight->slots[index];
	if (inflight->packed)
		vblk_inflight_spare(inflight, slot);
	/* Release: freed after the position in the inflight log moved on. */
	rte_atomic_store_explicit(&slot->taken, 0, rte_memory_order_release);
}

#endif /* VBLK_INFLIGHT_H */
