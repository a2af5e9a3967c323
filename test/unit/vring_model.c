/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* See vring_model.h. */
#include <string.h>

#include "unit.h"
#include "vring_model.h"

#define BIT(nr)         (UINT64_C(1) << (nr))
#define MODEL_DATA      320 /* where buffers begin in a slot */
#define MODEL_SEG_LIMIT 200
#define MODEL_UNTOUCHED 0xcc

struct model model;

uint32_t
model_roll(uint32_t below)
{
	model.random ^= model.random << 13;
	model.random ^= model.random >> 7;
	model.random ^= model.random << 17;
	return (uint32_t)((model.random >> 32) % below);
}

uint8_t
model_pattern(uint32_t cookie, uint32_t at)
{
	return (uint8_t)(cookie * 37 + at * 11 + (at >> 8));
}

uint32_t
model_written(const struct model_post *post)
{
	return post->cookie * 7 % (post->in_len + 1);
}

/* Up to *len bytes at iova as the driver sees them; *len becomes how many lie together. */
static uint8_t *
arena_piece(uint64_t iova, uint32_t *len)
{
	uint64_t left = model.window - (iova - model.arena) % model.window;

	*len = (uint32_t)RTE_MIN(*len, left);
	return driver_va(&model.driver, iova);
}

static void
arena_copy(uint64_t iova, const void *from, uint32_t len)
{
	uint32_t done = 0;

	while (done < len) {
		uint32_t n = len - done;
		uint8_t *va = arena_piece(iova + done, &n);

		memcpy(va, (const uint8_t *)from + done, n);
		done += n;
	}
}

static void
seg_fill(const struct model_seg *seg, uint32_t cookie, uint32_t at)
{
	uint8_t bytes[MODEL_SEG_LIMIT];
	uint32_t i;

	for (i = 0; i < seg->len; i++)
		bytes[i] = seg->write ? MODEL_UNTOUCHED : model_pattern(cookie, at + i);
	arena_copy(seg->iova, bytes, seg->len);
}

static uint16_t
seg_flags(const struct model_seg *seg)
{
	return seg->write ? VRING_DESC_F_WRITE : 0;
}

/* Entries after the first are in reverse, so that only "next" gives their order. */
static void
post_split_table(const struct model_post *post, uint32_t from, uint64_t iova)
{
	uint32_t nb = post->nb - from, i;

	for (i = 0; i < nb; i++) {
		const struct model_seg *seg = &post->segs[from + i];
		struct vring_desc desc = { seg->iova, seg->len, seg_flags(seg), 0 };

		if (i + 1 < nb) {
			desc.flags |= VRING_DESC_F_NEXT;
			desc.next = (uint16_t)(nb - i - 1);
		}
		arena_copy(iova + sizeof(desc) * (i == 0 ? 0 : nb - i), &desc, sizeof(desc));
	}
}

/* Entries follow one another. Their ids, and flags that mean something elsewhere, say nothing. */
static void
post_packed_table(const struct model_post *post, uint64_t iova)
{
	uint32_t i;

	for (i = 0; i < post->nb; i++) {
		const struct model_seg *seg = &post->segs[i];
		struct vring_packed_desc desc = { seg->iova, seg->len, 0xbad, seg_flags(seg) };

		if (model_roll(2))
			desc.flags |= VRING_DESC_F_NEXT | 1u << VRING_PACKED_DESC_F_USED;
		arena_copy(iova + sizeof(desc) * i, &desc, sizeof(desc));
	}
}

static void
post_segs(struct model_post *post, uint64_t slot)
{
	uint64_t iova = slot + MODEL_DATA;
	uint32_t nb_out = model_roll(post->nb + 1), i;

	post->out_len = 0;
	post->in_len = 0;
	for (i = 0; i < post->nb; i++) {
		struct model_seg *seg = &post->segs[i];
		uint32_t *sum = i < nb_out ? &post->out_len : &post->in_len;

		seg->iova = iova;
		seg->len = model_roll(8) == 0 ? 0 : 1 + model_roll(MODEL_SEG_LIMIT);
		seg->write = i >= nb_out;
		seg_fill(seg, post->cookie, *sum);
		*sum += seg->len;
		iova += seg->len;
	}
}

/* Posts a chain with direct descriptors of the ring, and the rest of them in a table. */
static void
post_chain(uint32_t nb, uint32_t direct)
{
	struct model_post *post = &model.posts[model.posted % MODEL_KEPT];
	struct driver_part parts[MODEL_SEGS + 1];
	bool indirect = direct < nb;
	uint64_t slot, table;
	uint16_t i;

	post->nb = nb;
	post->cookie = model.posted;
	post->nb_descs = (uint16_t)(direct + indirect);
	for (i = 0; i < post->nb_descs; i++)
		post->descs[i] = model.free[--model.nb_free];
	slot = model.arena + post->descs[0] * (uint64_t)MODEL_SLOT;
	table = slot + model_roll(16);
	post_segs(post, slot);
	for (i = 0; i < direct; i++)
		parts[i] = (struct driver_part){ post->segs[i].iova, post->segs[i].len,
						 seg_flags(&post->segs[i]) };
	if (indirect) {
		if (driver_has(&model.driver, VIRTIO_F_RING_PACKED))
			post_packed_table(post, table);
		else
			post_split_table(post, direct, table);
		parts[direct] =
			(struct driver_part){ table, 16 * (nb - direct), VRING_DESC_F_INDIRECT };
	}
	assert_false(driver_post_chain(&model.driver, post->descs, parts, post->nb_descs));
	model.posted++;
}

void
model_driver_posts(void)
{
	uint32_t count = 1 + model_roll(model.driver.size);

	while (count-- > 0 && model.nb_free > 0) {
		uint32_t nb = 1 + model_roll(MODEL_SEGS), direct;

		if (!driver_has(&model.driver, VIRTIO_RING_F_INDIRECT_DESC) || model_roll(2)) {
			nb = RTE_MIN(nb, model.nb_free);
			direct = nb;
		} else if (driver_has(&model.driver, VIRTIO_F_RING_PACKED)) {
			/* Section 2.8.7: a table stands alone. */
			direct = 0;
		} else {
			direct = model_roll(RTE_MIN(nb, model.nb_free));
		}
		post_chain(nb, direct);
	}
}

static void
harvest_check(const struct model_post *post)
{
	uint32_t i, j, at = 0;

	for (i = 0; i < post->nb; i++) {
		const struct model_seg *seg = &post->segs[i];

		for (j = 0; seg->write && j < seg->len; j++, at++) {
			uint32_t n = 1;
			uint8_t byte = *arena_piece(seg->iova + j, &n);

			assert_int_equal(byte, at < model_written(post)
						       ? model_pattern(~post->cookie, at)
						       : MODEL_UNTOUCHED);
		}
	}
}

void
model_driver_harvests(void)
{
	uint32_t count = 1 + model_roll(model.driver.size), head, len;
	uint16_t i;

	while (count-- > 0 && driver_take(&model.driver, &head, &len)) {
		const struct model_post *post = &model.posts[model.harvested % MODEL_KEPT];

		assert_true(model.harvested < model.published);
		assert_int_equal(head, post->descs[0]);
		assert_int_equal(len, model_written(post));
		harvest_check(post);
		for (i = 0; i < post->nb_descs; i++)
			model.free[model.nb_free++] = post->descs[i];
		model.harvested++;
	}
}

uint32_t
model_descs(uint32_t chain, uint32_t nb)
{
	uint32_t sum = 0;

	while (nb-- > 0)
		sum += model.posts[chain++ % MODEL_KEPT].nb_descs;
	return sum;
}

uint32_t
model_shown(void)
{
	const struct driver *driver = &model.driver;

	if (driver_has(driver, VIRTIO_F_RING_PACKED))
		return model.harvested + driver_packed_used(driver);
	return model.harvested + (uint16_t)(driver->used->idx - driver->seen);
}

void
model_driver_wishes(void)
{
	if (driver_has(&model.driver, VIRTIO_F_RING_PACKED)) {
		uint32_t ahead = model_roll(8) + 2 * model.driver.size - 2;

		driver_packed_set_event(&model.driver, (uint16_t)model_roll(3),
					(model.driver.packed.seen + ahead) %
						(2 * model.driver.size));
		return;
	}
	model.driver.avail->flags = model_roll(2) ? VRING_AVAIL_F_NO_INTERRUPT : 0;
	driver_set_used_event(&model.driver, (uint16_t)(model.driver.seen + model_roll(8) - 2));
}

/* A packed ring may have any size, and begins anywhere under either wrap counter. */
static void
init_ring(void)
{
	static const uint64_t choices[] = {
		BIT(VIRTIO_RING_F_EVENT_IDX),
		BIT(VIRTIO_RING_F_INDIRECT_DESC),
		BIT(VIRTIO_F_IN_ORDER),
		BIT(VIRTIO_F_RING_PACKED),
	};
	uint64_t features = 0;
	uint32_t size, i;

	for (i = 0; i < RTE_DIM(choices); i++)
		if (model_roll(2))
			features |= choices[i];
	if (features & BIT(VIRTIO_F_RING_PACKED)) {
		size = 1 + model_roll(MODEL_SIZE_LIMIT);
		model.base = (uint16_t)model_roll(2 * size);
	} else {
		size = 2u << model_roll(6);
		model.base = (uint16_t)(0x10000 - model_roll(200));
	}
	driver_init(&model.driver, size, features, model.base);
}

void
model_init(uint32_t seed)
{
	uint32_t size, i;

	memset(&model, 0, sizeof(model));
	model.random = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
	init_ring();
	size = model.driver.size;
	model.window = RTE_ALIGN_CEIL(size * (uint64_t)MODEL_SLOT / MODEL_WINDOWS, 4096);
	for (i = 0; i < MODEL_WINDOWS; i++) {
		uint64_t next = i == 0 ? 0 : model.arena + i * model.window;
		const struct driver_region *region =
			driver_region(&model.driver, next, model.window);

		if (i == 0)
			model.arena = region->first;
	}
	for (i = 0; i < size; i++)
		model.free[model.nb_free++] = (uint16_t)i;
	assert_int_equal(driver_start(&model.driver), 0);
}

void
model_free(void)
{
	driver_free(&model.driver);
}
