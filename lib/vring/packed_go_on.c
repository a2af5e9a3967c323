/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Goes on in a packed ring whose process was killed. Device types that finish chains in the order
 * in which they took them note two positions instead of each chain.
 * Input: the two positions. Output: a ring that goes on at one of them, or a refusal.
 * Thread: control.
 */
#include <errno.h>

#include <vring/mem.h>
#include <vring/packed.h>

/* Whether a descriptor was marked used in the turn that begins at its place. */
static bool
go_on_is_used(const struct vring_vq *vq, uint32_t place)
{
	uint16_t wrap = place < vq->size;
	uint16_t flags = vring_load16(&vq->packed.desc[place % vq->size].flags);

	return (flags >> VRING_PACKED_DESC_F_AVAIL & 1) == wrap &&
	       (flags >> VRING_PACKED_DESC_F_USED & 1) == wrap;
}

int
vring_packed_go_on(struct vring_vq *vq, uint16_t from, uint16_t to)
{
	uint32_t place, i;
	int ret;

	ret = vring_resume(vq, vring_was_shown(vq, from) ? to : from, 0, 0);
	if (ret < 0)
		return ret;
	/* Used descriptors after the first cache line are written before the driver is shown any. */
	place = vq->packed.used;
	for (i = 0; i < vq->size; i++) {
		if (go_on_is_used(vq, place))
			return -EINVAL;
		place = (place + 1) % (2u * vq->size);
	}
	return 0;
}
