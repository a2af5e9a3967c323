/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Driver and device take steps in random order, and a model that only counts predicts the result of
 * each step. Buffers and tables cross regions; memory moves, disappears and comes back; the device
 * returns chains and restarts. Nothing may be lost, changed or reordered.
 */
#include <stdlib.h>
#include <string.h>

#include "unit.h"
#include "vring_model.h"

#define SEEDS 4000
#define STEPS 150

static void
device_serves(struct rte_vduse_chain *chain, const struct model_post *post)
{
	uint32_t at = 0, end = model_written(post), i, j;

	assert_int_equal(chain->head, post->descs[0]);
	assert_int_equal(chain->nb_descs, post->nb_descs);
	assert_int_equal(chain->out_len, post->out_len);
	assert_int_equal(chain->in_len, post->in_len);
	for (i = 0; i < chain->nb_out; i++)
		for (j = 0; j < chain->bufs[i].len; j++, at++)
			if (chain->bufs[i].va[j] != model_pattern(post->cookie, at))
				fail_msg("chain %u differs at %u", post->cookie, at);
	assert_int_equal(at, post->out_len);
	for (at = 0; i < (uint32_t)chain->nb_out + chain->nb_in; i++)
		for (j = 0; j < chain->bufs[i].len; j++, at++)
			if (at < end)
				chain->bufs[i].va[j] = model_pattern(~post->cookie, at);
	assert_int_equal(at, post->in_len);
	chain->used_len = end;
}

/* Returns how many chains of those that wait were not given though they were wanted. */
static uint32_t
device_pops(void)
{
	struct rte_vduse_chain chains[RTE_VDUSE_BURST_MAX];
	uint32_t waiting = model.posted - model.taken, want = 1 + model_roll(RTE_VDUSE_BURST_MAX);
	uint16_t n, i;

	want = RTE_MIN(want, waiting);
	n = vring_pop(&model.driver.vq, chains, (uint16_t)want);
	assert_true(n <= want);
	for (i = 0; i < n; i++, model.taken++) {
		device_serves(&chains[i], &model.posts[model.taken % MODEL_KEPT]);
		model.chains[model.taken % MODEL_KEPT] = chains[i];
	}
	return want - n;
}

static void
device_unpops(void)
{
	uint32_t n = model_roll(model.taken - model.pushed + 1);

	while (n > 0) {
		uint32_t nb = 1 + model_roll(n), end = (model.taken - 1) % MODEL_KEPT + 1;

		nb = RTE_MIN(nb, end);
		vring_unpop(&model.driver.vq, &model.chains[end - nb], (uint16_t)nb);
		model.taken -= nb;
		n -= nb;
	}
	assert_int_equal(vring_count(&model.driver.vq), model.posted - model.taken);
}

static void
device_pushes(void)
{
	uint32_t n = model_roll(model.taken - model.pushed + 1);

	while (n > 0) {
		uint32_t first = model.pushed % MODEL_KEPT, nb = 1 + model_roll(n);

		nb = RTE_MIN(nb, MODEL_KEPT - first);
		vring_push(&model.driver.vq, &model.chains[first], (uint16_t)nb);
		model.pushed += nb;
		n -= nb;
	}
	/* Nothing shows before it is published. */
	assert_int_equal(model_shown(), model.published);
}

/* Does the driver want a call for this chain? Of a packed ring: it begins at place. */
static bool
driver_wants_call(uint32_t chain, uint32_t place)
{
	const struct vring_packed_desc_event *event = model.driver.packed.driver_event;
	uint32_t size = model.driver.size, i;

	if (!driver_has(&model.driver, VIRTIO_F_RING_PACKED)) {
		if (!driver_has(&model.driver, VIRTIO_RING_F_EVENT_IDX))
			return !(model.driver.avail->flags & VRING_AVAIL_F_NO_INTERRUPT);
		return (uint16_t)(model.base + chain) == model.driver.avail->ring[size];
	}
	if (event->flags == VRING_PACKED_EVENT_FLAG_DISABLE)
		return false;
	if (event->flags == VRING_PACKED_EVENT_FLAG_ENABLE ||
	    !driver_has(&model.driver, VIRTIO_RING_F_EVENT_IDX))
		return true;
	for (i = 0; i < model_descs(chain, 1); i++)
		if (event->off_wrap == driver_packed_index(&model.driver, (place + i) % (2 * size)))
			return true;
	return false;
}

static void
device_publishes(void)
{
	uint32_t place = model.driver.packed.seen +
			 model_descs(model.harvested, model.published - model.harvested);
	bool call = false;

	for (; model.published < model.pushed; model.published++) {
		call |= driver_wants_call(model.published, place);
		place += model_descs(model.published, 1);
	}
	assert_int_equal(vring_publish(&model.driver.vq), call);
	assert_int_equal(model_shown(), model.published);
}

static void
device_pops_all_it_wants(void)
{
	assert_int_equal(device_pops(), 0);
	assert_int_equal(model.driver.vq.fault, VRING_FAULT_NONE);
}

/* Where what lies at an address of the rings' region is when the region begins at base. */
static void *
moved(const void *from, uintptr_t old, uint8_t *base)
{
	return from != NULL ? base + ((uintptr_t)from - old) : NULL;
}

static void
rings_moved(struct driver *driver, uintptr_t old)
{
	uint8_t *base = driver->regions[0].va;

	driver->desc = moved(driver->desc, old, base);
	driver->avail = moved(driver->avail, old, base);
	driver->used = moved(driver->used, old, base);
	driver->packed.desc = moved(driver->packed.desc, old, base);
	driver->packed.driver_event = moved(driver->packed.driver_event, old, base);
	driver->packed.device_event = moved(driver->packed.device_event, old, base);
}

/* All memory moves; what was there is overwritten, and freed for ASan to see. */
static void
memory_moves(void)
{
	struct driver *driver = &model.driver;
	uintptr_t rings = (uintptr_t)driver->regions[0].va;
	unsigned int i;

	for (i = 0; i < driver->nb_regions; i++) {
		struct driver_region *region = &driver->regions[i];
		uint8_t *old = region->va;

		region->va = aligned_alloc(4096, region->size);
		assert_non_null(region->va);
		memcpy(region->va, old, region->size);
		memset(old, 0xee, region->size);
		free(old);
	}
	rings_moved(driver, rings);
	assert_int_equal(vring_remap(&driver->vq), 0);
}

/* A window goes: what needs it waits, and comes when the window is back. */
static void
memory_misses(void)
{
	struct driver *driver = &model.driver;
	struct driver_region *region =
		&driver->regions[driver->nb_regions - 1 - model_roll(MODEL_WINDOWS)];
	uint64_t size = region->size;
	uint32_t left;

	region->size = 0;
	assert_int_equal(vring_remap(&driver->vq), 0);
	/* What is popped here is checked through other windows only: it has no bytes in this. */
	left = device_pops();
	assert_int_equal(driver->vq.fault, left > 0 ? VRING_FAULT_MISS : VRING_FAULT_NONE);
	if (left > 0) {
		struct rte_vduse_chain chain;

		assert_true(driver->vq.fault_iova - region->first < size);
		assert_int_equal(vring_pop(&driver->vq, &chain, 1), 0);
	}
	region->size = size;
	driver->vq.fault = VRING_FAULT_NONE;
}

/* A packed ring goes on where it was; only the device knows where that is. */
static void
packed_starts_anew(void)
{
	struct driver *driver = &model.driver;
	uint32_t position = vring_position(&driver->vq), told = driver->packed.seen, place, index;

	place = (told + model_descs(model.harvested, model.published - model.harvested)) %
		(2 * driver->size);
	index = driver_packed_index(driver, place);
	assert_int_equal(position >> 16, index);
	place = (place + model_descs(model.published, model.taken - model.published)) %
		(2 * driver->size);
	assert_int_equal(position & UINT16_MAX, driver_packed_index(driver, place));
	driver->packed.seen = index & 0x8000 ? index & 0x7fff : index + driver->size;
	assert_int_equal(driver_start(driver), 0);
	driver->packed.seen = told;
	assert_int_equal(vring_position(&driver->vq), index << 16 | index);
}

/* What was taken and not shown as used is taken again, whatever position is told. */
static void
device_starts_anew(void)
{
	struct driver *driver = &model.driver;
	uint16_t told = driver->next;

	device_publishes();
	if (model_roll(2))
		vring_stop(&driver->vq);
	if (driver_has(driver, VIRTIO_F_RING_PACKED)) {
		packed_starts_anew();
	} else {
		driver->next = (uint16_t)model_roll(0x10000);
		assert_int_equal(driver_start(driver), 0);
		driver->next = told;
		assert_int_equal(vring_position(&driver->vq),
				 (uint16_t)(model.base + model.published));
	}
	model.taken = model.pushed = model.published;
}

static void
step(void)
{
	static void (*const often[])(void) = {
		model_driver_posts,
		model_driver_posts,
		model_driver_harvests,
		model_driver_harvests,
		model_driver_wishes,
		device_pops_all_it_wants,
		device_pops_all_it_wants,
		device_unpops,
		device_pushes,
		device_pushes,
		device_publishes,
		device_publishes,
	};
	static void (*const seldom[])(void) = { memory_moves, memory_misses, device_starts_anew };

	if (model_roll(16) == 0)
		seldom[model_roll(RTE_DIM(seldom))]();
	else
		often[model_roll(RTE_DIM(often))]();
}

/* In the end everything that was posted comes back. */
static void
drain(void)
{
	while (model.taken < model.posted)
		device_pops_all_it_wants();
	while (model.pushed < model.taken)
		device_pushes();
	device_publishes();
	while (model.harvested < model.posted) {
		uint32_t before = model.harvested;

		model_driver_harvests();
		assert_true(model.harvested > before);
	}
	assert_int_equal(model.nb_free, model.driver.size);
	assert_int_equal(vring_count(&model.driver.vq), 0);
}

/* The one that failed, if one did. */
static uint32_t seed;

static int
seed_tell(void **state)
{
	RTE_SET_USED(state);
	if (seed < SEEDS)
		print_message("with seed %u\n", seed);
	return 0;
}

static void
random_steps_lose_nothing(void **state)
{
	uint32_t chains = 0, i;

	RTE_SET_USED(state);
	for (seed = 0; seed < SEEDS; seed++) {
		model_init(seed);
		for (i = 0; i < STEPS; i++)
			step();
		drain();
		chains += model.posted;
		model_free();
	}
	assert_true(chains > 10 * SEEDS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(random_steps_lose_nothing, seed_tell),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
