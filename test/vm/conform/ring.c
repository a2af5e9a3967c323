/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* Split rings of a driver of this kernel, from the device side. */
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "dev.h"
#include "ring.h"
#include "tap.h"

void
ring_open(struct ring *ring, int fd, uint32_t index)
{
	struct vduse_vq_info info = { .index = index };
	struct vduse_iotlb_entry entry;
	uint8_t *va;

	need(ioctl(fd, VDUSE_VQ_GET_INFO, &info) == 0, "vq info");
	va = dev_map(fd, info.desc_addr, MAP_SHARED, &entry);
	need(va != MAP_FAILED, "map a ring");
	ring->index = index;
	ring->desc = (void *)(va + (info.desc_addr - entry.start));
	ring->avail = (void *)(va + (info.driver_addr - entry.start));
	ring->used = (void *)(va + (info.device_addr - entry.start));
	ring->next = ring->used->idx;
}

bool
ring_has(const struct ring *ring)
{
	return __atomic_load_n(&ring->avail->idx, __ATOMIC_ACQUIRE) != ring->next;
}

uint32_t
ring_copy(const struct ring *ring, uint8_t *base, void *buffer, uint32_t size, bool write)
{
	uint16_t i = ring->avail->ring[ring->next % DEV_VQ_SIZE];
	uint8_t *at = buffer;
	uint32_t done = 0, len;

	for (;; i = ring->desc[i].next) {
		len = ring->desc[i].len < size - done ? ring->desc[i].len : size - done;
		if (((ring->desc[i].flags & VRING_DESC_F_WRITE) != 0) != write)
			len = 0;
		if (write)
			memcpy(base + ring->desc[i].addr, at + done, len);
		else
			memcpy(at + done, base + ring->desc[i].addr, len);
		done += len;
		if (!(ring->desc[i].flags & VRING_DESC_F_NEXT))
			break;
	}
	return done;
}

void
ring_finish(struct ring *ring, uint32_t written)
{
	struct vring_used_elem *used = &ring->used->ring[ring->next % DEV_VQ_SIZE];

	used->id = ring->avail->ring[ring->next % DEV_VQ_SIZE];
	used->len = written;
	ring->next++;
	__atomic_store_n(&ring->used->idx, ring->next, __ATOMIC_RELEASE);
}
