/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Starts, remaps and stops a virtqueue.
 * Input: its layout, as the driver set it. Output: a virtqueue that can be popped.
 * Thread: control; vring_notify(): also polling.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_bitops.h>

#include <vring/mem.h>
#include <vring/packed.h>
#include <rte_vduse_compat.h>
#include <vring/split.h>
#include <vring/vring.h>

#define VRING_BIT(nr) (UINT64_C(1) << (nr))

const char *
vring_fault_name(enum vring_fault fault)
{
	static const char *const names[VRING_FAULT_COUNT] = {
		[VRING_FAULT_NONE] = "no fault",
		[VRING_FAULT_MISS] = "memory in no region, address",
		[VRING_FAULT_AVAIL] = "more made available than the ring holds, index",
		[VRING_FAULT_INDEX] = "a descriptor outside its table, index",
		[VRING_FAULT_LOOP] = "a descriptor chain that loops, descriptors",
		[VRING_FAULT_INDIRECT] = "a malformed or forbidden indirect table, length or flags",
		[VRING_FAULT_ORDER] = "a readable descriptor after a writable one, address",
		[VRING_FAULT_ADDRESS] = "a buffer that wraps around the address space, address",
		[VRING_FAULT_LONG] = "a descriptor chain that is too long, pieces",
	};

	return fault < VRING_FAULT_COUNT ? names[fault] : "unknown fault";
}

void *
vring_map_area(struct vring_vq *vq, uint64_t iova, uint64_t len, bool write)
{
	uint8_t *start = NULL;
	uint64_t done = 0;

	if (iova + len - 1 < iova) {
		vq->fault_iova = iova;
		return NULL;
	}
	while (done < len) {
		uint64_t n = len - done;
		uint8_t *va = vring_mem_piece(&vq->mem, iova + done, &n, write);

		if (done == 0)
			start = va;
		if (va == NULL || va != start + done) {
			vq->fault_iova = iova + done;
			return NULL;
		}
		done += n;
	}
	return start;
}

/* Section 2.7: size and alignment of a split ring. */
static int
vring_split_check(const struct vring_layout *layout)
{
	if (layout->size < VRING_SIZE_MIN || layout->size > VRING_SIZE_MAX ||
	    !rte_is_power_of_2(layout->size))
		return -EINVAL;
	if (layout->desc % 16 != 0 || layout->driver % 2 != 0 || layout->device % 4 != 0)
		return -EINVAL;
	return 0;
}

/* Section 2.8.10: size, alignment and positions of a packed ring. */
static int
vring_packed_check(const struct vring_layout *layout)
{
	if (layout->size == 0 || layout->size > VRING_SIZE_MAX)
		return -EINVAL;
	if (layout->desc % 16 != 0 || layout->driver % 4 != 0 || layout->device % 4 != 0)
		return -EINVAL;
	if ((layout->position & VRING_PACKED_INDEX) >= layout->size ||
	    (layout->position >> 16 & VRING_PACKED_INDEX) >= layout->size)
		return -EINVAL;
	return 0;
}

int
vring_start(struct vring_vq *vq, const struct vring_layout *layout, vring_lookup_t lookup,
	    void *arg)
{
	bool packed = (layout->features & VRING_BIT(VIRTIO_F_RING_PACKED)) != 0;
	int ret;

	vring_stop(vq);
	ret = packed ? vring_packed_check(layout) : vring_split_check(layout);
	if (ret < 0)
		return ret;
	*vq = (struct vring_vq){
		.ops = packed ? &vring_packed_ops : &vring_split_ops,
		.layout = *layout,
		.size = (uint16_t)layout->size,
		.mask = (uint16_t)(layout->size - 1),
		.event_idx = (layout->features & VRING_BIT(VIRTIO_RING_F_EVENT_IDX)) != 0,
		.indirect = (layout->features & VRING_BIT(VIRTIO_RING_F_INDIRECT_DESC)) != 0,
		.in_order = (layout->features & VRING_BIT(VIRTIO_F_IN_ORDER)) != 0,
		.mem = { .lookup = lookup, .arg = arg },
	};
	vq->chain_limit = RTE_MAX((uint32_t)vq->size, (uint32_t)VRING_CHAIN_MIN_LIMIT);
	vq->max_bufs = RTE_MIN(2 * vq->chain_limit + RTE_VDUSE_BURST_MAX, (uint32_t)UINT16_MAX);
	/* The position of one that cannot be mapped yet, and may stop before it is. */
	vq->ops->begin(vq);
	ret = vring_remap(vq);
	if (ret < 0)
		return ret;
	vq->bufs = calloc(vq->max_bufs, sizeof(*vq->bufs));
	if (vq->bufs == NULL)
		return -ENOMEM;
	vq->ops->seed(vq);
	vq->ops->notify(vq);
	vq->started = true;
	return 0;
}

int
vring_remap(struct vring_vq *vq)
{
	int ret;

	memset(vq->mem.window, 0, sizeof(vq->mem.window));
	ret = vq->ops->map(vq);
	/* The new memory may not hold the notification setting. */
	if (ret == 0 && vq->started) {
		vq->ops->notify(vq);
		if (vq->log != NULL)
			vring_log_notify(vq);
	}
	return ret;
}

void
vring_log_set(struct vring_vq *vq, const struct vring_log *log, uint64_t used)
{
	vq->log = log;
	vq->log_used = used;
	/* The start wrote there. */
	if (log != NULL)
		vring_log_notify(vq);
}

void
vring_stop(struct vring_vq *vq)
{
	free(vq->bufs);
	vq->bufs = NULL;
	memset(vq->mem.window, 0, sizeof(vq->mem.window));
	vq->desc = NULL;
	vq->avail = NULL;
	vq->used = NULL;
	vq->avail_event = NULL;
	vq->used_event = NULL;
	vq->packed.desc = NULL;
	vq->packed.device_event = NULL;
	vq->packed.driver_event = NULL;
	vq->log = NULL;
	vq->started = false;
}

void
vring_notify(struct vring_vq *vq, bool enable)
{
	vq->notify = enable;
	vq->ops->notify(vq);
	if (unlikely(vq->log != NULL))
		vring_log_notify(vq);
	/* Store the setting before the next load from the ring: pairs with the driver's barrier
	 * between making a chain available and loading the setting.
	 */
	rte_atomic_thread_fence(rte_memory_order_seq_cst);
}

uint32_t
vring_position(const struct vring_vq *vq)
{
	/* A virtqueue that never started has no ops. */
	return vq->ops != NULL ? vq->ops->position(vq) : 0;
}
