/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Translates and reads driver memory. The window of the last hit serves nearly every address
 * with one subtraction and one comparison. Memory that the driver can change at any time is
 * read once, into a local.
 */
#ifndef VRING_MEM_H
#define VRING_MEM_H

#include <rte_byteorder.h>

#include <rte_vduse_compat.h>
#include <vring/vring.h>

/*
 * Translates up to *len bytes at iova and sets *len to the number of bytes contiguous at the
 * returned address. NULL: no region permits the access; the cached window is then emptied.
 */
static inline uint8_t *
vring_mem_piece(struct vring_mem *mem, uint64_t iova, uint64_t *len, bool write)
{
	struct vring_window *window = &mem->window[write];
	uint64_t offset = iova - window->first;

	if (unlikely(offset >= window->size)) {
		if (!mem->lookup(mem->arg, iova, write, window)) {
			window->size = 0;
			return NULL;
		}
		offset = iova - window->first;
	}
	*len = RTE_MIN(*len, window->size - offset);
	return (uint8_t *)(uintptr_t)(iova + window->delta);
}

/*
 * vring.c: translates len bytes that must be contiguous in virtual memory, although they may
 * span several regions. NULL: vq->fault_iova is the first address that is not.
 */
void *
vring_map_area(struct vring_vq *vq, uint64_t iova, uint64_t len, bool write);

static inline uint16_t
vring_load16(const uint16_t *from)
{
	return rte_le_to_cpu_16(rte_atomic_load_explicit(from, rte_memory_order_relaxed));
}

static inline void
vring_store16(uint16_t *to, uint16_t value)
{
	rte_atomic_store_explicit(to, rte_cpu_to_le_16(value), rte_memory_order_relaxed);
}

/* Indirect tables need not be aligned. */
struct __rte_packed_begin vring_desc_words {
	uint64_t low;
	uint64_t high;
} __rte_packed_end __rte_may_alias;

/* Reads each half once: volatile keeps the compiler from loading a field again. */
static inline struct vring_desc
vring_load_desc(const void *from)
{
	const volatile struct vring_desc_words *words = from;
	uint64_t low = rte_le_to_cpu_64(words->low);
	uint64_t high = rte_le_to_cpu_64(words->high);

	return (struct vring_desc){
		.addr = low,
		.len = (uint32_t)high,
		.flags = (uint16_t)(high >> 32),
		.next = (uint16_t)(high >> 48),
	};
}

#endif /* VRING_MEM_H */
