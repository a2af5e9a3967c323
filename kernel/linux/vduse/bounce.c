// SPDX-License-Identifier: GPL-2.0-only
// SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
/*
 * Bounce memory. When a driver maps a buffer, a slot is allocated, the data for
 * the device is copied into it, and the device gets the address of the slot.
 * When the driver unmaps the buffer, the data that the device wrote is copied
 * back. Drivers map and unmap in any context.
 *
 * The memory is zeroed and allocated in one step, in pieces as large as
 * possible, so that the process can map it with huge pages and never waits for
 * a page. The process may replace it with its own memory (umem). The kernel's
 * pages are kept meanwhile, so that going back needs no allocation.
 */
#include <linux/dma-mapping.h>
#include <linux/gfp.h>
#include <linux/highmem.h>
#include <linux/lockdep.h>
#include <linux/mm.h>
#include <linux/percpu.h>
#include <linux/sched.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "bounce.h"
#include "slots.h"
#include "trace.h"

/* Limits of one step of a move, which may exceed them by the last slot. */
#define MOVE_SCAN	SZ_512K
#define MOVE_BYTES	SZ_64K

static struct vduse_slot *slot_at(struct vduse_bounce *bounce, u64 offset)
{
	return &bounce->slot[offset >> VDUSE_SLOT_SHIFT_MIN];
}

static void free_pages_from(struct page **pages, unsigned long nr)
{
	unsigned long i = 0, step;

	while (i < nr && pages[i]) {
		step = 1UL << compound_order(pages[i]);
		put_page(pages[i]);
		i += step;
	}
	kvfree(pages);
}

/*
 * Allocates the largest zeroed piece that is not larger than the missing part.
 * Its offset is a multiple of its size, so that the kernel can map whole huge
 * pages where the process's mapping is aligned too.
 */
static struct page *alloc_piece(unsigned long done, unsigned long missing, int node)
{
	int order = min_t(int, ilog2(missing), HPAGE_PMD_ORDER);
	gfp_t gfp = GFP_KERNEL_ACCOUNT | __GFP_ZERO | __GFP_COMP | __GFP_NOWARN;
	struct page *page;

	if (done)
		order = min_t(int, order, __ffs(done));
	for (; order > 0; order--) {
		page = alloc_pages_node(node, gfp | __GFP_NORETRY, order);
		if (page)
			return page;
	}
	return alloc_pages_node(node, gfp, 0);
}

static struct page **alloc_all(size_t size, int node)
{
	unsigned long nr = size >> PAGE_SHIFT, done = 0, i, step;
	struct page **pages = kvcalloc(nr, sizeof(*pages), GFP_KERNEL_ACCOUNT);
	struct page *piece;

	if (!pages)
		return NULL;
	while (done < nr) {
		piece = fatal_signal_pending(current) ? NULL : alloc_piece(done, nr - done, node);
		if (!piece) {
			free_pages_from(pages, nr);
			return NULL;
		}
		step = 1UL << compound_order(piece);
		for (i = 0; i < step; i++)
			pages[done + i] = piece + i;
		done += step;
	}
	return pages;
}

int vduse_bounce_init(struct vduse_bounce *bounce, size_t size)
{
	BUILD_BUG_ON(IS_ENABLED(CONFIG_HIGHMEM));
	bounce->size = size;
	spin_lock_init(&bounce->move_lock);
	bounce->stats = alloc_percpu_gfp(struct vduse_bounce_stats, GFP_KERNEL_ACCOUNT);
	return bounce->stats ? 0 : -ENOMEM;
}

int vduse_bounce_prepare(struct vduse_bounce *bounce, int node)
{
	unsigned long nr = bounce->size >> VDUSE_SLOT_SHIFT_MIN, i;

	if (bounce->ready)
		return 0;
	bounce->slots = vduse_slots_create(bounce->size);
	bounce->slot = kvmalloc_array(nr, sizeof(*bounce->slot), GFP_KERNEL_ACCOUNT);
	bounce->kernel_pages = alloc_all(bounce->size, node);
	if (!bounce->slots || !bounce->slot || !bounce->kernel_pages)
		goto err_free;
	for (i = 0; i < nr; i++)
		bounce->slot[i].orig = VDUSE_NO_BUFFER;
	bounce->pages = bounce->kernel_pages;
	/* Pairs with smp_load_acquire() in bounce_is_ready(). */
	smp_store_release(&bounce->ready, true);
	return 0;

err_free:
	if (bounce->kernel_pages)
		free_pages_from(bounce->kernel_pages, bounce->size >> PAGE_SHIFT);
	kvfree(bounce->slot);
	vduse_slots_destroy(bounce->slots);
	bounce->kernel_pages = NULL;
	bounce->slot = NULL;
	bounce->slots = NULL;
	return -ENOMEM;
}

void vduse_bounce_exit(struct vduse_bounce *bounce)
{
	if (bounce->kernel_pages)
		free_pages_from(bounce->kernel_pages, bounce->size >> PAGE_SHIFT);
	kvfree(bounce->slot);
	vduse_slots_destroy(bounce->slots);
	free_percpu(bounce->stats);
}

static bool bounce_is_ready(const struct vduse_bounce *bounce)
{
	/* Pairs with smp_store_release() in vduse_bounce_prepare(). */
	return smp_load_acquire(&bounce->ready);
}

struct bounce_use {
	struct page *const *pages;
	unsigned long flags;
	bool locked;
};

/* Begins an access to the slot at this offset; use_end() ends it. */
static void use_begin(struct vduse_bounce *bounce, u64 start, struct bounce_use *use)
{
	rcu_read_lock();
	/* Pairs with smp_store_release() in vduse_bounce_move(). */
	use->locked = smp_load_acquire(&bounce->moving);
	if (unlikely(use->locked))
		spin_lock_irqsave(&bounce->move_lock, use->flags);
	use->pages = READ_ONCE(bounce->pages);
	if (unlikely(use->locked) && start < bounce->moved)
		use->pages = bounce->move_to;
}

static void use_end(struct vduse_bounce *bounce, struct bounce_use *use)
{
	if (unlikely(use->locked))
		spin_unlock_irqrestore(&bounce->move_lock, use->flags);
	rcu_read_unlock();
}

static void clear(struct page *const *pages, u64 offset, size_t len)
{
	size_t piece;

	for (; len; offset += piece, len -= piece) {
		piece = min_t(size_t, len, PAGE_SIZE - offset_in_page(offset));
		memset(page_address(pages[offset >> PAGE_SHIFT]) + offset_in_page(offset), 0,
		       piece);
	}
}

static void copy_slot(struct page *const *to, struct page *const *from, u64 offset, size_t len)
{
	size_t piece;

	for (; len; offset += piece, len -= piece) {
		piece = min_t(size_t, len, PAGE_SIZE - offset_in_page(offset));
		memcpy_page(to[offset >> PAGE_SHIFT], offset_in_page(offset),
			    from[offset >> PAGE_SHIFT], offset_in_page(offset), piece);
	}
}

/*
 * Limits the time with interrupts disabled: the table of slots may be long, and
 * the process may request moves at any rate.
 */
static void move_step(struct vduse_bounce *bounce)
{
	u64 end = min_t(u64, bounce->size, bounce->moved + MOVE_SCAN);
	struct vduse_slot *slot;
	size_t bytes = 0;

	lockdep_assert_held(&bounce->move_lock);
	for (; bounce->moved < end && bytes < MOVE_BYTES; bounce->moved += VDUSE_SLOT_MIN) {
		slot = slot_at(bounce, bounce->moved);
		if (slot->orig == VDUSE_NO_BUFFER)
			continue;
		copy_slot(bounce->move_to, bounce->pages, bounce->moved, slot->len);
		bytes += slot->len;
	}
	if (bounce->moved == bounce->size) {
		WRITE_ONCE(bounce->pages, bounce->move_to);
		bounce->moved = 0;
	}
}

/*
 * Three phases: make all new accesses take the lock; wait for accesses that
 * began before; exchange the pages under the lock, step by step. A reader that
 * sees moving unset again also sees the new pages.
 */
void vduse_bounce_move(struct vduse_bounce *bounce, struct page *const *pages)
{
	bool done;

	bounce->move_to = pages ? pages : bounce->kernel_pages;
	WRITE_ONCE(bounce->moving, true);
	synchronize_rcu();
	do {
		spin_lock_irq(&bounce->move_lock);
		move_step(bounce);
		done = !bounce->moved;
		spin_unlock_irq(&bounce->move_lock);
		cond_resched();
	} while (!done);
	/* Pairs with smp_load_acquire() in use_begin(). */
	smp_store_release(&bounce->moving, false);
}

/* Number of bytes from this offset on that a driver uses in the slot. */
static size_t used_at(struct vduse_bounce *bounce, u64 offset)
{
	u64 start = vduse_slots_start(bounce->slots, offset);
	struct vduse_slot *slot;

	if (start == VDUSE_SLOT_NONE)
		return 0;
	slot = slot_at(bounce, start);
	if (slot->orig == VDUSE_NO_BUFFER || start + slot->len <= offset)
		return 0;
	return start + slot->len - offset;
}

/*
 * Returns the offset of the next step, which may then be within a slot. The
 * descriptor of a slot that is allocated meanwhile is written under the lock,
 * before the slot is filled.
 */
static u64 clear_step(struct vduse_bounce *bounce, u64 offset)
{
	u64 end = min_t(u64, bounce->size, offset + MOVE_BYTES), next;
	size_t used;

	lockdep_assert_held(&bounce->move_lock);
	for (; offset < end; offset = next) {
		used = used_at(bounce, offset);
		offset += used;
		next = used ? round_up(offset, VDUSE_SLOT_MIN) : offset + VDUSE_SLOT_MIN;
		clear(bounce->pages, offset, next - offset);
	}
	return offset;
}

void vduse_bounce_clear(struct vduse_bounce *bounce)
{
	u64 offset = 0;

	if (!bounce_is_ready(bounce))
		return;
	WRITE_ONCE(bounce->moving, true);
	synchronize_rcu();
	while (offset < bounce->size) {
		spin_lock_irq(&bounce->move_lock);
		offset = clear_step(bounce, offset);
		spin_unlock_irq(&bounce->move_lock);
		cond_resched();
	}
	/* Pairs with smp_load_acquire() in use_begin(). */
	smp_store_release(&bounce->moving, false);
}

struct page *vduse_bounce_page(struct vduse_bounce *bounce, u64 offset)
{
	struct page *page = NULL;

	if (offset >= bounce->size || !bounce_is_ready(bounce))
		return NULL;
	if (READ_ONCE(bounce->pages) == bounce->kernel_pages) {
		page = bounce->kernel_pages[offset >> PAGE_SHIFT];
		get_page(page);
	}
	return page;
}

static void copy(struct page *const *pages, u64 offset, phys_addr_t orig, size_t len,
		 bool to_device)
{
	void *buffer = phys_to_virt(orig);
	size_t piece;
	void *bounce;

	for (; len; offset += piece, buffer += piece, len -= piece) {
		piece = min_t(size_t, len, PAGE_SIZE - offset_in_page(offset));
		bounce = page_address(pages[offset >> PAGE_SHIFT]) + offset_in_page(offset);
		if (to_device)
			memcpy(bounce, buffer, piece);
		else
			memcpy(buffer, bounce, piece);
	}
}

static bool dir_to_device(enum dma_data_direction dir)
{
	return dir == DMA_TO_DEVICE || dir == DMA_BIDIRECTIONAL;
}

static bool dir_from_device(enum dma_data_direction dir)
{
	return dir == DMA_FROM_DEVICE || dir == DMA_BIDIRECTIONAL;
}

/*
 * A slot that the device writes starts as zeroes, even if the driver copies by
 * itself: the driver may copy more than the device wrote, and must not get data
 * of an earlier request. The slot is not filled from the driver's buffer either,
 * which may be uninitialised kernel memory.
 */
dma_addr_t vduse_bounce_map(struct vduse_bounce *bounce, phys_addr_t phys, size_t size,
			    enum dma_data_direction dir, bool copying)
{
	struct vduse_slot *slot;
	struct bounce_use use;
	u64 offset;

	if (!size || !bounce_is_ready(bounce))
		return DMA_MAPPING_ERROR;
	offset = vduse_slots_get(bounce->slots, size);
	if (offset == VDUSE_SLOT_NONE) {
		this_cpu_inc(bounce->stats->exhausted);
		return DMA_MAPPING_ERROR;
	}
	copying = copying && dir_to_device(dir);
	slot = slot_at(bounce, offset);
	use_begin(bounce, offset, &use);
	slot->len = size;
	slot->orig = phys;
	if (copying)
		copy(use.pages, offset, phys, size, true);
	else if (dir_from_device(dir))
		clear(use.pages, offset, size);
	use_end(bounce, &use);

	this_cpu_inc(bounce->stats->maps);
	if (copying)
		this_cpu_add(bounce->stats->to_device_bytes, size);
	trace_vduse_map(bounce, offset, size, dir);
	return offset;
}

/* Kernel drivers pass addresses that they got from map: anything else is a driver bug. */
static struct vduse_slot *slot_in_use(struct vduse_bounce *bounce, dma_addr_t addr, u64 *start)
{
	struct vduse_slot *slot;

	if (WARN_ON_ONCE(!bounce_is_ready(bounce) || addr >= bounce->size))
		return NULL;
	*start = vduse_slots_start(bounce->slots, addr);
	if (WARN_ON_ONCE(*start == VDUSE_SLOT_NONE))
		return NULL;
	slot = slot_at(bounce, *start);
	if (WARN_ON_ONCE(slot->orig == VDUSE_NO_BUFFER))
		return NULL;
	return slot;
}

void vduse_bounce_unmap(struct vduse_bounce *bounce, dma_addr_t addr,
			enum dma_data_direction dir, bool copying)
{
	struct bounce_use use;
	struct vduse_slot *slot;
	u64 start;

	slot = slot_in_use(bounce, addr, &start);
	if (!slot || WARN_ON_ONCE(start != addr))
		return;
	copying = copying && dir_from_device(dir);
	use_begin(bounce, start, &use);
	if (copying)
		copy(use.pages, start, slot->orig, slot->len, false);
	slot->orig = VDUSE_NO_BUFFER;
	use_end(bounce, &use);

	if (copying)
		this_cpu_add(bounce->stats->from_device_bytes, slot->len);
	trace_vduse_unmap(bounce, addr, slot->len, dir);
	vduse_slots_put(bounce->slots, start);
}

void vduse_bounce_sync(struct vduse_bounce *bounce, dma_addr_t addr, size_t size, bool to_device)
{
	struct bounce_use use;
	struct vduse_slot *slot;
	u64 start;

	slot = slot_in_use(bounce, addr, &start);
	if (!slot || WARN_ON_ONCE(size > slot->len || addr - start > slot->len - size))
		return;
	use_begin(bounce, start, &use);
	copy(use.pages, addr, slot->orig + (addr - start), size, to_device);
	use_end(bounce, &use);
	if (to_device)
		this_cpu_add(bounce->stats->to_device_bytes, size);
	else
		this_cpu_add(bounce->stats->from_device_bytes, size);
}

void vduse_bounce_read_stats(const struct vduse_bounce *bounce, struct vduse_bounce_stats *sum)
{
	const struct vduse_bounce_stats *stats;
	int cpu;

	memset(sum, 0, sizeof(*sum));
	for_each_possible_cpu(cpu) {
		stats = per_cpu_ptr(bounce->stats, cpu);
		sum->maps += READ_ONCE(stats->maps);
		sum->to_device_bytes += READ_ONCE(stats->to_device_bytes);
		sum->from_device_bytes += READ_ONCE(stats->from_device_bytes);
		sum->exhausted += READ_ONCE(stats->exhausted);
	}
}
