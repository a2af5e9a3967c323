// SPDX-License-Identifier: GPL-2.0-only
// SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
/*
 * Allocates slots of a bounce region. Input: a size. Output: the offset of a
 * free slot. Any context, any CPU.
 *
 * The region is divided into blocks. A block is free, or it serves one class of
 * slots: 512 bytes for the headers and status bytes of requests, twice that
 * for tables of descriptors, then pages, then larger ones up to a whole block.
 * A larger slot, which few drivers request, is a span of adjacent free blocks.
 * A CPU frees slots to its own magazine and allocates from it, so that it takes
 * the lock of the pool once per batch. If a CPU finds no free slot, it empties
 * the magazines of all others before the allocation fails.
 */
#include <linux/bitmap.h>
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/log2.h>
#include <linux/percpu.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include "slots.h"

#define BLOCK_SHIFT_LARGE	18
#define BLOCK_SHIFT_SMALL	16
/* A smaller region has small blocks, because it needs some blocks of each class. */
#define LARGE_REGION		(8UL << 20)
#define BLOCK_SLOTS_MAX		(1U << (BLOCK_SHIFT_LARGE - VDUSE_SLOT_SHIFT_MIN))

#define NR_CLASSES		6
#define CLASS_SPAN		0xfd	/* a block of a slot that is larger than a block */
#define CLASS_RESERVED		0xfe	/* a block of the first page */
#define CLASS_FREE		0xff
#define BATCH_MAX		32
#define MAGAZINE_MAX		(2 * BATCH_MAX)

static const u8 class_shift[NR_CLASSES] = { 9, 10, 12, 14, 16, 18 };
static const u8 class_batch[NR_CLASSES] = { 16, 16, BATCH_MAX, 8, 2, 1 };

struct slot_block {
	struct list_head node;	/* on a list of struct vduse_slots unless full; slots->lock */
	u16 nr_slots;		/* slots->lock */
	u16 nr_used;		/* allocated or in a magazine; slots->lock */
	/* Stable while a slot of the block is in use; others may read them at any time. */
	u8 class;		/* slots->lock */
	u16 span_nr;		/* slots->lock; first block of a span: how many there are */
	u16 span_index;		/* slots->lock; block of a span: position in it */
	DECLARE_BITMAP(used, BLOCK_SLOTS_MAX);	/* slots->lock */
};

/* A run of adjacent slots, in units of the smallest one. */
struct slot_run {
	u32 first;
	u32 nr;
};

/* Slots are allocated from the beginning of the run that grew last. */
struct slot_magazine {
	unsigned int nr;	/* slots in all runs */
	unsigned int nr_runs;
	struct slot_run run[MAGAZINE_MAX];
};

/* One per CPU. Another CPU takes the lock only while the pool is empty. */
struct slot_cpu {
	spinlock_t lock;	/* protects the magazines; taken before slots->lock */
	struct slot_magazine magazine[NR_CLASSES];
};

struct vduse_slots {
	spinlock_t lock;	/* protects the blocks and these lists; any context */
	struct list_head free;
	struct list_head partial[NR_CLASSES];
	struct slot_cpu __percpu *cpu;
	unsigned int block_shift;
	unsigned int nr_blocks;
	struct slot_block block[] __counted_by(nr_blocks);
};

static unsigned int block_shift(size_t size)
{
	return size < LARGE_REGION ? BLOCK_SHIFT_SMALL : BLOCK_SHIFT_LARGE;
}

size_t vduse_slots_max(size_t size)
{
	return 1UL << block_shift(size);
}

static unsigned int slot_of(const struct vduse_slots *slots, unsigned int block, unsigned int nr)
{
	return (block << (slots->block_shift - VDUSE_SLOT_SHIFT_MIN)) +
	       (nr << (class_shift[slots->block[block].class] - VDUSE_SLOT_SHIFT_MIN));
}

static struct slot_block *block_of(struct vduse_slots *slots, u32 slot)
{
	return &slots->block[slot >> (slots->block_shift - VDUSE_SLOT_SHIFT_MIN)];
}

/* Assigns a free block to a class. Caller holds slots->lock. */
static void block_assign(struct vduse_slots *slots, struct slot_block *block, unsigned int class)
{
	WRITE_ONCE(block->class, class);
	block->nr_slots = 1U << (slots->block_shift - class_shift[class]);
	block->nr_used = 0;
	bitmap_zero(block->used, BLOCK_SLOTS_MAX);
	list_move(&block->node, &slots->partial[class]);
}

static struct slot_block *block_for(struct vduse_slots *slots, unsigned int class)
{
	struct slot_block *block;

	block = list_first_entry_or_null(&slots->partial[class], struct slot_block, node);
	if (block)
		return block;
	block = list_first_entry_or_null(&slots->free, struct slot_block, node);
	if (block)
		block_assign(slots, block, class);
	return block;
}

static u32 block_take(struct vduse_slots *slots, struct slot_block *block)
{
	unsigned int nr = find_first_zero_bit(block->used, block->nr_slots);

	__set_bit(nr, block->used);
	if (++block->nr_used == block->nr_slots)
		list_del_init(&block->node);
	return slot_of(slots, block - slots->block, nr);
}

/* A block without used slots becomes free for any class. */
static void block_return(struct vduse_slots *slots, u32 slot)
{
	struct slot_block *block = block_of(slots, slot);
	u32 first = slot_of(slots, block - slots->block, 0);
	unsigned int nr = (slot - first) >> (class_shift[block->class] - VDUSE_SLOT_SHIFT_MIN);

	__clear_bit(nr, block->used);
	if (block->nr_used-- == block->nr_slots)
		list_add(&block->node, &slots->partial[block->class]);
	if (!block->nr_used) {
		WRITE_ONCE(block->class, CLASS_FREE);
		list_move(&block->node, &slots->free);
	}
}

/*
 * Magazines. The caller holds their CPU's lock with interrupts disabled.
 *
 * The buffers of a request are freed in order. As a run they are allocated in
 * the same order for the next request: for the process they are contiguous.
 */

static u32 slot_step(unsigned int class)
{
	return 1U << (class_shift[class] - VDUSE_SLOT_SHIFT_MIN);
}

static void magazine_put(struct slot_magazine *magazine, unsigned int class, u32 slot)
{
	struct slot_run *run = &magazine->run[magazine->nr_runs];

	if (magazine->nr_runs && slot == run[-1].first + run[-1].nr * slot_step(class)) {
		run[-1].nr++;
	} else {
		*run = (struct slot_run){ .first = slot, .nr = 1 };
		magazine->nr_runs++;
	}
	magazine->nr++;
}

static u32 magazine_get(struct slot_magazine *magazine, unsigned int class)
{
	struct slot_run *last = &magazine->run[magazine->nr_runs - 1];
	u32 slot = last->first;

	last->first += slot_step(class);
	if (!--last->nr)
		magazine->nr_runs--;
	magazine->nr--;
	return slot;
}

static bool magazine_fill(struct vduse_slots *slots, struct slot_magazine *magazine,
			  unsigned int class)
{
	struct slot_block *block;

	spin_lock(&slots->lock);
	while (magazine->nr < class_batch[class]) {
		block = block_for(slots, class);
		if (!block)
			break;
		magazine_put(magazine, class, block_take(slots, block));
	}
	spin_unlock(&slots->lock);
	return magazine->nr;
}

/* Keeps the slots used last, whose memory is in the cache. */
static void magazine_spill(struct vduse_slots *slots, struct slot_magazine *magazine,
			   unsigned int class, unsigned int nr)
{
	struct slot_run *run = magazine->run;

	magazine->nr -= nr;
	spin_lock(&slots->lock);
	for (; nr; nr--) {
		block_return(slots, run->first);
		run->first += slot_step(class);
		if (!--run->nr)
			run++;
	}
	spin_unlock(&slots->lock);
	magazine->nr_runs -= run - magazine->run;
	memmove(magazine->run, run, magazine->nr_runs * sizeof(*run));
}

/* First fit: small slots use the block that was freed last, wherever it is. */
static struct slot_block *span_find(struct vduse_slots *slots, unsigned int nr)
{
	unsigned int i, found = 0;

	for (i = 0; i < slots->nr_blocks; i++) {
		found = slots->block[i].class == CLASS_FREE ? found + 1 : 0;
		if (found == nr)
			return &slots->block[i + 1 - nr];
	}
	return NULL;
}

static u64 span_take(struct vduse_slots *slots, unsigned int nr)
{
	unsigned int i;
	u64 offset = VDUSE_SLOT_NONE;
	struct slot_block *block;
	unsigned long flags;

	spin_lock_irqsave(&slots->lock, flags);
	block = span_find(slots, nr);
	if (block) {
		offset = (u64)(block - slots->block) << slots->block_shift;
		block->span_nr = nr;
		for (i = 0; i < nr; i++) {
			WRITE_ONCE(block[i].span_index, i);
			WRITE_ONCE(block[i].class, CLASS_SPAN);
			list_del_init(&block[i].node);
		}
	}
	spin_unlock_irqrestore(&slots->lock, flags);
	return offset;
}

static void span_return(struct vduse_slots *slots, struct slot_block *block)
{
	unsigned int nr = block->span_nr, i;
	unsigned long flags;

	spin_lock_irqsave(&slots->lock, flags);
	for (i = 0; i < nr; i++) {
		WRITE_ONCE(block[i].class, CLASS_FREE);
		list_add_tail(&block[i].node, &slots->free);
	}
	spin_unlock_irqrestore(&slots->lock, flags);
}

static void drain(struct vduse_slots *slots)
{
	struct slot_cpu *cpu;
	unsigned long flags;
	unsigned int class;
	int i;

	for_each_possible_cpu(i) {
		cpu = per_cpu_ptr(slots->cpu, i);
		spin_lock_irqsave(&cpu->lock, flags);
		for (class = 0; class < NR_CLASSES; class++)
			magazine_spill(slots, &cpu->magazine[class], class,
				       cpu->magazine[class].nr);
		spin_unlock_irqrestore(&cpu->lock, flags);
	}
}

static u64 get_of_class(struct vduse_slots *slots, unsigned int class)
{
	struct slot_magazine *magazine;
	u64 offset = VDUSE_SLOT_NONE;
	struct slot_cpu *cpu;
	unsigned long flags;

	cpu = raw_cpu_ptr(slots->cpu);
	spin_lock_irqsave(&cpu->lock, flags);
	magazine = &cpu->magazine[class];
	if (magazine->nr || magazine_fill(slots, magazine, class))
		offset = (u64)magazine_get(magazine, class) << VDUSE_SLOT_SHIFT_MIN;
	spin_unlock_irqrestore(&cpu->lock, flags);
	return offset;
}

static u64 get_of_blocks(struct vduse_slots *slots, size_t nr)
{
	u64 offset;

	if (nr > slots->nr_blocks)
		return VDUSE_SLOT_NONE;
	offset = span_take(slots, nr);
	if (offset == VDUSE_SLOT_NONE) {
		drain(slots);
		offset = span_take(slots, nr);
	}
	return offset;
}

u64 vduse_slots_get(struct vduse_slots *slots, size_t size)
{
	unsigned int first = 0, class;
	u64 offset;

	if (size > 1UL << slots->block_shift)
		return get_of_blocks(slots, ((size - 1) >> slots->block_shift) + 1);
	while (size > 1UL << class_shift[first])
		first++;
	offset = get_of_class(slots, first);
	if (likely(offset != VDUSE_SLOT_NONE))
		return offset;

	drain(slots);
	for (class = first; class < NR_CLASSES; class++) {
		if (class_shift[class] > slots->block_shift)
			break;
		offset = get_of_class(slots, class);
		if (offset != VDUSE_SLOT_NONE)
			break;
	}
	return offset;
}

void vduse_slots_put(struct vduse_slots *slots, u64 offset)
{
	u32 slot = offset >> VDUSE_SLOT_SHIFT_MIN;
	struct slot_block *block = block_of(slots, slot);
	unsigned int class = READ_ONCE(block->class);
	struct slot_magazine *magazine;
	struct slot_cpu *cpu;
	unsigned long flags;

	if (class == CLASS_SPAN) {
		span_return(slots, block);
		return;
	}
	cpu = raw_cpu_ptr(slots->cpu);
	spin_lock_irqsave(&cpu->lock, flags);
	magazine = &cpu->magazine[class];
	if (magazine->nr >= 2 * class_batch[class])
		magazine_spill(slots, magazine, class, class_batch[class]);
	magazine_put(magazine, class, slot);
	spin_unlock_irqrestore(&cpu->lock, flags);
}

u64 vduse_slots_start(const struct vduse_slots *slots, u64 offset)
{
	u64 block = offset >> slots->block_shift;
	unsigned int class;

	if (block >= slots->nr_blocks)
		return VDUSE_SLOT_NONE;
	class = READ_ONCE(slots->block[block].class);
	if (class == CLASS_SPAN)
		return (block - READ_ONCE(slots->block[block].span_index)) << slots->block_shift;
	if (class >= NR_CLASSES)
		return VDUSE_SLOT_NONE;
	return offset & ~((1ULL << class_shift[class]) - 1);
}

/*
 * Some devices take address 0 as "none", so the first page is never allocated.
 * Blocks that it fills are on no list; part of a block counts as used slots of
 * the smallest class.
 */
static void init_first_page(struct vduse_slots *slots)
{
	unsigned int blocks = PAGE_SIZE >> slots->block_shift, i;
	unsigned int nr = PAGE_SIZE >> VDUSE_SLOT_SHIFT_MIN;
	struct slot_block *first = &slots->block[0];

	for (i = 0; i < blocks; i++) {
		slots->block[i].class = CLASS_RESERVED;
		list_del_init(&slots->block[i].node);
	}
	if (blocks)
		return;
	block_assign(slots, first, 0);
	first->nr_used = nr;
	bitmap_set(first->used, 0, nr);
}

/* Bytes at the end of the region that do not fill a block stay unused. */
static void init_blocks(struct vduse_slots *slots)
{
	unsigned int i;

	spin_lock_init(&slots->lock);
	INIT_LIST_HEAD(&slots->free);
	for (i = 0; i < NR_CLASSES; i++)
		INIT_LIST_HEAD(&slots->partial[i]);
	for (i = 0; i < slots->nr_blocks; i++) {
		slots->block[i].class = CLASS_FREE;
		list_add_tail(&slots->block[i].node, &slots->free);
	}
	init_first_page(slots);
}

struct vduse_slots *vduse_slots_create(size_t size)
{
	unsigned int shift = block_shift(size);
	struct vduse_slots *slots;
	int i;

	/* Nothing would be left beside the first page. */
	if (size >> shift <= PAGE_SIZE >> shift)
		return NULL;
	slots = kvzalloc(struct_size(slots, block, size >> shift), GFP_KERNEL_ACCOUNT);
	if (!slots)
		return NULL;
	slots->nr_blocks = size >> shift;
	slots->block_shift = shift;
	slots->cpu = alloc_percpu_gfp(struct slot_cpu, GFP_KERNEL_ACCOUNT);
	if (!slots->cpu) {
		kvfree(slots);
		return NULL;
	}
	for_each_possible_cpu(i)
		spin_lock_init(&per_cpu_ptr(slots->cpu, i)->lock);
	init_blocks(slots);
	return slots;
}

void vduse_slots_destroy(struct vduse_slots *slots)
{
	if (!slots)
		return;
	free_percpu(slots->cpu);
	kvfree(slots);
}
