/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * The driver's rings of dpdk-vduse-perf, against a device implemented here from the specification:
 * one buffer at a time or, with in-order use, one batch at a time.
 */
#include <stdlib.h>
#include <string.h>

#include <linux/virtio_config.h>

#include <rte_common.h>

#include <ring.h>

#include "unit.h"

#define SIZE  8
#define ROOM  100
#define IOVA  UINT64_C(0x10000)
#define TURNS 5000

/* What the device does with buffers. */
enum kind { OUT, IN, TABLES };

/* The device: what it has taken and not used yet, in the order of taking. */
struct model {
	struct perf_ring *ring;
	struct vduse_vq_info info;
	uint16_t avail; /* next to be taken: an index, or a descriptor of a packed ring */
	uint16_t used;
	bool avail_wrap;
	bool used_wrap;
	uint16_t ids[SIZE];
	uint32_t lens[SIZE];
	unsigned int nb;
};

/* What a buffer of a ring of tables holds. */
static const struct perf_piece pieces[] = { { 48, 16, false }, { 64, 30, true }, { 94, 1, true } };

static void *
at(const struct model *model, uint64_t iova)
{
	return model->ring->va + (iova - IOVA);
}

/* VIRTIO 1.2, sections 2.7.5.3 and 2.8.7. */
static void
model_table(const struct model *model, uint16_t id, uint32_t len)
{
	uint64_t iova = perf_ring_buf_iova(model->ring, id);
	bool packed = model->ring->ops == &perf_ring_packed_ops;
	const struct vring_packed_desc *packed_desc = at(model, iova);
	const struct vring_desc *split_desc = at(model, iova);
	unsigned int i, nb = RTE_DIM(pieces);

	assert_int_equal(len, nb * sizeof(*split_desc));
	for (i = 0; i < nb; i++) {
		uint16_t flags = pieces[i].device_writes ? VRING_DESC_F_WRITE : 0;

		flags |= !packed && i + 1 < nb ? VRING_DESC_F_NEXT : 0;
		assert_int_equal(split_desc[i].addr, iova + pieces[i].offset);
		assert_int_equal(split_desc[i].len, pieces[i].len);
		assert_int_equal(packed ? packed_desc[i].flags : split_desc[i].flags, flags);
		if (flags & VRING_DESC_F_NEXT)
			assert_int_equal(split_desc[i].next, i + 1);
	}
}

static void
model_taken(struct model *model, uint16_t id, uint64_t addr, uint32_t len, uint16_t flags)
{
	assert_true(model->nb < SIZE);
	assert_true(id < SIZE);
	assert_int_equal(addr, perf_ring_buf_iova(model->ring, id));
	if (model->ring->tables)
		model_table(model, id, len);
	assert_int_equal(flags & (VRING_DESC_F_NEXT | VRING_DESC_F_WRITE | VRING_DESC_F_INDIRECT),
			 model->ring->tables          ? VRING_DESC_F_INDIRECT
			 : model->ring->device_writes ? VRING_DESC_F_WRITE
						      : 0);
	model->ids[model->nb] = id;
	model->lens[model->nb++] = len;
}

static void
model_used(struct model *model, unsigned int nb)
{
	model->nb -= nb;
	memmove(model->ids, model->ids + nb, model->nb * sizeof(model->ids[0]));
	memmove(model->lens, model->lens + nb, model->nb * sizeof(model->lens[0]));
}

static void
split_take(struct model *model)
{
	const struct vring_avail *avail = at(model, model->info.driver_addr);
	const struct vring_desc *desc = at(model, model->info.desc_addr);

	assert_int_equal(avail->flags, VRING_AVAIL_F_NO_INTERRUPT);
	while (model->avail != avail->idx) {
		uint16_t id = avail->ring[model->avail++ % SIZE];

		model_taken(model, id, desc[id].addr, desc[id].len, desc[id].flags);
	}
}

/* Uses the first nb buffers with one entry. */
static void
split_use(struct model *model, unsigned int nb, uint32_t len)
{
	struct vring_used *used = at(model, model->info.device_addr);

	used->ring[model->used % SIZE].id = model->ids[nb - 1];
	used->ring[model->used % SIZE].len = len;
	model->used = (uint16_t)(model->used + nb);
	used->idx = model->used;
	model_used(model, nb);
}

static void
advance(uint16_t *index, bool *wrap, unsigned int nb)
{
	*index = (uint16_t)(*index + nb);
	if (*index >= SIZE) {
		*index = (uint16_t)(*index - SIZE);
		*wrap = !*wrap;
	}
}

static uint16_t
packed_flags(bool avail, bool used)
{
	return (uint16_t)((avail ? 1 << VRING_PACKED_DESC_F_AVAIL : 0) |
			  (used ? 1 << VRING_PACKED_DESC_F_USED : 0));
}

static void
packed_take(struct model *model)
{
	const struct vring_packed_desc_event *event = at(model, model->info.driver_addr);
	const struct vring_packed_desc *descs = at(model, model->info.desc_addr);
	uint16_t both = packed_flags(true, true);

	assert_int_equal(event->flags, VRING_PACKED_EVENT_FLAG_DISABLE);
	while ((descs[model->avail].flags & both) ==
	       packed_flags(model->avail_wrap, !model->avail_wrap)) {
		const struct vring_packed_desc *desc = &descs[model->avail];

		/* All of them taken: the ring looks available again from its start. */
		if (model->nb == SIZE)
			break;
		model_taken(model, desc->id, desc->addr, desc->len, desc->flags);
		advance(&model->avail, &model->avail_wrap, 1);
	}
}

static void
packed_use(struct model *model, unsigned int nb, uint32_t len)
{
	struct vring_packed_desc *descs = at(model, model->info.desc_addr);
	struct vring_packed_desc *desc = &descs[model->used];

	desc->id = model->ids[nb - 1];
	desc->len = len;
	desc->flags = packed_flags(model->used_wrap, model->used_wrap);
	advance(&model->used, &model->used_wrap, nb);
	model_used(model, nb);
}

static void
init(struct perf_ring *ring, struct model *model, bool packed, bool in_order, enum kind kind)
{
	uint8_t *va;

	*ring = (struct perf_ring){
		.ops = packed ? &perf_ring_packed_ops : &perf_ring_split_ops,
		.size = SIZE,
		.nb_bufs = SIZE,
		.in_order = in_order,
		.device_writes = kind == IN,
		.tables = kind == TABLES,
		.room = ROOM,
	};
	va = aligned_alloc(4096, perf_ring_bytes(ring));
	assert_non_null(va);
	memset(va, 0, perf_ring_bytes(ring));
	perf_ring_init(ring, va, IOVA);
	*model = (struct model){ .ring = ring, .avail_wrap = true, .used_wrap = true };
	ring->ops->locate(ring, &model->info);
	/* VIRTIO 1.2, sections 2.7 and 2.8.10. */
	assert_int_equal(model->info.desc_addr % 16, 0);
	assert_int_equal(model->info.driver_addr % 4, 0);
	assert_int_equal(model->info.device_addr % 4, 0);
	if (packed)
		assert_int_equal(model->info.packed.last_avail_counter, 1);
}

static unsigned int
below(unsigned int limit)
{
	static uint64_t random = 42;

	random = random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (unsigned int)(random >> 40) % limit;
}

/* Posts some of the buffers that the device does not own, oldest first. */
static void
post_some(struct perf_ring *ring, uint16_t *ours, unsigned int *nb_ours)
{
	unsigned int nb = below(*nb_ours + 1), i;
	struct perf_buf bufs[SIZE];

	for (i = 0; i < nb; i++) {
		bufs[i] = (struct perf_buf){ ours[i], ROOM };
		if (!ring->tables)
			continue;
		ring->ops->table(ring, ours[i], pieces, RTE_DIM(pieces));
		bufs[i].len = PERF_TABLE_BYTES(RTE_DIM(pieces));
	}
	perf_ring_post(ring, bufs, (uint16_t)nb);
	*nb_ours -= nb;
	memmove(ours, ours + nb, *nb_ours * sizeof(ours[0]));
}

/* Moves buffers in random steps; each comes back once, in order, with its length. */
static void
go_around(bool packed, bool in_order, enum kind kind)
{
	bool writes = kind == IN;
	uint16_t ours[SIZE], wanted_id[SIZE];
	uint32_t wanted_len[SIZE];
	unsigned int nb_ours = SIZE, nb_wanted = 0, turn, i;
	struct perf_ring ring;
	struct model model;

	init(&ring, &model, packed, in_order, kind);
	for (i = 0; i < SIZE; i++)
		ours[i] = (uint16_t)i;
	for (turn = 0; turn < TURNS; turn++) {
		struct perf_buf bufs[SIZE];
		unsigned int batch, n;

		post_some(&ring, ours, &nb_ours);
		(packed ? packed_take : split_take)(&model);
		while ((batch = below(model.nb + 1)) > 0) {
			uint32_t len = kind != OUT ? below(ROOM) : 0;

			batch = in_order ? batch : 1;
			for (i = 0; i < batch; i++) {
				wanted_id[nb_wanted] = model.ids[i];
				wanted_len[nb_wanted++] = i + 1 == batch ? len : writes ? ROOM : 0;
			}
			(packed ? packed_use : split_use)(&model, batch, len);
		}
		n = perf_ring_take(&ring, bufs, (uint16_t)below(SIZE + 1));
		assert_true(n <= nb_wanted);
		for (i = 0; i < n; i++) {
			assert_int_equal(bufs[i].id, wanted_id[i]);
			assert_int_equal(bufs[i].len, wanted_len[i]);
			ours[nb_ours++] = bufs[i].id;
		}
		nb_wanted -= n;
		memmove(wanted_id, wanted_id + n, nb_wanted * sizeof(wanted_id[0]));
		memmove(wanted_len, wanted_len + n, nb_wanted * sizeof(wanted_len[0]));
	}
	free(ring.va);
}

static void
split_rings_go_around(void **state)
{
	RTE_SET_USED(state);
	go_around(false, false, OUT);
	go_around(false, false, IN);
	go_around(false, false, TABLES);
}

static void
split_rings_in_order(void **state)
{
	RTE_SET_USED(state);
	go_around(false, true, OUT);
	go_around(false, true, IN);
}

static void
packed_rings_go_around(void **state)
{
	RTE_SET_USED(state);
	go_around(true, false, OUT);
	go_around(true, false, IN);
	go_around(true, false, TABLES);
}

static void
packed_rings_in_order(void **state)
{
	RTE_SET_USED(state);
	go_around(true, true, OUT);
	go_around(true, true, IN);
}

/* No two buffers share a line, and the rings lie before them. */
static void
buffers_do_not_touch(void **state)
{
	static const uint32_t rooms[] = { 1, 63, 64, 65, 2048, 9012 };
	unsigned int i;

	RTE_SET_USED(state);
	for (i = 0; i < 2 * RTE_DIM(rooms); i++) {
		struct perf_ring ring = {
			.ops = i % 2 != 0 ? &perf_ring_packed_ops : &perf_ring_split_ops,
			.size = SIZE,
			.nb_bufs = SIZE,
			.room = rooms[i / 2],
		};
		uint64_t bytes = perf_ring_bytes(&ring);
		uint8_t *va = calloc(1, bytes);

		assert_non_null(va);
		perf_ring_init(&ring, va, IOVA);
		assert_true(ring.stride >= ring.room);
		assert_int_equal(ring.stride % RTE_CACHE_LINE_SIZE, 0);
		assert_true(ring.bufs >= va + ring.ops->bytes(SIZE));
		assert_true(perf_ring_buf(&ring, SIZE - 1) + ring.stride <= va + bytes);
		assert_int_equal(perf_ring_buf_iova(&ring, 3) - IOVA,
				 (uint64_t)(perf_ring_buf(&ring, 3) - va));
		free(va);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(split_rings_go_around),  cmocka_unit_test(split_rings_in_order),
		cmocka_unit_test(packed_rings_go_around), cmocka_unit_test(packed_rings_in_order),
		cmocka_unit_test(buffers_do_not_touch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
