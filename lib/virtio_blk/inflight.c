/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * The inflight log, see inflight.h. The file is not trusted: every value is checked.
 * Input: memory of the state file. Output: the requests that were in flight.
 * Thread: control; save, spare, count and reread: polling.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>
#include <rte_vduse_compat.h>

#include <virtio_blk/inflight.h>

/* Offsets of the parts of an inflight log. */
struct inflight_layout {
	size_t slots;
	size_t descs;
	size_t links;
	size_t end;
};

static struct inflight_layout
inflight_layout(uint16_t size)
{
	struct inflight_layout layout;

	layout.slots =
		RTE_ALIGN_CEIL(sizeof(struct vblk_inflight_ring), (size_t)RTE_CACHE_LINE_SIZE);
	layout.descs = layout.slots + size * sizeof(struct vblk_inflight_slot);
	layout.links = layout.descs + size * sizeof(struct vring_desc);
	layout.end =
		RTE_ALIGN_CEIL(layout.links + size * sizeof(uint16_t), (size_t)RTE_CACHE_LINE_SIZE);
	return layout;
}

size_t
vblk_inflight_size(uint16_t queue_size)
{
	return inflight_layout(queue_size).end;
}

int
vblk_inflight_open(struct vblk_inflight *inflight, void *memory, size_t bytes, uint16_t queue_size)
{
	struct vblk_inflight_ring *ring = memory;
	struct inflight_layout layout;
	uint8_t *base = memory;

	/* Use what another process wrote only if it is plausible. */
	if (ring->room >= queue_size && ring->room <= VRING_SIZE_MAX &&
	    vblk_inflight_size((uint16_t)ring->room) <= bytes)
		queue_size = (uint16_t)ring->room;
	else
		ring->valid = 0;
	*inflight = (struct vblk_inflight){ .size = queue_size };
	inflight->spare = calloc(queue_size, sizeof(*inflight->spare));
	if (inflight->spare == NULL)
		return -ENOMEM;
	layout = inflight_layout(queue_size);
	inflight->slots = (void *)(base + layout.slots);
	inflight->descs = (void *)(base + layout.descs);
	inflight->links = (void *)(base + layout.links);
	ring->room = queue_size;
	inflight->ring = ring;
	return 0;
}

void
vblk_inflight_close(struct vblk_inflight *inflight)
{
	free(inflight->spare);
	memset(inflight, 0, sizeof(*inflight));
}

/* Lists the descriptors that no slot uses. */
static void
inflight_find_spare(struct vblk_inflight *inflight, const bool *used)
{
	uint16_t i;

	inflight->nb_spare = 0;
	for (i = inflight->size; i-- > 0;)
		if (!used[i])
			inflight->spare[inflight->nb_spare++] = i;
}

static bool
inflight_is_packed(const struct rte_vduse_vq_info *info)
{
	return (info->features & UINT64_C(1) << VIRTIO_F_RING_PACKED) != 0;
}

void
vblk_inflight_begin(struct vblk_inflight *inflight, const struct rte_vduse_vq_info *info,
		    const struct vring_vq *ring)
{
	uint16_t i;

	if (inflight->ring == NULL)
		return;
	vblk_inflight_end(inflight);
	for (i = 0; i < inflight->size; i++) {
		inflight->slots[i].taken = 0;
		inflight->spare[i] = (uint16_t)(inflight->size - 1 - i);
	}
	inflight->nb_spare = inflight->size;
	inflight->packed = inflight_is_packed(info);
	inflight->damaged = false;
	inflight->taken = 0;
	inflight->ring->desc = info->desc;
	inflight->ring->driver = info->driver;
	inflight->ring->device = info->device;
	inflight->ring->features = info->features;
	inflight->ring->life = info->life;
	inflight->ring->size = info->size;
	inflight->ring->published = vring_published(ring);
	/* Release: store all of it before the mark. */
	rte_atomic_store_explicit(&inflight->ring->valid, 1, rte_memory_order_release);
}

void
vblk_inflight_end(struct vblk_inflight *inflight)
{
	if (inflight->ring != NULL)
		/* Release: after all published positions, before the stores of a later begin. */
		rte_atomic_store_explicit(&inflight->ring->valid, 0, rte_memory_order_release);
	/* Keeps the compiler from moving later stores before it. */
	rte_compiler_barrier();
}

bool
vblk_inflight_left(const struct vblk_inflight *inflight, const struct rte_vduse_vq_info *info)
{
	if (inflight->ring == NULL || inflight->ring->valid == 0)
		return false;
	return info->resumed || (info->life != 0 && info->life == inflight->ring->life);
}

/* Sets a ring size that does not exist, so that the next process rejects the log. */
static void
inflight_damaged(struct vblk_inflight *inflight)
{
	inflight->damaged = true;
	rte_atomic_store_explicit(&inflight->ring->size, 0, rte_memory_order_relaxed);
}

void
vblk_inflight_save(struct vblk_inflight *inflight, const struct vring_vq *ring,
		   struct vblk_inflight_slot *slot, uint32_t nb_back)
{
	uint16_t *link = &slot->first, i;

	if (unlikely(inflight->nb_spare < slot->nb_descs)) {
		slot->nb_descs = 0;
		inflight_damaged(inflight);
		return;
	}
	for (i = 0; i < slot->nb_descs; i++) {
		uint16_t index = inflight->spare[--inflight->nb_spare];

		inflight->descs[index] = vring_packed_popped(ring, nb_back - i);
		*link = index;
		link = &inflight->links[index];
	}
}

void
vblk_inflight_spare(struct vblk_inflight *inflight, const struct vblk_inflight_slot *slot)
{
	const volatile uint16_t *link = &slot->first;
	uint16_t nb = *(const volatile uint16_t *)&slot->nb_descs, index, i;

	for (i = 0; i < nb; i++) {
		index = *link;
		if (unlikely(index >= inflight->size || inflight->nb_spare == inflight->size)) {
			inflight_damaged(inflight);
			return;
		}
		inflight->spare[inflight->nb_spare++] = index;
		link = &inflight->links[index];
	}
}

/* Whether an inflight log belongs to this ring. */
static bool
inflight_fits(const struct vblk_inflight *inflight, const struct rte_vduse_vq_info *info)
{
	const struct vblk_inflight_ring *ring = inflight->ring;

	return ring->desc == info->desc && ring->driver == info->driver &&
	       ring->device == info->device && ring->features == info->features &&
	       ring->size == info->size && info->size <= inflight->size;
}

/* Whether a slot is valid and shares no descriptor with another one. */
static bool
inflight_slot_check(const struct vblk_inflight *inflight, uint16_t index, bool *used)
{
	const struct vblk_inflight_slot *slot = &inflight->slots[index];
	uint16_t desc = slot->first, i;

	if (slot->nb_descs == 0 || slot->nb_descs > inflight->ring->size)
		return false;
	if (!inflight->packed)
		return slot->head == index;
	for (i = 0; i < slot->nb_descs; i++) {
		if (desc >= inflight->size || used[desc])
			return false;
		used[desc] = true;
		desc = inflight->links[desc];
	}
	return true;
}

static bool
inflight_check(const struct vblk_inflight *inflight, bool *used)
{
	uint16_t i;

	for (i = 0; i < inflight->size; i++) {
		if (inflight->slots[i].taken == 0)
			continue;
		if (i >= inflight->ring->size || !inflight_slot_check(inflight, i, used))
			return false;
	}
	return true;
}

/* Chains or descriptors of a slot, as vring_resume() counts them. */
static uint32_t
inflight_weight(const struct vblk_inflight *inflight, const struct vblk_inflight_slot *slot)
{
	return inflight->packed ? slot->nb_descs : 1;
}

/* Whether a slot was published. decided: the batch at that position was. */
static bool
inflight_was_published(const struct vblk_inflight_slot *slot, uint16_t position, bool decided)
{
	if (slot->batch == 0)
		return false;
	return slot->batch != (VBLK_INFLIGHT_BATCH | position) || decided;
}

/* Frees published slots and puts all others in flight, in the order of the protocol. */
static void
inflight_settle(struct vblk_inflight *inflight, const struct vring_vq *ring, bool decided)
{
	uint16_t was = inflight->ring->published, i;

	vblk_inflight_published(inflight, ring);
	for (i = 0; i < inflight->ring->size; i++) {
		struct vblk_inflight_slot *slot = &inflight->slots[i];

		if (slot->taken == 0)
			continue;
		if (inflight_was_published(slot, was, decided))
			rte_atomic_store_explicit(&slot->taken, 0, rte_memory_order_release);
		else
			slot->batch = 0;
	}
}

static int
inflight_resume_ring(struct vblk_inflight *inflight, struct vring_vq *ring)
{
	uint32_t used = 0, taken = 0;
	bool decided;
	uint16_t i;
	int ret;

	decided = vring_was_published(ring, inflight->ring->published);
	for (i = 0; i < inflight->ring->size; i++) {
		const struct vblk_inflight_slot *slot = &inflight->slots[i];

		if (slot->taken == 0)
			continue;
		if (!inflight_was_published(slot, inflight->ring->published, decided))
			taken += inflight_weight(inflight, slot);
		else if (slot->batch == (VBLK_INFLIGHT_BATCH | inflight->ring->published))
			used += inflight_weight(inflight, slot);
	}
	ret = vring_resume(ring, inflight->ring->published, used, taken);
	if (ret == 0)
		inflight_settle(inflight, ring, decided);
	return ret;
}

static int
inflight_compare(const void *left, const void *right, void *arg)
{
	const struct vblk_inflight_slot *slots = arg;
	uint64_t a = slots[*(const uint16_t *)left].taken;
	uint64_t b = slots[*(const uint16_t *)right].taken;

	return a < b ? -1 : a > b;
}

static void
inflight_sort(struct vblk_inflight *inflight, uint16_t *order, uint16_t *nb)
{
	uint16_t i, n = 0;

	for (i = 0; i < inflight->ring->size; i++)
		if (inflight->slots[i].taken != 0)
			order[n++] = i;
	qsort_r(order, n, sizeof(*order), inflight_compare, inflight->slots);
	inflight->taken = n > 0 ? inflight->slots[order[n - 1]].taken : 0;
	*nb = n;
}

int
vblk_inflight_recover(struct vblk_inflight *inflight, const struct rte_vduse_vq_info *info,
		      struct vring_vq *ring, uint16_t *order, uint16_t *nb)
{
	bool *used;
	int ret = -EUCLEAN;

	inflight->packed = inflight_is_packed(info);
	inflight->damaged = false;
	used = calloc(inflight->size, sizeof(*used));
	if (used == NULL)
		return -ENOMEM;
	if (inflight_fits(inflight, info) && inflight_check(inflight, used) &&
	    inflight_resume_ring(inflight, ring) == 0) {
		inflight_sort(inflight, order, nb);
		memset(used, 0, inflight->size * sizeof(*used));
		/* Mark the descriptors of the slots that are left. */
		(void)inflight_check(inflight, used);
		inflight_find_spare(inflight, used);
		ret = 0;
	}
	free(used);
	return ret;
}

uint32_t
vblk_inflight_deaths(const struct vblk_inflight *inflight, uint16_t slot)
{
	return inflight->slots[slot].retries + 1u;
}

void
vblk_inflight_count(struct vblk_inflight *inflight, uint16_t slot)
{
	/* Stored before anything that may kill this process; also a compiler barrier. */
	rte_atomic_store_explicit(&inflight->slots[slot].retries,
				  (uint16_t)(inflight->slots[slot].retries + 1),
				  rte_memory_order_release);
	rte_compiler_barrier();
}

void
vblk_inflight_forgive(struct vblk_inflight *inflight, uint16_t slot)
{
	rte_atomic_store_explicit(&inflight->slots[slot].retries, 0, rte_memory_order_relaxed);
}

bool
vblk_inflight_reread(struct vblk_inflight *inflight, struct vring_vq *ring, uint16_t index,
		     struct vring_desc *descs, struct rte_vduse_chain *chain)
{
	const volatile struct vblk_inflight_slot *slot = &inflight->slots[index];
	struct vring_taken taken = {
		.head = slot->head,
		.nb_descs = slot->nb_descs,
		.descs = descs,
	};
	uint16_t desc = slot->first, i;

	if (!inflight->packed) {
		/* It was checked at recovery, but may have changed since. */
		if (taken.head == index)
			return vring_reread(ring, &taken, chain);
		inflight_damaged(inflight);
		return false;
	}
	for (i = 0; i < taken.nb_descs; i++) {
		if (desc >= inflight->size || i == ring->size) {
			inflight_damaged(inflight);
			return false;
		}
		descs[i] = inflight->descs[desc];
		desc = inflight->links[desc];
	}
	return vring_reread(ring, &taken, chain);
}
