/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* See fuzz_ring.h. */
#include "fuzz_ring.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>

#include <rte_common.h>
#include <rte_vduse_compat.h>

#define AVAIL (1u << VRING_PACKED_DESC_F_AVAIL)
#define USED  (1u << VRING_PACKED_DESC_F_USED)

void
fuzz_memory_open(struct fuzz_memory *memory)
{
	memory->fd = memfd_create("fuzz", MFD_CLOEXEC);
	fuzz_check(memory->fd >= 0 && ftruncate(memory->fd, FUZZ_ALL) == 0, "no memory");
	memory->va = mmap(NULL, FUZZ_ALL, PROT_READ | PROT_WRITE, MAP_SHARED, memory->fd, 0);
	fuzz_check(memory->va != MAP_FAILED, "no memory");
	memory->size = FUZZ_ALL;
}

void
fuzz_memory_close(struct fuzz_memory *memory)
{
	munmap(memory->va, FUZZ_ALL);
	close(memory->fd);
}

void
fuzz_memory_truncate(struct fuzz_memory *memory, uint64_t size)
{
	fuzz_check(ftruncate(memory->fd, (off_t)size) == 0, "no memory");
	memory->size = size;
}

void *
fuzz_memory_at(const struct fuzz_memory *memory, uint64_t iova, uint64_t len)
{
	uint64_t at = iova - FUZZ_IOVA;

	if (iova < FUZZ_IOVA || at > memory->size || len > memory->size - at)
		return NULL;
	return memory->va + at;
}

static void
memory_region(const struct fuzz_memory *memory, struct vduse_loopback *loop, uint64_t from,
	      uint64_t to, uint8_t perm)
{
	fuzz_check(vduse_loopback_region_add(loop, FUZZ_IOVA + from, FUZZ_IOVA + to - 1, from, perm,
					     memory->fd) == 0,
		   "no memory");
}

void
fuzz_memory_show(const struct fuzz_memory *memory, struct vduse_loopback *loop, uint8_t how)
{
	const uint64_t page = 4096, middle = FUZZ_RINGS + FUZZ_DATA / 2;
	uint64_t at;

	vduse_loopback_regions_clear(loop);
	switch (how % 8) {
	case 0: /* none at all */
		return;
	case 1: /* data for the device to read only, in its second half */
		memory_region(memory, loop, 0, middle, VDUSE_ACCESS_RW);
		memory_region(memory, loop, middle, FUZZ_ALL, VDUSE_ACCESS_RO);
		return;
	case 2: /* rings that cannot be written */
		memory_region(memory, loop, 0, FUZZ_RINGS, VDUSE_ACCESS_RO);
		memory_region(memory, loop, FUZZ_RINGS, FUZZ_ALL, VDUSE_ACCESS_RW);
		return;
	case 3: /* a hole in the data */
		memory_region(memory, loop, 0, middle, VDUSE_ACCESS_RW);
		memory_region(memory, loop, middle + page, FUZZ_ALL, VDUSE_ACCESS_RW);
		return;
	case 4: /* many small ones, so that pieces lie in several */
		memory_region(memory, loop, 0, FUZZ_RINGS, VDUSE_ACCESS_RW);
		for (at = FUZZ_RINGS; at < FUZZ_RINGS + 32 * page; at += page)
			memory_region(memory, loop, at, at + page, VDUSE_ACCESS_RW);
		memory_region(memory, loop, at, FUZZ_ALL, VDUSE_ACCESS_RW);
		return;
	default: /* 5: its pages may be pinned */
		memory_region(memory, loop, 0, FUZZ_ALL, VDUSE_ACCESS_RW);
		if (how % 8 == 5)
			vduse_loopback_regions_pinnable(loop);
	}
}

struct vduse_vq_info
fuzz_ring_info(const struct fuzz_ring *ring, uint16_t index, bool ready)
{
	uint64_t desc = FUZZ_IOVA + ring->at, driver = desc + 16 * (uint64_t)ring->room;
	uint64_t after = driver + 6 + 2 * (uint64_t)ring->room;
	uint64_t device = ring->packed ? driver + 4 : RTE_ALIGN_CEIL(after, UINT64_C(4));
	struct vduse_vq_info info = {
		.index = index,
		.num = ring->size,
		.desc_addr = desc,
		.driver_addr = driver,
		.device_addr = device,
		.ready = ready,
	};

	/* A new packed ring begins at its first descriptor, with both wrap counters set. */
	if (ring->packed)
		info.packed = (struct vduse_vq_state_packed){ 1, 0, 1, 0 };
	else
		info.split.avail_index = ring->begin;
	return info;
}

void
fuzz_ring_open(struct fuzz_ring *ring, struct fuzz_memory *memory, uint64_t at, uint32_t size,
	       uint64_t features, uint16_t index)
{
	struct vduse_vq_info info;
	struct vring_avail *avail;
	struct vring_used *used;
	uint32_t i;

	memset(ring, 0, sizeof(*ring));
	ring->memory = memory;
	ring->at = at;
	ring->size = size;
	ring->room = size == 0 || size > VRING_SIZE_MAX ? 1 : size;
	ring->features = features;
	ring->packed = (features & FUZZ_BIT(VIRTIO_F_RING_PACKED)) != 0;
	ring->free = malloc(4 * ring->room * sizeof(*ring->free));
	fuzz_check(ring->free != NULL, "no memory");
	ring->next = ring->free + ring->room;
	ring->nb_descs = ring->next + ring->room;
	ring->order = ring->nb_descs + ring->room;
	memset(ring->nb_descs, 0, ring->room * sizeof(*ring->nb_descs));
	for (i = 0; i < ring->room; i++)
		ring->free[i] = (uint16_t)(ring->room - 1 - i);
	ring->nb_free = ring->room;
	if (ring->packed)
		return;
	ring->begin = index;
	info = fuzz_ring_info(ring, 0, true);
	avail = fuzz_memory_at(memory, info.driver_addr, sizeof(*avail));
	used = fuzz_memory_at(memory, info.device_addr, sizeof(*used));
	if (avail == NULL || used == NULL)
		return;
	avail->flags = 0;
	avail->idx = index;
	used->idx = index;
	ring->avail = index;
	ring->used = index;
}

void
fuzz_ring_close(struct fuzz_ring *ring)
{
	free(ring->free);
	ring->free = NULL;
}

static void
ring_put_desc(struct fuzz_ring *ring, uint64_t iova, const struct fuzz_piece *piece, uint16_t flags,
	      uint16_t next)
{
	struct vring_desc *desc = fuzz_memory_at(ring->memory, iova, sizeof(*desc));

	if (desc != NULL)
		*desc = (struct vring_desc){ piece->iova, piece->len, flags, next };
}

static uint64_t
ring_desc_iova(const struct fuzz_ring *ring, uint32_t index)
{
	return FUZZ_IOVA + ring->at + 16 * (uint64_t)index;
}

static uint16_t
piece_flags(const struct fuzz_piece *pieces, unsigned int i, unsigned int nb)
{
	return (uint16_t)((pieces[i].write ? VRING_DESC_F_WRITE : 0) |
			  (i + 1 < nb ? VRING_DESC_F_NEXT : 0));
}

/* The chain in a table, which is used again after a while: at worst two chains share one. */
static struct fuzz_piece
ring_table(struct fuzz_ring *ring, const struct fuzz_piece *pieces, unsigned int nb)
{
	uint64_t iova = FUZZ_IOVA + FUZZ_ALL - FUZZ_TABLE + ring->table;
	unsigned int i;

	for (i = 0; i < nb; i++) {
		uint16_t flags = piece_flags(pieces, i, nb);

		/* A descriptor of a packed ring has the id there, and the flags after it. */
		ring_put_desc(ring, iova + 16 * i, &pieces[i], ring->packed ? 0 : flags,
			      ring->packed ? flags & VRING_DESC_F_WRITE : (uint16_t)(i + 1));
	}
	ring->table = (uint32_t)((ring->table + 16 * FUZZ_PIECES) % FUZZ_TABLE);
	return (struct fuzz_piece){ .iova = iova, .len = 16 * nb };
}

static void
ring_make_avail(struct fuzz_ring *ring, uint16_t head)
{
	struct vduse_vq_info info = fuzz_ring_info(ring, 0, true);
	uint16_t *entry;
	struct vring_avail *avail;

	entry = fuzz_memory_at(ring->memory, info.driver_addr + 4 + 2 * (ring->avail % ring->room),
			       sizeof(*entry));
	avail = fuzz_memory_at(ring->memory, info.driver_addr, sizeof(*avail));
	if (entry == NULL || avail == NULL)
		return;
	*entry = head;
	rte_atomic_store_explicit(&avail->idx, ++ring->avail, rte_memory_order_release);
}

static void
ring_post_split(struct fuzz_ring *ring, const struct fuzz_piece *pieces, unsigned int nb,
		uint16_t table_flag)
{
	uint16_t head = ring->free[ring->nb_free - 1];
	unsigned int i;

	for (i = 0; i < nb; i++) {
		uint16_t index = ring->free[--ring->nb_free];
		uint16_t next = i + 1 < nb ? ring->free[ring->nb_free - 1] : 0;

		ring->next[index] = next;
		ring_put_desc(ring, ring_desc_iova(ring, index), &pieces[i],
			      (uint16_t)(piece_flags(pieces, i, nb) | table_flag), next);
	}
	ring->nb_descs[head] = (uint16_t)nb;
	ring->order[ring->posted++ % ring->room] = head;
	ring_make_avail(ring, head);
}

/* The flags of the place at which a descriptor becomes available. */
static uint16_t
ring_place_flags(const struct fuzz_ring *ring, uint32_t place)
{
	return place < ring->room ? AVAIL : USED;
}

static void
ring_post_packed(struct fuzz_ring *ring, const struct fuzz_piece *pieces, unsigned int nb,
		 uint16_t table_flag)
{
	uint16_t id = ring->free[--ring->nb_free];
	uint32_t places = 2 * ring->room;
	unsigned int i;

	/* The first one last: it makes the chain available. */
	for (i = nb; i-- > 0;) {
		uint32_t place = (ring->avail + i) % places;
		uint64_t iova = ring_desc_iova(ring, place % ring->room);
		struct vring_packed_desc *desc = fuzz_memory_at(ring->memory, iova, sizeof(*desc));

		if (desc == NULL)
			continue;
		*desc = (struct vring_packed_desc){ pieces[i].iova, pieces[i].len, id,
						    desc->flags };
		rte_atomic_store_explicit(&desc->flags,
					  (uint16_t)(piece_flags(pieces, i, nb) | table_flag |
						     ring_place_flags(ring, place)),
					  rte_memory_order_release);
	}
	ring->avail = (uint16_t)((ring->avail + nb) % places);
	ring->nb_descs[id] = (uint16_t)nb;
	ring->in_ring += nb;
	ring->order[ring->posted++ % ring->room] = id;
}

unsigned int
fuzz_ring_split(struct fuzz_piece *pieces, unsigned int nb, uint64_t at, uint32_t len,
		uint32_t step, bool write)
{
	uint32_t part;
	unsigned int i = 0;

	do {
		part = step == 0 || i + 1 == nb ? len : RTE_MIN(step, len);
		pieces[i++] = (struct fuzz_piece){ at, part, write };
		at += part;
		len -= part;
	} while (len > 0);
	return i;
}

bool
fuzz_ring_post(struct fuzz_ring *ring, const struct fuzz_piece *pieces, unsigned int nb,
	       bool indirect)
{
	struct fuzz_piece table;
	uint16_t flag = 0;

	if (indirect) {
		table = ring_table(ring, pieces, nb);
		pieces = &table;
		nb = 1;
		flag = VRING_DESC_F_INDIRECT;
	}
	if (nb == 0 || ring->nb_free < (ring->packed ? 1 : nb) ||
	    (ring->packed && ring->in_ring + nb > ring->room))
		return false;
	if (ring->packed)
		ring_post_packed(ring, pieces, nb, flag);
	else
		ring_post_split(ring, pieces, nb, flag);
	return true;
}

/* Frees the descriptors of a chain, or the id of one. False: there is none like that. */
static bool
ring_give_back(struct fuzz_ring *ring, uint32_t head)
{
	uint16_t nb, index;

	if (head >= ring->room || ring->nb_descs[head] == 0)
		return false;
	nb = ring->nb_descs[head];
	ring->nb_descs[head] = 0;
	if (ring->packed) {
		ring->free[ring->nb_free++] = (uint16_t)head;
		ring->in_ring -= nb;
		ring->used = (uint16_t)((ring->used + nb) % (2 * ring->room));
		return true;
	}
	for (index = (uint16_t)head; nb > 0; nb--, index = ring->next[index])
		ring->free[ring->nb_free++] = index;
	return true;
}

/* With in-order one entry stands for all chains up to it. */
static bool
ring_take(struct fuzz_ring *ring, uint32_t head)
{
	uint16_t oldest;

	if (!(ring->features & FUZZ_BIT(VIRTIO_F_IN_ORDER)))
		return ring_give_back(ring, head);
	while (ring->taken != ring->posted) {
		oldest = ring->order[ring->taken++ % ring->room];
		if (!ring_give_back(ring, oldest) || oldest == head)
			return oldest == head;
	}
	return false;
}

static bool
ring_next_used(struct fuzz_ring *ring, uint32_t *head, uint32_t *len)
{
	struct vduse_vq_info info = fuzz_ring_info(ring, 0, true);
	uint64_t iova = ring_desc_iova(ring, ring->used % ring->room);
	struct vring_packed_desc *desc = fuzz_memory_at(ring->memory, iova, sizeof(*desc));
	const struct vring_used_elem *elem;
	const struct vring_used *used;
	uint16_t want = ring->used < ring->room ? AVAIL | USED : 0;

	if (ring->packed) {
		if (desc == NULL || (desc->flags & (AVAIL | USED)) != want || ring->in_ring == 0)
			return false;
		*head = desc->id;
		*len = desc->len;
		return true;
	}
	used = fuzz_memory_at(ring->memory, info.device_addr, sizeof(*used));
	elem = fuzz_memory_at(ring->memory,
			      info.device_addr + 4 + 8 * (uint64_t)(ring->used % ring->room),
			      sizeof(*elem));
	if (used == NULL || elem == NULL || used->idx == ring->used)
		return false;
	ring->used++;
	*head = elem->id;
	*len = elem->len;
	return true;
}

enum fuzz_taken
fuzz_ring_take(struct fuzz_ring *ring, uint32_t *head, uint32_t *len)
{
	if (!ring_next_used(ring, head, len))
		return FUZZ_TAKEN_NONE;
	return ring_take(ring, *head) ? FUZZ_TAKEN : FUZZ_TAKEN_WRONG;
}

void
fuzz_ring_reap(struct fuzz_ring *ring)
{
	uint32_t head, len;

	while (fuzz_ring_take(ring, &head, &len) == FUZZ_TAKEN)
		;
}

void
fuzz_ring_write_desc(struct fuzz_ring *ring, struct fuzz_input *in)
{
	uint8_t how = fuzz_u8(in);
	uint64_t iova = ring_desc_iova(ring, fuzz_u16(in) % ring->room);
	struct fuzz_piece piece = { .iova = FUZZ_DATA_IOVA + fuzz_u32(in) % FUZZ_DATA };
	uint16_t flags, next;

	/* One of a table instead, an address that may be anything, a length that may. */
	if (how & 1)
		iova = FUZZ_IOVA + FUZZ_ALL - FUZZ_TABLE + fuzz_u16(in) / 16 * 16;
	if (how & 2)
		piece.iova = fuzz_u64(in);
	piece.len = how & 4 ? fuzz_u32(in) : fuzz_u16(in);
	flags = fuzz_u16(in);
	next = fuzz_u16(in);
	ring_put_desc(ring, iova, &piece, flags,
		      (uint16_t)(how & 8 && !ring->packed ? next % ring->room : next));
	if (ring->packed) {
		struct vring_packed_desc *desc = fuzz_memory_at(ring->memory, iova, sizeof(*desc));

		if (desc == NULL)
			return;
		desc->id = next;
		desc->flags = flags;
	}
}

void
fuzz_ring_write_avail(struct fuzz_ring *ring, struct fuzz_input *in)
{
	uint8_t how = fuzz_u8(in);
	uint16_t value = fuzz_u16(in);
	struct vring_packed_desc *desc;

	if (!ring->packed) {
		/* Heads again and again, of chains that stand there or not. */
		if (how & 1) {
			ring_make_avail(ring, (uint16_t)(value % ring->room));
			return;
		}
		ring->avail = (uint16_t)(ring->avail + (how & 2 ? value : value % 4) - 1);
		ring_make_avail(ring, (uint16_t)(value % ring->room));
		return;
	}
	desc = fuzz_memory_at(ring->memory, ring_desc_iova(ring, ring->avail % ring->room),
			      sizeof(*desc));
	if (desc == NULL)
		return;
	desc->flags = (uint16_t)((value & ~(AVAIL | USED)) | ring_place_flags(ring, ring->avail));
	if (how & 1)
		ring->avail = (uint16_t)((ring->avail + 1) % (2 * ring->room));
}

void
fuzz_ring_write_event(struct fuzz_ring *ring, struct fuzz_input *in)
{
	struct vduse_vq_info info = fuzz_ring_info(ring, 0, true);
	uint16_t value = fuzz_u16(in), flags = fuzz_u8(in);
	uint64_t event = info.driver_addr + (ring->packed ? 0 : 4 + 2 * (uint64_t)ring->room);
	uint16_t *at = fuzz_memory_at(ring->memory, event, sizeof(*at));

	if (at != NULL)
		*at = value;
	at = fuzz_memory_at(ring->memory, info.driver_addr + (ring->packed ? 2 : 0), sizeof(*at));
	if (at != NULL)
		*at = flags;
}

void
fuzz_ring_write_bytes(struct fuzz_ring *ring, struct fuzz_input *in)
{
	uint8_t bytes[16], how = fuzz_u8(in);
	uint64_t iova = FUZZ_IOVA + fuzz_u32(in) % FUZZ_ALL;
	uint32_t len = how % 16 + 1;
	void *at;

	if (how & 16)
		iova = FUZZ_IOVA + ring->at + fuzz_u16(in);
	fuzz_bytes(in, bytes, len);
	at = fuzz_memory_at(ring->memory, iova, len);
	if (at != NULL)
		memcpy(at, bytes, len);
}
