/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Resumes a packed ring whose process was killed, for device types that complete chains in the
 * order in which they pop them: they record two positions instead of each chain.
 * Input: the two positions. Output: a ring resumed at one of them, or an error. Thread: control.
 */
#include <errno.h>

#include <vring/mem.h>
#include <vring/packed.h>

int
vring_packed_go_on(struct vring_vq *vq, uint16_t from, uint16_t to)
{
	const uint16_t bits = 1 << VRING_PACKED_DESC_F_AVAIL | 1 << VRING_PACKED_DESC_F_USED;
	uint32_t place, i;
	int ret;

	ret = vring_resume(vq, vring_was_published(vq, from) ? to : from, 0, 0);
	if (ret < 0)
		return ret;
	/* Push writes used descriptors after the first cache line before any is published: one that
	 * is marked used for its lap here means that the process was killed between the two.
	 */
	place = vq->packed.used;
	for (i = 0; i < vq->size; i++) {
		uint16_t flags = vring_load16(&vq->packed.desc[place % vq->size].flags);

		if ((flags & bits) == (place < vq->size ? bits : 0))
			return -EINVAL;
		place = (place + 1) % (2u * vq->size);
	}
	return 0;
}
