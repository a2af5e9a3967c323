/* SPDX-License-Identifier: BSD-3-Clause */
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

static struct vring_desc
seg_desc(const struct model_seg *seg, bool more, uint16_t next)
{
	uint16_t flags = seg->write ? VRING_DESC_F_WRITE : 0;

	return (struct vring_desc){seg->iova, seg->len,
				   (uint16_t)(flags | (more ? VRING_DESC_F_NEXT : 0)), next};
}

/* Entries behind the first stand in reverse, so that only "next" tells their order. */
static void
post_table(const struct model_post *post, uint32_t from, uint64_t iova)
{
	uint32_t nb = post->nb - from, i;

	for (i = 0; i < nb; i++) {
		struct vring_desc desc =
			seg_desc(&post->segs[from + i], i + 1 < nb, (uint16_t)(nb - i - 1));

		arena_copy(iova + sizeof(desc) * (i == 0 ? 0 : nb - i), &desc, sizeof(desc));
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
		model.driver.desc[post->descs[i]] =
			seg_desc(&post->segs[i], i + 1 < post->nb_descs, post->descs[i + 1]);
	if (indirect) {
		post_table(post, direct, table);
		driver_desc(&model.driver, post->descs[direct], table, 16 * (nb - direct),
			    VRING_DESC_F_INDIRECT, 0);
	}
	assert_false(driver_post(&model.driver, post->descs[0]));
	model.posted++;
}

void
model_driver_posts(void)
{
	uint32_t count = 1 + model_roll(model.driver.size);

	while (count-- > 0 && model.nb_free > 0) {
		uint32_t nb = 1 + model_roll(MODEL_SEGS), direct;

		if (!(model.driver.features & BIT(VIRTIO_RING_F_INDIRECT_DESC)) || model_roll(2)) {
			nb = RTE_MIN(nb, model.nb_free);
			direct = nb;
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

void
model_driver_wishes(void)
{
	model.driver.avail->flags = model_roll(2) ? VRING_AVAIL_F_NO_INTERRUPT : 0;
	driver_set_used_event(&model.driver, (uint16_t)(model.driver.seen + model_roll(8) - 2));
}

void
model_init(uint32_t seed)
{
	static const uint64_t features[] = {
		0, BIT(VIRTIO_RING_F_EVENT_IDX), BIT(VIRTIO_RING_F_INDIRECT_DESC),
		BIT(VIRTIO_RING_F_EVENT_IDX) | BIT(VIRTIO_RING_F_INDIRECT_DESC)};
	uint32_t size, i;

	memset(&model, 0, sizeof(model));
	model.random = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
	size = 2u << model_roll(6);
	model.base = (uint16_t)(0x10000 - model_roll(200));
	driver_init(&model.driver, size, features[model_roll(RTE_DIM(features))], model.base);
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
