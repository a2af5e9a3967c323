/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Descriptor chains of a split ring (VIRTIO 1.2, sections 2.7.4 and 2.7.5). In flows the
 * index of a first descriptor, out flow pieces of memory. Everything here is the driver's
 * word: read once, checked, then used.
 */
#include <vring/chain.h>
#include <vring/split.h>

/* The table that a chain runs through: the ring itself, or an indirect one. */
struct chain_table {
	bool indirect;
	uint64_t iova;  /* of an indirect table */
	uint32_t nb;    /* its descriptors */
	uint32_t count; /* read so far: more than it has means a loop */
};

static inline bool
chain_add(struct vring_vq *vq, struct rte_vduse_chain *chain, const struct vring_desc *desc)
{
	return vring_chain_add(vq, chain, desc->addr, desc->len,
			       (desc->flags & VRING_DESC_F_WRITE) != 0);
}

/* Goes into the table that desc names; desc becomes its first descriptor. */
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

/* Goes on to the descriptor that desc names as its next; desc becomes that one. */
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
		if (!chain_add(vq, chain, desc))
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
