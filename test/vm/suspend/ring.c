/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* See ring.h. Thread: one at a time. */
#include <stdatomic.h>
#include <string.h>

#include <linux/virtio_ring.h>

#include "check.h"
#include "ring.h"

#define PACKED_AVAIL (1 << VRING_PACKED_DESC_F_AVAIL)
#define PACKED_USED  (1 << VRING_PACKED_DESC_F_USED)

static uint16_t
load16(const void *from)
{
	return atomic_load_explicit((const _Atomic uint16_t *)from, memory_order_acquire);
}

static void
store16(void *to, uint16_t value)
{
	atomic_store_explicit((_Atomic uint16_t *)to, value, memory_order_release);
}

static struct vring_desc *
split_desc(const struct ring *ring)
{
	return (void *)ring->memory;
}

static struct vring_avail *
split_avail(const struct ring *ring)
{
	return (void *)(ring->memory + RING_DRIVER);
}

static struct vring_used *
split_used(const struct ring *ring)
{
	return (void *)(ring->memory + RING_DEVICE);
}

static struct vring_packed_desc *
packed_desc(const struct ring *ring)
{
	return (void *)ring->memory;
}

static struct vring_packed_desc_event *
packed_event(const struct ring *ring, unsigned int area)
{
	return (void *)(ring->memory + area);
}

/* The wrap counter of a place, and its index with that in bit 15. */
static bool
packed_wrap(uint64_t place)
{
	return place % (2 * RING_SIZE) < RING_SIZE;
}

static uint16_t
packed_index(uint64_t place)
{
	return (uint16_t)(place % RING_SIZE | (packed_wrap(place) ? 1 << 15 : 0));
}

void
ring_init(struct ring *ring, uint8_t *memory, uint64_t iova, bool packed, uint16_t room)
{
	*ring = (struct ring){ .memory = memory, .iova = iova, .packed = packed, .room = room };
}

void
ring_set_event_idx(struct ring *ring, bool event_idx)
{
	ring->event_idx = event_idx;
	if (ring->packed)
		store16(&packed_event(ring, RING_DRIVER)->flags,
			event_idx ? VRING_PACKED_EVENT_FLAG_DESC : VRING_PACKED_EVENT_FLAG_ENABLE);
	ring_ask_call(ring);
}

static void
split_post(struct ring *ring, uint16_t id, const struct ring_part *parts, uint16_t nb)
{
	struct vring_avail *avail = split_avail(ring);
	uint16_t i, head = (uint16_t)(id * ring->room);

	for (i = 0; i < nb; i++)
		split_desc(ring)[head + i] = (struct vring_desc){
			.addr = parts[i].iova,
			.len = parts[i].len,
			.flags = (uint16_t)(parts[i].flags | (i + 1 < nb ? VRING_DESC_F_NEXT : 0)),
			.next = (uint16_t)(head + i + 1),
		};
	avail->ring[ring->posted % RING_SIZE] = head;
	store16(&avail->idx, (uint16_t)(ring->posted + 1));
}

/* The flags of the first descriptor are written last, because they make the chain available. */
static void
packed_post(struct ring *ring, uint16_t id, const struct ring_part *parts, uint16_t nb)
{
	uint16_t i;

	for (i = nb; i-- > 0;) {
		uint64_t place = ring->posted + i;
		struct vring_packed_desc *desc = &packed_desc(ring)[place % RING_SIZE];

		desc->addr = parts[i].iova;
		desc->len = parts[i].len;
		desc->id = id;
		store16(&desc->flags,
			(uint16_t)(parts[i].flags | (i + 1 < nb ? VRING_DESC_F_NEXT : 0) |
				   (packed_wrap(place) ? PACKED_AVAIL : PACKED_USED)));
	}
}

void
ring_post(struct ring *ring, uint16_t id, const struct ring_part *parts, uint16_t nb)
{
	uint16_t units = ring->packed ? nb : 1;

	if (ring->packed)
		packed_post(ring, id, parts, nb);
	else
		split_post(ring, id, parts, nb);
	ring->chain[id] = (struct ring_chain){ .begin = ring->posted, .units = units, .out = true };
	ring->posted += units;
}

static bool
split_wants_kick(const struct ring *ring, uint16_t old)
{
	const struct vring_used *used = split_used(ring);

	if (!ring->event_idx)
		return !(load16(&used->flags) & VRING_USED_F_NO_NOTIFY);
	return vring_need_event(load16(&used->ring[RING_SIZE]), (uint16_t)ring->posted, old);
}

/* A kick that the device does not need does no harm: it gets one for each descriptor it may name. */
bool
ring_wants_kick(struct ring *ring)
{
	uint64_t old = ring->kicked;

	if (old == ring->posted)
		return false;
	ring->kicked = ring->posted;
	atomic_thread_fence(memory_order_seq_cst);
	if (!ring->packed)
		return split_wants_kick(ring, (uint16_t)old);
	return load16(&packed_event(ring, RING_DEVICE)->flags) != VRING_PACKED_EVENT_FLAG_DISABLE;
}

bool
ring_has_used(const struct ring *ring)
{
	uint16_t flags, used = packed_wrap(ring->used) ? PACKED_AVAIL | PACKED_USED : 0;

	if (!ring->packed)
		return load16(&split_used(ring)->idx) != (uint16_t)ring->used;
	flags = load16(&packed_desc(ring)[ring->used % RING_SIZE].flags);
	return (flags & (PACKED_AVAIL | PACKED_USED)) == used;
}

static uint32_t
split_take(const struct ring *ring, uint32_t *len)
{
	const struct vring_used_elem *elem = &split_used(ring)->ring[ring->used % RING_SIZE];
	uint32_t id = elem->id;

	*len = elem->len;
	check(id % ring->room == 0, "used entry %u names descriptor %u, which begins no chain",
	      (uint16_t)ring->used, id);
	return id / ring->room;
}

uint16_t
ring_take(struct ring *ring, uint32_t *len)
{
	const struct vring_packed_desc *desc = &packed_desc(ring)[ring->used % RING_SIZE];
	uint32_t id = desc->id;

	if (ring->packed)
		*len = desc->len;
	else
		id = split_take(ring, len);
	check(id < RING_SIZE, "used entry of id %u", id);
	check(ring->chain[id].out, "the chain of id %u was used again, or was not available", id);
	ring->chain[id].out = false;
	ring->used += ring->chain[id].units;
	return (uint16_t)id;
}

void
ring_ask_call(struct ring *ring)
{
	if (!ring->event_idx)
		return;
	if (ring->packed)
		store16(&packed_event(ring, RING_DRIVER)->off_wrap, packed_index(ring->used));
	else
		store16(&split_avail(ring)->ring[RING_SIZE], (uint16_t)ring->used);
	atomic_thread_fence(memory_order_seq_cst);
}

uint32_t
ring_base(const struct ring *ring)
{
	if (!ring->packed)
		return (uint16_t)ring->used;
	return packed_index(ring->used) * 0x10001u;
}

void
ring_check_order(const struct ring *ring)
{
	unsigned int id;

	for (id = 0; id < RING_SIZE; id++)
		check(!ring->chain[id].out || ring->chain[id].begin >= ring->used,
		      "chain %llu (id %u) is not used, but others up to %llu are",
		      (unsigned long long)ring->chain[id].begin, id,
		      (unsigned long long)ring->used);
}

/* In a packed ring only what is marked as used is the device's: the driver writes to the rest. */
void
ring_check_quiet(const struct ring *ring, const uint8_t *copy)
{
	const struct vring_packed_desc *now = packed_desc(ring), *then = (const void *)copy;
	unsigned int i;

	check(memcmp(copy + RING_DEVICE, ring->memory + RING_DEVICE, RING_BYTES - RING_DEVICE) == 0,
	      "the device wrote to its area of the ring after SUSPEND");
	for (i = 0; ring->packed && i < RING_SIZE; i++) {
		uint16_t flags = now[i].flags;

		if (!(flags & PACKED_AVAIL) == !(flags & PACKED_USED))
			check(memcmp(&now[i], &then[i], sizeof(now[i])) == 0,
			      "the device used descriptor %u after SUSPEND", i);
	}
}
