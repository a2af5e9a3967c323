/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Descriptor chains of a split ring (VIRTIO 1.2, sections 2.7.4 and 2.7.5). In flows the
 * index of a first descriptor, out flow pieces of memory. Everything here is the driver's
 * word: read once, checked, then used.
 */
#include <rte_prefetch.h>

#include "mem.h"
#include "split.h"

#define CHAIN_DESC_SIZE sizeof(struct vring_desc)

/* The table that a chain runs through: the ring itself, or an indirect one. */
struct chain_table {
	bool indirect;
	uint64_t iova;  /* of an indirect table */
	uint32_t nb;    /* its descriptors */
	uint32_t count; /* read so far: more than it has means a loop */
};

static bool
chain_fault(struct vring_vq *vq, enum vring_fault fault, uint64_t value)
{
	vq->fault = fault;
	vq->fault_iova = value;
	return false;
}

static uint32_t
chain_len_add(uint32_t sum, uint64_t len)
{
	return (uint32_t)RTE_MIN(sum + len, (uint64_t)UINT32_MAX);
}

/* The lines of a small packet: its data will be read, or it and a header before it written. */
static inline void
chain_prefetch(const struct vring_vq *vq, const uint8_t *va, bool write)
{
	if (write) {
		rte_prefetch0_write(va);
		rte_prefetch0_write(va + RTE_CACHE_LINE_SIZE);
	} else {
		rte_prefetch0(va + vq->unread);
		rte_prefetch0(va + vq->unread + RTE_CACHE_LINE_SIZE - 1);
	}
}

/* Adds the pieces of one descriptor's buffer. */
static inline bool
chain_add(struct vring_vq *vq, struct vring_chain *chain, const struct vring_desc *desc)
{
	bool write = (desc->flags & VRING_DESC_F_WRITE) != 0;
	uint64_t iova = desc->addr, left = desc->len;

	if (unlikely(!write && chain->nb_in != 0))
		return chain_fault(vq, VRING_FAULT_ORDER, iova);
	if (unlikely(left != 0 && iova + left - 1 < iova))
		return chain_fault(vq, VRING_FAULT_ADDRESS, iova);
	while (left > 0) {
		uint64_t len = left;
		uint8_t *va = vring_mem_piece(&vq->mem, iova, &len, write);

		if (unlikely(va == NULL))
			return chain_fault(vq, VRING_FAULT_MISS, iova);
		if (unlikely(vq->nb_bufs == vq->max_bufs)) {
			/* Not the chain's fault if others of the burst filled the scratch. */
			if (chain->bufs != vq->bufs)
				return false;
			return chain_fault(vq, VRING_FAULT_LONG, vq->max_bufs);
		}
		chain_prefetch(vq, va, write);
		vq->bufs[vq->nb_bufs++] = (struct vring_buf){ .va = va, .len = (uint32_t)len };
		if (write) {
			chain->nb_in++;
			chain->in_len = chain_len_add(chain->in_len, len);
		} else {
			chain->nb_out++;
			chain->out_len = chain_len_add(chain->out_len, len);
		}
		iova += len;
		left -= len;
	}
	return true;
}

/* A descriptor of an indirect table; it may lie across two regions. */
static bool
chain_load_indirect(struct vring_vq *vq, uint64_t iova, struct vring_desc *desc)
{
	uint8_t copy[CHAIN_DESC_SIZE];
	uint64_t done = 0;

	while (done < sizeof(copy)) {
		uint64_t len = sizeof(copy) - done, i;
		const volatile uint8_t *va =
			vring_mem_piece(&vq->mem, iova + done, &len, false);

		if (unlikely(va == NULL))
			return chain_fault(vq, VRING_FAULT_MISS, iova + done);
		if (likely(len == sizeof(copy))) {
			*desc = vring_load_desc((const void *)(uintptr_t)va);
			return true;
		}
		for (i = 0; i < len; i++)
			copy[done + i] = va[i];
		done += len;
	}
	*desc = vring_load_desc(copy);
	return true;
}

/* Goes into the table that desc names; desc becomes its first descriptor. */
static bool
chain_enter_table(struct vring_vq *vq, struct chain_table *table, struct vring_desc *desc)
{
	uint32_t nb = desc->len / CHAIN_DESC_SIZE;

	if (!vq->indirect || table->indirect || (desc->flags & VRING_DESC_F_NEXT))
		return chain_fault(vq, VRING_FAULT_INDIRECT, desc->flags);
	if (nb == 0 || desc->len % CHAIN_DESC_SIZE != 0)
		return chain_fault(vq, VRING_FAULT_INDIRECT, desc->len);
	if (desc->addr + desc->len - 1 < desc->addr)
		return chain_fault(vq, VRING_FAULT_ADDRESS, desc->addr);
	table->indirect = true;
	table->iova = desc->addr;
	table->nb = nb;
	table->count = 1;
	if (!chain_load_indirect(vq, table->iova, desc))
		return false;
	if (desc->flags & VRING_DESC_F_INDIRECT)
		return chain_fault(vq, VRING_FAULT_INDIRECT, desc->flags);
	return true;
}

/* Goes on to the descriptor that desc names as its next; desc becomes that one. */
static bool
chain_next(struct vring_vq *vq, struct chain_table *table, struct vring_desc *desc)
{
	if (desc->next >= table->nb)
		return chain_fault(vq, VRING_FAULT_INDEX, desc->next);
	if (table->count == table->nb)
		return chain_fault(vq, VRING_FAULT_LOOP, table->count);
	if (table->indirect && table->count == vq->chain_limit)
		return chain_fault(vq, VRING_FAULT_LONG, table->count);
	table->count++;
	if (table->indirect)
		return chain_load_indirect(vq, table->iova + desc->next * CHAIN_DESC_SIZE, desc);
	*desc = vring_load_desc(&vq->desc[desc->next]);
	return true;
}

static bool
chain_walk(struct vring_vq *vq, struct vring_desc *desc, struct vring_chain *chain)
{
	struct chain_table table = { .nb = vq->size, .count = 1 };

	for (;;) {
		/* Section 2.7.5.3.2: descriptors of the ring may come before the table. */
		if (desc->flags & VRING_DESC_F_INDIRECT) {
			if (!chain_enter_table(vq, &table, desc))
				return false;
		}
		if (!chain_add(vq, chain, desc))
			return false;
		if (!(desc->flags & VRING_DESC_F_NEXT))
			return true;
		if (!table.indirect)
			chain->nb_descs++;
		if (!chain_next(vq, &table, desc))
			return false;
	}
}

bool
vring_split_chain(struct vring_vq *vq, uint16_t head, struct vring_chain *chain)
{
	struct vring_desc desc;

	if (unlikely(head >= vq->size))
		return chain_fault(vq, VRING_FAULT_INDEX, head);
	*chain = (struct vring_chain){
		.bufs = &vq->bufs[vq->nb_bufs],
		.head = head,
		.nb_descs = 1,
	};
	desc = vring_load_desc(&vq->desc[head]);
	if (likely(!(desc.flags & (VRING_DESC_F_NEXT | VRING_DESC_F_INDIRECT))))
		return chain_add(vq, chain, &desc);
	return chain_walk(vq, &desc, chain);
}
