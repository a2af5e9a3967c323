/* SPDX-License-Identifier: GPL-2.0-only */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Bounce memory: the memory that the device accesses instead of the driver's
 * buffers.
 */
#ifndef VDUSE_BOUNCE_H
#define VDUSE_BOUNCE_H

#include <linux/dma-direction.h>
#include <linux/mm_types.h>
#include <linux/rcupdate.h>
#include <linux/spinlock.h>
#include <linux/types.h>

struct vduse_slots;

/* The driver's buffer of a slot. Written by the CPU that allocated the slot. */
struct vduse_slot {
	phys_addr_t orig;	/* the driver's buffer, or VDUSE_NO_BUFFER */
	u32 len;
};

#define VDUSE_NO_BUFFER	(~(phys_addr_t)0)

/* Counted per CPU; readers compute the sum. */
struct vduse_bounce_stats {
	u64 maps;
	u64 to_device_bytes;
	u64 from_device_bytes;
	u64 exhausted;
};

struct vduse_bounce {
	size_t size;		/* constant */

	/* Set once by vduse_bounce_prepare(), then constant; see ready. */
	bool ready;		/* release there, acquire before the memory is used */
	struct page **kernel_pages;
	struct vduse_slot *slot;
	struct vduse_slots *slots;

	/* kernel_pages or the pages of a umem. Written by vduse_bounce_move(). */
	struct page *const *pages;
	/*
	 * While pages is replaced or cleared, every access to bounce memory holds
	 * move_lock. Otherwise an RCU read-side section is sufficient.
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
 * Move to the pages of a umem, or back to the kernel's with NULL. The contents
 * of mapped buffers are copied. Sleeps; one caller at a time. After it returns,
 * the old pages are not used any more.
 */
void vduse_bounce_move(struct vduse_bounce *bounce, struct page *const *pages);

/*
 * Clear the memory that holds no mapped buffer. Sleeps; one caller at a time,
 * and not concurrently with a move.
 */
void vduse_bounce_clear(struct vduse_bounce *bounce);

/* The kernel's page at this offset, or NULL while a umem replaces it. */
struct page *vduse_bounce_page(struct vduse_bounce *bounce, u64 offset);

/* DMA in any context. An address is the offset into the region. */
dma_addr_t vduse_bounce_map(struct vduse_bounce *bounce, phys_addr_t phys, size_t size,
			    enum dma_data_direction dir, bool copy);
void vduse_bounce_unmap(struct vduse_bounce *bounce, dma_addr_t addr,
			enum dma_data_direction dir, bool copy);
void vduse_bounce_sync(struct vduse_bounce *bounce, dma_addr_t addr, size_t size, bool to_device);

void vduse_bounce_read_stats(const struct vduse_bounce *bounce, struct vduse_bounce_stats *sum);

#endif
