/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Descriptor chains, the part that both ring formats share: translates driver buffers, reads
 * indirect tables and records faults.
 */
#ifndef VRING_CHAIN_H
#define VRING_CHAIN_H

#include <assert.h>

#include <vring/mem.h>

#define VRING_DESC_SIZE sizeof(struct vring_desc)
static_assert(VRING_DESC_SIZE == sizeof(struct vring_packed_desc), "both formats' are 16 bytes");

static inline bool
vring_chain_fault(struct vring_vq *vq, enum vring_fault fault, uint64_t value)
{
	vq->fault = fault;
	vq->fault_iova = value;
	return false;
}

static inline uint32_t
vring_chain_sum(uint32_t sum, uint64_t len)
{
	return (uint32_t)RTE_MIN(sum + len, (uint64_t)UINT32_MAX);
}

/* Starts an empty chain at the free end of the scratch array. */
static inline void
vring_chain_begin(struct vring_vq *vq, struct rte_vduse_chain *chain, uint16_t head)
{
	*chain = (struct rte_vduse_chain){
		.bufs = &vq->bufs[vq->nb_bufs],
		.head = head,
		.nb_descs = 1,
	};
}

/* Adds one descriptor's buffer. False: vq->fault says why, or the scratch array is full. */
static inline bool
vring_chain_add(struct vring_vq *vq, struct rte_vduse_chain *chain, uint64_t iova, uint32_t size,
		bool write)
{
	uint64_t left = size;

	if (unlikely(!write && chain->nb_in != 0))
		return vring_chain_fault(vq, VRING_FAULT_ORDER, iova);
	if (unlikely(left != 0 && iova + left - 1 < iova))
		return vring_chain_fault(vq, VRING_FAULT_ADDRESS, iova);
	while (left > 0) {
		uint64_t len = left;
		uint8_t *va = vring_mem_piece(&vq->mem, iova, &len, write);

		if (unlikely(va == NULL))
			return vring_chain_fault(vq, VRING_FAULT_MISS, iova);
		if (unlikely(vq->nb_bufs == vq->max_bufs)) {
			/* No fault if earlier chains of the burst filled the scratch array. */
			if (chain->bufs != vq->bufs)
				return false;
			return vring_chain_fault(vq, VRING_FAULT_LONG, vq->max_bufs);
		}
		vq->bufs[vq->nb_bufs++] = (struct rte_vduse_buf){ .va = va, .len = (uint32_t)len };
		if (write) {
			chain->nb_in++;
			chain->in_len = vring_chain_sum(chain->in_len, len);
		} else {
			chain->nb_out++;
			chain->out_len = vring_chain_sum(chain->out_len, len);
		}
		iova += len;
		left -= len;
	}
	return true;
}

/*
 * Fast path, branch-free: makes a chain of one descriptor whose buffer lies in the window. False:
 * the buffer is empty or not inside the window; buf and chain are then undefined.
 */
static __rte_always_inline bool
vring_chain_take(const struct vring_window *window, uint16_t head, uint64_t iova, uint32_t size,
		 bool write, struct rte_vduse_buf *buf, struct rte_vduse_chain *chain)
{
	uint64_t offset = iova - window->first;

	buf->va = (uint8_t *)(uintptr_t)(iova + window->delta);
	buf->len = size;
	chain->bufs = buf;
	chain->out_len = write ? 0 : size;
	chain->in_len = write ? size : 0;
	chain->used_len = 0;
	chain->nb_out = !write;
	chain->nb_in = write;
	chain->head = head;
	chain->nb_descs = 1;
	return (offset < window->size) & ((uint64_t)size - 1 < window->size - offset);
}

/* Makes a chain of one descriptor: tries the cached window, then the full lookup. */
static inline bool
vring_chain_single(struct vring_vq *vq, struct rte_vduse_chain *chain, uint16_t head, uint64_t iova,
		   uint32_t size, bool write)
{
	if (likely(vq->nb_bufs < vq->max_bufs &&
		   vring_chain_take(&vq->mem.window[write], head, iova, size, write,
				    &vq->bufs[vq->nb_bufs], chain))) {
		vq->nb_bufs++;
		return true;
	}
	vring_chain_begin(vq, chain, head);
	return vring_chain_add(vq, chain, iova, size, write);
}

/* chain.c: reads a descriptor of an indirect table; it may cross into another region. */
bool
vring_chain_load(struct vring_vq *vq, uint64_t iova, struct vring_desc *desc);

/* chain.c: checks the address and length of an indirect table. False: vq->fault says why. */
bool
vring_chain_table(struct vring_vq *vq, uint64_t iova, uint32_t len);

#endif /* VRING_CHAIN_H */
