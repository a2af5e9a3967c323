/* SPDX-License-Identifier: GPL-2.0-only */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Which part of a bounce region is free: slots, taken and given back in any
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
 * First byte of the slot in use that holds @offset. Where none is in use, the first
 * byte of one that could be, or VDUSE_SLOT_NONE.
 */
u64 vduse_slots_start(const struct vduse_slots *slots, u64 offset);

/*
 * The largest slot that is cheap to get in a region of this size, and which
 * drivers are told of. Larger ones may be had as long as enough of the region
 * is free side by side.
 */
size_t vduse_slots_max(size_t size);

#endif
