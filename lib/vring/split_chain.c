/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Reads descriptor chains of a split ring (VIRTIO 1.2, sections 2.7.4 and 2.7.5). Descriptors are
 * the driver's and not trusted: each is read once, checked, then used.
 * Input: the index of a first descriptor. Output: pieces of memory. Thread: polling.
 */
#include <vring/chain.h>
#include <vring/split.h>

/* The table that a chain is in: the descriptor table of the ring, or an indirect one. */
struct chain_table {
	bool indirect;
	uint64_t iova;  /* of an indirect table */
	uint32_t nb;    /* descriptors of the table */
	uint32_t count; /* descriptors read so far; more than nb means a loop */
};

/* Enters the indirect table of desc and reads its first descriptor into desc. */
static bool
chain_enter_table(struct vring_vq *vq, struct chain_table *table, struct vring_desc *desc)
{
	if (table->indirect || (desc->flags & VRING_DESC_F_NEXT))
		return vring_chain_fault(vq, VRING_FAULT_INDIRECT, desc->flags);
	if (!vring_chain_table(vq, desc->addr, desc->len))
		return false;
	table->indirect = true;
	table->iova = desc->addr;
	table->nb = desc->len / VRING_DESC_SIZE;
	table->count = 1;
	if (!vring_chain_load(vq, table->iova, desc))
		return false;
	if (desc->flags & VRING_DESC_F_INDIRECT)
		return vring_chain_fault(vq, VRING_FAULT_INDIRECT, desc->flags);
	return true;
}

/* Reads the descriptor that follows desc into desc. */
static bool
chain_next(struct vring_vq *vq, struct chain_table *table, struct vring_desc *desc)
{
	if (desc->next >= table->nb)
		return vring_chain_fault(vq, VRING_FAULT_INDEX, desc->next);
	if (table->count == table->nb)
		return vring_chain_fault(vq, VRING_FAULT_LOOP, table->count);
	if (table->indirect && table->count == vq->chain_limit)
		return vring_chain_fault(vq, VRING_FAULT_LONG, table->count);
	table->count++;
	if (table->indirect)
		return vring_chain_load(vq, table->iova + desc->next * VRING_DESC_SIZE, desc);
	*desc = vring_load_desc(&vq->desc[desc->next]);
	return true;
}

static bool
chain_walk(struct vring_vq *vq, struct vring_desc *desc, struct rte_vduse_chain *chain)
{
	struct chain_table table = { .nb = vq->size, .count = 1 };

	for (;;) {
		/* Section 2.7.5.3.2: descriptors of the ring may come before the table. */
		if (desc->flags & VRING_DESC_F_INDIRECT) {
			if (!chain_enter_table(vq, &table, desc))
				return false;
		}
		if (!vring_chain_add(vq, chain, desc->addr, desc->len,
				     (desc->flags & VRING_DESC_F_WRITE) != 0))
			return false;
		if (!(desc->flags & VRING_DESC_F_NEXT)) {
			vq->nb_read += table.count;
			return true;
		}
		if (!table.indirect)
			chain->nb_descs++;
		if (!chain_next(vq, &table, desc))
			return false;
	}
}

bool
vring_split_chain(struct vring_vq *vq, uint16_t head, struct rte_vduse_chain *chain)
{
	struct vring_desc desc;

	if (unlikely(head >= vq->size))
		return vring_chain_fault(vq, VRING_FAULT_INDEX, head);
	desc = vring_load_desc(&vq->desc[head]);
	if (likely(!(desc.flags & (VRING_DESC_F_NEXT | VRING_DESC_F_INDIRECT))))
		return vring_chain_single(vq, chain, head, desc.addr, desc.len,
					  (desc.flags & VRING_DESC_F_WRITE) != 0);
	vring_chain_begin(vq, chain, head);
	return chain_walk(vq, &desc, chain);
}
