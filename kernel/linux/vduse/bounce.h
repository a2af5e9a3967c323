/* SPDX-License-Identifier: GPL-2.0-only */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Bounce memory: what the device sees instead of the driver's buffers.
 */
#ifndef VDUSE_BOUNCE_H
#define VDUSE_BOUNCE_H

#include <linux/dma-direction.h>
#include <linux/mm_types.h>
#include <linux/rcupdate.h>
#include <linux/spinlock.h>
#include <linux/types.h>

struct vduse_slots;

/* What a slot stands for. Written by the one that took the slot. */
struct vduse_slot {
	phys_addr_t orig;	/* the driver's buffer, or VDUSE_NO_BUFFER */
	u32 len;
};

#define VDUSE_NO_BUFFER	(~(phys_addr_t)0)

/* Counted per CPU where it happens, summed up by readers. */
struct vduse_bounce_stats {
	u64 maps;
	u64 to_device_bytes;
	u64 from_device_bytes;
	u64 exhausted;
};

struct vduse_bounce {
	size_t size;		/* constant */

	/* Made at once by vduse_bounce_prepare(), then constant; ready says so. */
	bool ready;		/* release there, acquire wherever memory is used */
	struct page **kernel_pages;
	struct vduse_slot *slot;
	struct vduse_slots *slots;

	/* kernel_pages or the pages of a umem. Written by vduse_bounce_move(). */
	struct page *const *pages;
	/*
	 * While pages changes or is cleared, whoever touches bounce memory does it under
	 * move_lock. Otherwise an RCU read-side section is all it takes.
	 */
	bool moving;
	spinlock_t move_lock;	/* any context */
	/* Slots that start below moved are in the pages of move_to already. */
	u64 moved;			/* move_lock; 0 unless moving */
	struct page *const *move_to;	/* move_lock; constant while moved is not 0 */

	struct vduse_bounce_stats __percpu *stats;
};

int vduse_bounce_init(struct vduse_bounce *bounce, size_t size);
void vduse_bounce_exit(struct vduse_bounce *bounce);

/* Allocate the memory, once. Sleeps; one caller at a time. */
int vduse_bounce_prepare(struct vduse_bounce *bounce, int node);

/*
 * Move to the pages of a umem, or back to the kernel's with NULL. Contents of
 * mapped buffers move along. Sleeps; one caller at a time. After it returned,
 * nobody uses the former pages.
 */
void vduse_bounce_move(struct vduse_bounce *bounce, struct page *const *pages);

/*
 * Clear what no mapped buffer is in. Sleeps; one caller at a time, nor together
 * with a move.
 */
void vduse_bounce_clear(struct vduse_bounce *bounce);

/* The page to show at this offset: none while a umem is in its place. */
struct page *vduse_bounce_page(struct vduse_bounce *bounce, u64 offset);

/* DMA in any context. An address is the offset into the region. */
dma_addr_t vduse_bounce_map(struct vduse_bounce *bounce, phys_addr_t phys, size_t size,
			    enum dma_data_direction dir, bool copy);
void vduse_bounce_unmap(struct vduse_bounce *bounce, dma_addr_t addr,
			enum dma_data_direction dir, bool copy);
void vduse_bounce_sync(struct vduse_bounce *bounce, dma_addr_t addr, size_t size, bool to_device);

void vduse_bounce_read_stats(const struct vduse_bounce *bounce, struct vduse_bounce_stats *sum);

#endif
