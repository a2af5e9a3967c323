/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * See log.h. In flows memory of the state file, out flows what was in flight. Nothing in the
 * file is believed: what cannot be is refused. Control thread; save and spare: polling thread.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>
#include <rte_vduse_compat.h>

#include <virtio_blk/log.h>

/* Where each part of a log begins. */
struct log_layout {
	size_t slots;
	size_t descs;
	size_t links;
	size_t end;
};

static struct log_layout
log_layout(uint16_t size)
{
	struct log_layout layout;

	layout.slots = RTE_ALIGN_CEIL(sizeof(struct vblk_log_ring), (size_t)RTE_CACHE_LINE_SIZE);
	layout.descs = layout.slots + size * sizeof(struct vblk_log_slot);
	layout.links = layout.descs + size * sizeof(struct vring_desc);
	layout.end =
		RTE_ALIGN_CEIL(layout.links + size * sizeof(uint16_t), (size_t)RTE_CACHE_LINE_SIZE);
	return layout;
}

size_t
vblk_log_size(uint16_t queue_size)
{
	return log_layout(queue_size).end;
}

int
vblk_log_open(struct vblk_log *log, void *memory, size_t bytes, uint16_t queue_size)
{
	struct vblk_log_ring *ring = memory;
	struct log_layout layout;
	uint8_t *base = memory;

	/* What another process wrote is believed only where it can be. */
	if (ring->room >= queue_size && ring->room <= VRING_SIZE_MAX &&
	    vblk_log_size((uint16_t)ring->room) <= bytes)
		queue_size = (uint16_t)ring->room;
	else
		ring->valid = 0;
	*log = (struct vblk_log){ .size = queue_size };
	log->spare = calloc(queue_size, sizeof(*log->spare));
	if (log->spare == NULL)
		return -ENOMEM;
	layout = log_layout(queue_size);
	log->slots = (void *)(base + layout.slots);
	log->descs = (void *)(base + layout.descs);
	log->links = (void *)(base + layout.links);
	ring->room = queue_size;
	log->ring = ring;
	return 0;
}

void
vblk_log_close(struct vblk_log *log)
{
	free(log->spare);
	memset(log, 0, sizeof(*log));
}

/* Those descriptors are free that no slot has. used has a place for each. */
static void
log_find_spare(struct vblk_log *log, const bool *used)
{
	uint16_t i;

	log->nb_spare = 0;
	for (i = log->size; i-- > 0;)
		if (!used[i])
			log->spare[log->nb_spare++] = i;
}

static bool
log_is_packed(const struct rte_vduse_vq_info *info)
{
	return (info->features & UINT64_C(1) << VIRTIO_F_RING_PACKED) != 0;
}

void
vblk_log_begin(struct vblk_log *log, const struct rte_vduse_vq_info *info,
	       const struct vring_vq *ring)
{
	uint16_t i;

	if (log->ring == NULL)
		return;
	vblk_log_end(log);
	for (i = 0; i < log->size; i++) {
		log->slots[i].taken = 0;
		log->spare[i] = (uint16_t)(log->size - 1 - i);
	}
	log->nb_spare = log->size;
	log->packed = log_is_packed(info);
	log->damaged = false;
	log->taken = 0;
	log->ring->desc = info->desc;
	log->ring->driver = info->driver;
	log->ring->device = info->device;
	log->ring->features = info->features;
	log->ring->life = info->life;
	log->ring->size = info->size;
	log->ring->shown = vring_shown(ring);
	/* Release: all of it before the mark. */
	rte_atomic_store_explicit(&log->ring->valid, 1, rte_memory_order_release);
}

void
vblk_log_end(struct vblk_log *log)
{
	if (log->ring != NULL)
		/* Release: between shown positions and what a later begin writes. */
		rte_atomic_store_explicit(&log->ring->valid, 0, rte_memory_order_release);
	/* The compiler, too, keeps what follows behind it. */
	rte_compiler_barrier();
}

bool
vblk_log_left(const struct vblk_log *log, const struct rte_vduse_vq_info *info)
{
	if (log->ring == NULL || log->ring->valid == 0)
		return false;
	return info->resumed || (info->life != 0 && info->life == log->ring->life);
}

/* No ring has that size, so the next process refuses the log. */
static void
log_damaged(struct vblk_log *log)
{
	log->damaged = true;
	rte_atomic_store_explicit(&log->ring->size, 0, rte_memory_order_relaxed);
}

void
vblk_log_save(struct vblk_log *log, const struct vring_vq *ring, struct vblk_log_slot *slot,
	      uint32_t nb_behind)
{
	uint16_t *link = &slot->first, i;

	if (unlikely(log->nb_spare < slot->nb_descs)) {
		slot->nb_descs = 0;
		log_damaged(log);
		return;
	}
	for (i = 0; i < slot->nb_descs; i++) {
		uint16_t index = log->spare[--log->nb_spare];

		log->descs[index] = vring_packed_popped(ring, nb_behind - i);
		*link = index;
		link = &log->links[index];
	}
}

void
vblk_log_spare(struct vblk_log *log, const struct vblk_log_slot *slot)
{
	const volatile uint16_t *link = &slot->first;
	uint16_t nb = *(const volatile uint16_t *)&slot->nb_descs, index, i;

	for (i = 0; i < nb; i++) {
		index = *link;
		if (unlikely(index >= log->size || log->nb_spare == log->size)) {
			log_damaged(log);
			return;
		}
		log->spare[log->nb_spare++] = index;
		link = &log->links[index];
	}
}

/* Whether a log is of this ring. */
static bool
log_fits(const struct vblk_log *log, const struct rte_vduse_vq_info *info)
{
	const struct vblk_log_ring *ring = log->ring;

	return ring->desc == info->desc && ring->driver == info->driver &&
	       ring->device == info->device && ring->features == info->features &&
	       ring->size == info->size && info->size <= log->size;
}

/* Whether a slot can be one, with descriptors that no other has. */
static bool
log_slot_check(const struct vblk_log *log, uint16_t index, bool *used)
{
	const struct vblk_log_slot *slot = &log->slots[index];
	uint16_t desc = slot->first, i;

	if (slot->nb_descs == 0 || slot->nb_descs > log->ring->size)
		return false;
	if (!log->packed)
		return slot->head == index;
	for (i = 0; i < slot->nb_descs; i++) {
		if (desc >= log->size || used[desc])
			return false;
		used[desc] = true;
		desc = log->links[desc];
	}
	return true;
}

static bool
log_check(const struct vblk_log *log, bool *used)
{
	uint16_t i;

	for (i = 0; i < log->size; i++) {
		if (log->slots[i].taken == 0)
			continue;
		if (i >= log->ring->size || !log_slot_check(log, i, used))
			return false;
	}
	return true;
}

/* What a slot takes of the ring: see vring_resume(). */
static uint32_t
log_weight(const struct vblk_log *log, const struct vblk_log_slot *slot)
{
	return log->packed ? slot->nb_descs : 1;
}

/* Whether the driver was shown the request of a slot. decided: the batch at that position was. */
static bool
log_was_shown(const struct vblk_log_slot *slot, uint16_t position, bool decided)
{
	if (slot->batch == 0)
		return false;
	return slot->batch != (VBLK_LOG_BATCH | position) || decided;
}

/* Frees what was shown, and has all else in flight. The order is that of the protocol. */
static void
log_settle(struct vblk_log *log, const struct vring_vq *ring, bool decided)
{
	uint16_t was = log->ring->shown, i;

	vblk_log_shown(log, ring);
	for (i = 0; i < log->ring->size; i++) {
		struct vblk_log_slot *slot = &log->slots[i];

		if (slot->taken == 0)
			continue;
		if (log_was_shown(slot, was, decided))
			rte_atomic_store_explicit(&slot->taken, 0, rte_memory_order_release);
		else
			slot->batch = 0;
	}
}

static int
log_place_ring(struct vblk_log *log, struct vring_vq *ring)
{
	uint32_t used = 0, taken = 0;
	bool decided;
	uint16_t i;
	int ret;

	decided = vring_was_shown(ring, log->ring->shown);
	for (i = 0; i < log->ring->size; i++) {
		const struct vblk_log_slot *slot = &log->slots[i];

		if (slot->taken == 0)
			continue;
		if (!log_was_shown(slot, log->ring->shown, decided))
			taken += log_weight(log, slot);
		else if (slot->batch == (VBLK_LOG_BATCH | log->ring->shown))
			used += log_weight(log, slot);
	}
	ret = vring_resume(ring, log->ring->shown, used, taken);
	if (ret == 0)
		log_settle(log, ring, decided);
	return ret;
}

static int
log_compare(const void *left, const void *right, void *arg)
{
	const struct vblk_log_slot *slots = arg;
	uint64_t a = slots[*(const uint16_t *)left].taken;
	uint64_t b = slots[*(const uint16_t *)right].taken;

	return a < b ? -1 : a > b;
}

static void
log_sort(struct vblk_log *log, uint16_t *order, uint16_t *nb)
{
	uint16_t i, n = 0;

	for (i = 0; i < log->ring->size; i++)
		if (log->slots[i].taken != 0)
			order[n++] = i;
	qsort_r(order, n, sizeof(*order), log_compare, log->slots);
	log->taken = n > 0 ? log->slots[order[n - 1]].taken : 0;
	*nb = n;
}

int
vblk_log_recover(struct vblk_log *log, const struct rte_vduse_vq_info *info, struct vring_vq *ring,
		 uint16_t *order, uint16_t *nb)
{
	bool *used;
	int ret = -EUCLEAN;

	log->packed = log_is_packed(info);
	log->damaged = false;
	used = calloc(log->size, sizeof(*used));
	if (used == NULL)
		return -ENOMEM;
	if (log_fits(log, info) && log_check(log, used) && log_place_ring(log, ring) == 0) {
		log_sort(log, order, nb);
		memset(used, 0, log->size * sizeof(*used));
		/* Once more: of those that are left. */
		(void)log_check(log, used);
		log_find_spare(log, used);
		ret = 0;
	}
	free(used);
	return ret;
}

uint32_t
vblk_log_deaths(const struct vblk_log *log, uint16_t slot)
{
	return log->slots[slot].again + 1u;
}

void
vblk_log_count(struct vblk_log *log, uint16_t slot)
{
	/* Before anything that may kill this process: the compiler keeps the order, too. */
	rte_atomic_store_explicit(&log->slots[slot].again, (uint16_t)(log->slots[slot].again + 1),
				  rte_memory_order_release);
	rte_compiler_barrier();
}

bool
vblk_log_again(struct vblk_log *log, struct vring_vq *ring, uint16_t index,
	       struct vring_desc *descs, struct rte_vduse_chain *chain)
{
	const volatile struct vblk_log_slot *slot = &log->slots[index];
	struct vring_taken taken = {
		.head = slot->head,
		.nb_descs = slot->nb_descs,
		.descs = descs,
	};
	uint16_t desc = slot->first, i;

	if (!log->packed) {
		/* It was checked when it was recovered, and may be another now. */
		if (taken.head == index)
			return vring_again(ring, &taken, chain);
		log_damaged(log);
		return false;
	}
	for (i = 0; i < taken.nb_descs; i++) {
		if (desc >= log->size || i == ring->size) {
			log_damaged(log);
			return false;
		}
		descs[i] = log->descs[desc];
		desc = log->links[desc];
	}
	return vring_again(ring, &taken, chain);
}
