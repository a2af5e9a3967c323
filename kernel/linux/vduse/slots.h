/* SPDX-License-Identifier: GPL-2.0-only */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Allocates the slots of a bounce region. They are allocated and freed in any
 * context.
 */
#ifndef VDUSE_SLOTS_H
#define VDUSE_SLOTS_H

#include <linux/types.h>

/* The smallest slot; the distance between two entries of per-slot tables. */
#define VDUSE_SLOT_SHIFT_MIN	9
#define VDUSE_SLOT_MIN		(1UL << VDUSE_SLOT_SHIFT_MIN)

#define VDUSE_SLOT_NONE		((u64)~0ULL)

struct vduse_slots;

struct vduse_slots *vduse_slots_create(size_t size);
void vduse_slots_destroy(struct vduse_slots *slots);

/* Offset of a free slot of at least @size bytes, or VDUSE_SLOT_NONE. */
u64 vduse_slots_get(struct vduse_slots *slots, size_t size);
void vduse_slots_put(struct vduse_slots *slots, u64 offset);

/*
 * First byte of the used slot that contains @offset. If none is used there, the
 * first byte of a possible slot, or VDUSE_SLOT_NONE.
 */
u64 vduse_slots_start(const struct vduse_slots *slots, u64 offset);

/*
 * The largest slot that is cheap to allocate in a region of this size. It is
 * announced to drivers. Larger slots can be allocated while enough adjacent
 * blocks are free.
 */
size_t vduse_slots_max(size_t size);

#endif
