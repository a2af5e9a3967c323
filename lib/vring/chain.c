/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Reads indirect tables of both ring formats (VIRTIO 1.2, sections 2.7.5.3 and 2.8.7).
 * Input: a table's address and length. Output: its descriptors. Thread: polling.
 */
#include <vring/chain.h>

bool
vring_chain_load(struct vring_vq *vq, uint64_t iova, struct vring_desc *desc)
{
	uint8_t copy[VRING_DESC_SIZE];
	uint64_t done = 0;

	while (done < sizeof(copy)) {
		uint64_t len = sizeof(copy) - done, i;
		const volatile uint8_t *va = vring_mem_piece(&vq->mem, iova + done, &len, false);

		if (unlikely(va == NULL))
			return vring_chain_fault(vq, VRING_FAULT_MISS, iova + done);
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

bool
vring_chain_table(struct vring_vq *vq, uint64_t iova, uint32_t len)
{
	if (!vq->indirect || len == 0 || len % VRING_DESC_SIZE != 0)
		return vring_chain_fault(vq, VRING_FAULT_INDIRECT, len);
	if (iova + len - 1 < iova)
		return vring_chain_fault(vq, VRING_FAULT_ADDRESS, iova);
	return true;
}
