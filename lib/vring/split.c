/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * The split ring (VIRTIO 1.2, section 2.7); split_chain.c reads its chains.
 * Input: entries of the avail ring. Output: entries of the used ring.
 * Thread: polling; begin, map, seed, notify and resume: control.
 */
#include <errno.h>

#include <rte_prefetch.h>

#include <vring/mem.h>
#include <rte_vduse_compat.h>
#include <vring/split.h>

static int
split_map(struct vring_vq *vq)
{
	const struct vring_layout *layout = &vq->layout;
	uint64_t size = vq->size;
	struct vring_avail *avail;
	struct vring_used *used;
	struct vring_desc *desc;

	desc = vring_map_area(vq, layout->desc, size * sizeof(*desc), false);
	if (desc == NULL)
		return -EFAULT;
	/* Flags, index, entries, then used_event or avail_event. */
	avail = vring_map_area(vq, layout->driver, 2 * (3 + size), false);
	if (avail == NULL)
		return -EFAULT;
	used = vring_map_area(vq, layout->device, 6 + size * sizeof(used->ring[0]), true);
	if (used == NULL)
		return -EFAULT;
	vq->desc = desc;
	vq->avail = avail;
	vq->used = used;
	vq->used_event = &avail->ring[size];
	vq->avail_event = (uint16_t *)(void *)&used->ring[size];
	return 0;
}

static void
split_begin(struct vring_vq *vq)
{
	vq->next_avail = (uint16_t)vq->layout.position;
}

static void
split_seed(struct vring_vq *vq)
{
	/* The used index is what the driver saw. Chains popped after it are popped again: without
	 * an inflight log they were completed in order.
	 */
	vq->next_used = vring_load16(&vq->used->idx);
	vq->next_avail = vq->next_used;
	vq->avail_seen = vq->next_used;
	vq->published = vq->next_used;
}

/*
 * Writes whether the driver is to kick. With event indices a driver kicks when its avail index
 * passes avail_event. That index is at most the used index plus the ring size, so an event half
 * the index space ahead is never reached.
 */
static void
split_notify(struct vring_vq *vq)
{
	if (!vq->event_idx) {
		vring_store16(&vq->used->flags, vq->notify ? 0 : VRING_USED_F_NO_NOTIFY);
		return;
	}
	if (vq->notify) {
		vring_store16(vq->avail_event, vq->next_avail);
		return;
	}
	vring_store16(vq->avail_event, (uint16_t)(vq->next_used + 0x8000));
	vq->disabled_at = vq->next_used;
}

/* Number of available entries. Reads the driver's index if fewer than want are known. */
static inline uint16_t
split_available(struct vring_vq *vq, uint16_t want)
{
	uint16_t n = (uint16_t)(vq->avail_seen - vq->next_avail);

	if (n >= want)
		return n;
	/* Acquire: pairs with the driver's barrier between filling entries and its index. */
	vq->avail_seen = rte_le_to_cpu_16(
		rte_atomic_load_explicit(&vq->avail->idx, rte_memory_order_acquire));
	n = (uint16_t)(vq->avail_seen - vq->next_avail);
	if (unlikely(n > vq->size)) {
		vq->fault = VRING_FAULT_AVAIL;
		vq->fault_iova = vq->avail_seen;
		vq->avail_seen = vq->next_avail;
		return 0;
	}
	return n;
}

static uint16_t
split_pop(struct vring_vq *vq, struct rte_vduse_chain *chains, uint16_t nb)
{
	uint16_t heads[RTE_VDUSE_BURST_MAX];
	uint16_t n, i;

	if (unlikely(vq->fault != VRING_FAULT_NONE))
		return 0;
	nb = RTE_MIN(nb, RTE_VDUSE_BURST_MAX);
	n = RTE_MIN(split_available(vq, nb), nb);
	if (n == 0)
		return 0;
	for (i = 0; i < n; i++) {
		heads[i] = vring_load16(&vq->avail->ring[(vq->next_avail + i) & vq->mask]);
		rte_prefetch0(&vq->desc[heads[i] & vq->mask]);
	}
	vq->nb_bufs = 0;
	vq->nb_read = 0;
	for (i = 0; i < n && vq->nb_read < VRING_POP_DESCS; i++)
		if (unlikely(!vring_split_chain(vq, heads[i], &chains[i])))
			break;
	vq->next_avail = (uint16_t)(vq->next_avail + i);
	return i;
}

static void
split_unpop(struct vring_vq *vq, const struct rte_vduse_chain *chains, uint16_t nb)
{
	RTE_SET_USED(chains);
	vq->next_avail = (uint16_t)(vq->next_avail - nb);
	/* The faulty chain comes after the returned ones: a later pop finds the fault again. */
	if (nb > 0)
		vq->fault = VRING_FAULT_NONE;
}

static void
split_push(struct vring_vq *vq, const struct rte_vduse_chain *chains, uint16_t nb)
{
	uint16_t i;

	for (i = 0; i < nb; i++) {
		struct vring_used_elem *elem =
			&vq->used->ring[(uint16_t)(vq->next_used + i) & vq->mask];

		/* Section 2.7.9: one entry for a batch, that of its last chain at the place of its
		 * first.
		 */
		while (vq->in_order && i + 1 < nb && chains[i].nb_in == 0)
			i++;
		elem->id = rte_cpu_to_le_32(chains[i].head);
		elem->len = rte_cpu_to_le_32(chains[i].used_len);
	}
	vq->next_used = (uint16_t)(vq->next_used + nb);
}

static bool
split_publish(struct vring_vq *vq)
{
	uint16_t old = vq->published, now = vq->next_used;

	if (now == old)
		return false;
	if (vq->event_idx && (vq->notify || (uint16_t)(now - vq->disabled_at) > 0x8000 - vq->size))
		split_notify(vq);
	/* Release: pairs with the driver's barrier between reading the index and the entries. It
	 * also publishes the new avail_event before a driver can reach the old one.
	 */
	rte_atomic_store_explicit(&vq->used->idx, rte_cpu_to_le_16(now), rte_memory_order_release);
	vq->published = now;
	/* Store the index before loading used_event or the flags: pairs with the driver's barrier
	 * between enabling interrupts and checking the index again. Without it the driver could
	 * miss the entry and the device the request for an interrupt.
	 */
	rte_atomic_thread_fence(rte_memory_order_seq_cst);
	if (vq->event_idx)
		return vring_need_event(vring_load16(vq->used_event), now, old);
	return !(vring_load16(&vq->avail->flags) & VRING_AVAIL_F_NO_INTERRUPT);
}

static bool
split_calls_off(const struct vring_vq *vq)
{
	return !vq->event_idx && (vring_load16(&vq->avail->flags) & VRING_AVAIL_F_NO_INTERRUPT);
}

static uint32_t
split_position(const struct vring_vq *vq)
{
	return vq->next_avail;
}

static uint32_t
split_count(struct vring_vq *vq)
{
	return vq->fault != VRING_FAULT_NONE ? 0 : split_available(vq, UINT16_MAX);
}

static uint16_t
split_published(const struct vring_vq *vq)
{
	return vq->published;
}

static bool
split_was_published(struct vring_vq *vq, uint16_t published)
{
	return vring_load16(&vq->used->idx) != published;
}

static int
split_resume(struct vring_vq *vq, uint16_t published, uint32_t used, uint32_t taken)
{
	published = (uint16_t)(published + used);
	if (taken > vq->size || vring_load16(&vq->used->idx) != published)
		return -EINVAL;
	vq->next_used = published;
	vq->published = published;
	vq->next_avail = (uint16_t)(published + taken);
	vq->avail_seen = vq->next_avail;
	return 0;
}

static bool
split_reread(struct vring_vq *vq, const struct vring_taken *taken, struct rte_vduse_chain *chain)
{
	return vring_split_chain(vq, taken->head, chain);
}

const struct vring_ops vring_split_ops = {
	.begin = split_begin,
	.map = split_map,
	.seed = split_seed,
	.notify = split_notify,
	.pop = split_pop,
	.unpop = split_unpop,
	.push = split_push,
	.publish = split_publish,
	.calls_off = split_calls_off,
	.count = split_count,
	.position = split_position,
	.published = split_published,
	.was_published = split_was_published,
	.resume = split_resume,
	.reread = split_reread,
};
