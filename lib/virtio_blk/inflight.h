/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * The inflight log: for each queue a part of the device's state file, which tells the next process
 * what one that was killed had taken and not shown as used. A request has the
 * slot of its index from the moment it is taken; the order of stores is the protocol:
 *
 *   take    the slot is filled, then marked as taken
 *   done    the slot says in which batch it will be shown: the used position before it
 *   (the ring is published)
 *   shown   the used position of the log moves on, then the slots are free again
 *
 * So a slot of the batch at the log's position is decided by the ring, and one of any other
 * batch was shown. Killed processes lose no stores that they made: that the compiler keeps the
 * order is enough.
 */
#ifndef VBLK_INFLIGHT_H
#define VBLK_INFLIGHT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rte_vduse.h>
#include <rte_vduse_compat.h>

#include <vring/vring.h>

/* In the file: which ring an inflight log is of. */
struct vblk_inflight_ring {
	uint64_t desc;
	uint64_t driver;
	uint64_t device;
	uint64_t features;
	uint64_t life;
	uint32_t size;
	uint32_t room; /* descriptors of the largest ring that the inflight log has room for */
	uint16_t valid;
	uint16_t shown; /* see vring_published() */
};

/* In the file: one request. */
struct vblk_inflight_slot {
	uint64_t taken; /* sequence number, starting at 1; 0: the slot is free */
	uint32_t batch; /* VBLK_INFLIGHT_BATCH and the used position before it; 0: in flight */
	uint16_t head;
	uint16_t nb_descs;
	uint16_t first; /* of a packed ring: the first of its descriptors in the inflight log */
	uint16_t again; /* how often it was taken again after a process was killed */
	uint16_t reserved[2];
};

#define VBLK_INFLIGHT_BATCH 0x10000u

/*
 * A request that this many processes died with is answered with an error, because it may be what
 * killed them. The one before the last takes such requests one at a time, to find out which it is.
 */
#define VBLK_INFLIGHT_DEATHS_MAX 3

struct vblk_inflight {
	struct vblk_inflight_ring *ring; /* NULL: nothing is logged */
	struct vblk_inflight_slot *slots;
	struct vring_desc *descs; /* of packed rings, linked by links */
	uint16_t *links;
	uint16_t *spare; /* indices of free descs; not in the file */
	uint16_t nb_spare;
	uint16_t size; /* room in the file: of the largest ring */
	bool packed;
	bool damaged; /* somebody else wrote to the file */
	uint64_t taken;
};

/* Bytes that the inflight log of a queue takes in the file. */
size_t
vblk_inflight_size(uint16_t queue_size);

/*
 * The log lies in so many bytes of memory, zeroed or as another process left them. It has room
 * for a ring of queue_size, or for the larger one that the other process had. 0 or -ENOMEM.
 */
int
vblk_inflight_open(struct vblk_inflight *inflight, void *memory, size_t bytes, uint16_t queue_size);
void
vblk_inflight_close(struct vblk_inflight *inflight);

/* A ring starts anew, at its position; nothing is in flight. */
void
vblk_inflight_begin(struct vblk_inflight *inflight, const struct rte_vduse_vq_info *info,
		    const struct vring_vq *ring);
/* It ends, and nothing is in flight. */
void
vblk_inflight_end(struct vblk_inflight *inflight);

/* Whether a process that was killed had begun with the ring that starts, and not ended. */
bool
vblk_inflight_left(const struct vblk_inflight *inflight, const struct rte_vduse_vq_info *info);

/*
 * Sets a ring that was started to where that process left it. order becomes the slots in
 * flight, the oldest first, *nb how many; there is room for all. 0, or -EUCLEAN: it is no log
 * of this ring; nothing was changed.
 */
int
vblk_inflight_recover(struct vblk_inflight *inflight, const struct rte_vduse_vq_info *info,
		      struct vring_vq *ring, uint16_t *order, uint16_t *nb);
/* Reads the chain of a slot again; descs has room for a ring. False: see vring_reread(). */
bool
vblk_inflight_again(struct vblk_inflight *inflight, struct vring_vq *ring, uint16_t slot,
		    struct vring_desc *descs, struct rte_vduse_chain *chain);

/* How many processes died with the request of a slot in flight. */
uint32_t
vblk_inflight_deaths(const struct vblk_inflight *inflight, uint16_t slot);
/* The request of a slot is taken again, before anything is done about it. */
void
vblk_inflight_count(struct vblk_inflight *inflight, uint16_t slot);

/*
 * inflight.c: the part of vblk_inflight_take() and of vblk_inflight_free() that packed rings need.
 * What they read of the file may have been changed since: they stay within their memory, and a log
 * that is not what it was is of no ring any more.
 */
void
vblk_inflight_save(struct vblk_inflight *inflight, const struct vring_vq *ring,
		   struct vblk_inflight_slot *slot, uint32_t nb_back);
void
vblk_inflight_spare(struct vblk_inflight *inflight, const struct vblk_inflight_slot *slot);

/* A chain that was popped nb_back descriptors ago, before anything is done about it. */
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
	slot->again = 0;
	if (inflight->packed)
		vblk_inflight_save(inflight, ring, slot, nb_back);
	/* Release: the slot before its mark. */
	rte_atomic_store_explicit(&slot->taken, ++inflight->taken, rte_memory_order_release);
}

/* It is done, and will be shown with what else is done until then. */
static inline void
vblk_inflight_done(struct vblk_inflight *inflight, const struct vring_vq *ring, uint16_t index)
{
	if (inflight->ring == NULL)
		return;
	/* Before the ring is published, which is a release. */
	rte_atomic_store_explicit(&inflight->slots[index].batch,
				  VBLK_INFLIGHT_BATCH | vring_published(ring),
				  rte_memory_order_relaxed);
}

/* The ring was published: first this, then vblk_inflight_free() for each that was done. */
static inline void
vblk_inflight_shown(struct vblk_inflight *inflight, const struct vring_vq *ring)
{
	if (inflight->ring == NULL)
		return;
	/* Release: not before the ring says so. */
	rte_atomic_store_explicit(&inflight->ring->shown, vring_published(ring),
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
	/* Release: not before the position of the inflight log says that it was shown. */
	rte_atomic_store_explicit(&slot->taken, 0, rte_memory_order_release);
}

#endif /* VBLK_INFLIGHT_H */
