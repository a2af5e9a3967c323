/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * The module's slots.c in userspace, with the kernel headers of kernel_stub, for each page size of
 * the kernel. Every allocated slot is checked against a map of the region: it is aligned, inside
 * the region, after the first page, and overlaps no other slot.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <pthread.h>

#include <linux/kernel.h>
#include <linux/percpu.h>

#include "slots.h"

#define KIB(n)   ((size_t)(n) << 10)
#define MIB(n)   ((size_t)(n) << 20)
#define UNIT     ((size_t)1 << VDUSE_SLOT_SHIFT_MIN)
#define ROUNDS   20000
#define LIVE_MAX 4096

_Thread_local int stub_cpu;

/* Ends of the region that are no multiple of a block, and those about where blocks become larger. */
static const size_t region_sizes[] = {
	KIB(64),
	KIB(128),
	KIB(192),
	KIB(256),
	KIB(320),
	KIB(448),
	MIB(1),
	MIB(1) + PAGE_SIZE,
	MIB(2),
	MIB(4),
	MIB(8) - PAGE_SIZE,
	MIB(8),
	MIB(8) + PAGE_SIZE,
	MIB(64) - PAGE_SIZE,
	MIB(64),
};

static const size_t slot_sizes[] = {
	512, KIB(1), KIB(4), KIB(16), KIB(64), KIB(256), MIB(1), MIB(1) + 1,
};

/* A slot that the test has: offset, and bytes that were asked for. */
struct live {
	u64 offset;
	size_t size;
};

struct region {
	struct vduse_slots *slots;
	size_t size;
	size_t block;
	u8 *taken;            /* one for each unit; threads: atomic */
	unsigned int nr_live; /* of one thread */
	struct live *live;
};

static size_t
max(size_t a, size_t b)
{
	return a > b ? a : b;
}

/* Bytes at the start of the region that are in no slot above the smallest one. */
static size_t
first_bytes(const struct region *region)
{
	return max(region->block, PAGE_SIZE);
}

/* False where the first page is all that there is. */
static bool
region_open(struct region *region, size_t size)
{
	stub_cpu = 0;
	*region = (struct region){ .size = size, .block = vduse_slots_max(size) };
	region->slots = vduse_slots_create(size);
	if (size / region->block * region->block <= PAGE_SIZE) {
		assert_null(region->slots);
		return false;
	}
	assert_non_null(region->slots);
	region->taken = calloc(size / UNIT, 1);
	region->live = calloc(size / UNIT, sizeof(*region->live));
	assert_non_null(region->taken);
	assert_non_null(region->live);
	return true;
}

static void
region_close(struct region *region)
{
	vduse_slots_destroy(region->slots);
	free(region->taken);
	free(region->live);
}

/* Marks the bytes of a slot. False: outside, or another slot has one of them. */
static bool
mark(struct region *region, u64 offset, size_t size)
{
	u64 i;

	if (offset < PAGE_SIZE || offset % UNIT != 0 || offset >= region->size ||
	    size > region->size - offset)
		return false;
	for (i = offset / UNIT; i < (offset + size + UNIT - 1) / UNIT; i++)
		if (__atomic_exchange_n(&region->taken[i], 1, __ATOMIC_RELAXED) != 0)
			return false;
	return true;
}

static void
unmark(struct region *region, u64 offset, size_t size)
{
	u64 i;

	for (i = offset / UNIT; i < (offset + size + UNIT - 1) / UNIT; i++)
		__atomic_store_n(&region->taken[i], 0, __ATOMIC_RELAXED);
}

/* False: the region has none. */
static bool
get(struct region *region, size_t size)
{
	u64 offset = vduse_slots_get(region->slots, size);

	if (offset == VDUSE_SLOT_NONE)
		return false;
	if (!mark(region, offset, size))
		fail_msg("region %zu: slot of %zu at %#llx is not free", region->size, size,
			 (unsigned long long)offset);
	assert_int_equal(vduse_slots_start(region->slots, offset), offset);
	assert_int_equal(vduse_slots_start(region->slots, offset + size - 1), offset);
	region->live[region->nr_live++] = (struct live){ offset, size };
	return true;
}

static void
put(struct region *region, unsigned int i)
{
	struct live live = region->live[i];

	region->live[i] = region->live[--region->nr_live];
	unmark(region, live.offset, live.size);
	vduse_slots_put(region->slots, live.offset);
}

static unsigned int
get_all(struct region *region, size_t size)
{
	unsigned int before = region->nr_live;

	while (get(region, size))
		;
	return region->nr_live - before;
}

static void
put_all(struct region *region)
{
	while (region->nr_live > 0)
		put(region, 0);
}

/* One slot of all that is there, which finds the magazines empty or empties them. */
static void
get_largest(struct region *region)
{
	size_t whole = region->size / region->block * region->block;

	if (whole > first_bytes(region)) {
		assert_true(get(region, whole - first_bytes(region)));
		assert_false(get(region, region->block));
	}
	put_all(region);
}

/* Only the smallest slots share a block with the first page. */
static unsigned int
expected(const struct region *region, size_t size)
{
	size_t whole = region->size / region->block * region->block;

	if (size > region->block)
		size = (size + region->block - 1) / region->block * region->block;
	return (whole - (size == UNIT ? PAGE_SIZE : first_bytes(region))) / size;
}

static void
test_all_of_a_size(void **state)
{
	struct region region;
	unsigned int i, j;

	(void)state;
	for (i = 0; i < sizeof(region_sizes) / sizeof(region_sizes[0]); i++) {
		if (!region_open(&region, region_sizes[i]))
			continue;
		for (j = 0; j < 2 * sizeof(slot_sizes) / sizeof(slot_sizes[0]); j++) {
			size_t size = slot_sizes[j / 2];

			/* Twice: what was given back is handed out again. */
			stub_cpu = j % STUB_CPUS;
			if (size > region.block)
				get_largest(&region);
			assert_int_equal(get_all(&region, size), expected(&region, size));
			put_all(&region);
		}
		region_close(&region);
	}
}

/* One byte more than a size takes the next one. */
static void
test_between_sizes(void **state)
{
	struct region region;
	unsigned int i;

	(void)state;
	assert_true(region_open(&region, MIB(8)));
	for (i = 0; slot_sizes[i] < region.block; i++) {
		assert_int_equal(get_all(&region, slot_sizes[i] + 1),
				 expected(&region, slot_sizes[i + 1]));
		put_all(&region);
	}
	region_close(&region);
}

/* No span is left, but for the magazines: they are emptied before a large request is refused. */
static void
test_span_from_magazines(void **state)
{
	struct region region;
	unsigned int i;

	(void)state;
	assert_true(region_open(&region, MIB(2)));
	for (i = 0; i < 8; i++) {
		stub_cpu = i % STUB_CPUS;
		get_all(&region, slot_sizes[i % 4]);
		put_all(&region);
		stub_cpu = STUB_CPUS - 1 - i % STUB_CPUS;
		get_largest(&region);
	}
	assert_false(get(&region, region.size));
	assert_false(get(&region, SIZE_MAX));
	region_close(&region);
}

/* Nothing is in use: no address belongs to a slot, and the first page never does. */
static void
test_start(void **state)
{
	struct region region;
	u64 offset;

	(void)state;
	assert_true(region_open(&region, MIB(1) + PAGE_SIZE));
	assert_true(get(&region, MIB(1) / 2));
	put_all(&region);
	for (offset = first_bytes(&region); offset < region.size; offset += UNIT)
		assert_int_equal(vduse_slots_start(region.slots, offset), VDUSE_SLOT_NONE);
	region_close(&region);
}

/* A size between one byte and the largest slot; small ones are as likely as large ones. */
static size_t
random_size(const struct region *region, unsigned int *seed)
{
	size_t limit = (size_t)1 << (rand_r(seed) % 12 + 9);

	if (limit > region->size)
		limit = region->size;
	return (size_t)rand_r(seed) % limit + 1;
}

static void
random_steps(struct region *region, unsigned int rounds, unsigned int *seed)
{
	while (rounds-- > 0) {
		stub_cpu = rand_r(seed) % STUB_CPUS;
		/* Phases of growth and of decline. */
		if (rand_r(seed) % 8 < (rounds / 512 % 2 ? 3 : 6)) {
			if (region->nr_live < LIVE_MAX)
				get(region, random_size(region, seed));
		} else if (region->nr_live > 0) {
			put(region, (unsigned int)rand_r(seed) % region->nr_live);
		}
	}
}

/* Whatever came before on whatever CPU, an empty region has room for all again. */
static void
test_random(void **state)
{
	struct region region;
	unsigned int i, j, seed;

	(void)state;
	for (i = 0; i < sizeof(region_sizes) / sizeof(region_sizes[0]); i++) {
		if (!region_open(&region, region_sizes[i]))
			continue;
		seed = i + 1;
		for (j = 0; j < sizeof(slot_sizes) / sizeof(slot_sizes[0]); j++) {
			random_steps(&region, ROUNDS, &seed);
			put_all(&region);
			if (slot_sizes[j] > region.block)
				get_largest(&region);
			assert_int_equal(get_all(&region, slot_sizes[j]),
					 expected(&region, slot_sizes[j]));
			put_all(&region);
		}
		region_close(&region);
	}
}

struct worker {
	pthread_t thread;
	struct region region; /* its own live slots, the same map */
	int cpu;
	bool overlap;
};

/* cmocka's assertions are for the main thread only. */
static void *
work(void *arg)
{
	struct worker *worker = arg;
	struct region *region = &worker->region;
	unsigned int i, seed = worker->cpu + 1;
	struct live live;

	stub_cpu = worker->cpu;
	for (i = 0; i < ROUNDS && !worker->overlap; i++) {
		if (region->nr_live < 64 && rand_r(&seed) % 2) {
			live.size = random_size(region, &seed);
			live.offset = vduse_slots_get(region->slots, live.size);
			if (live.offset == VDUSE_SLOT_NONE)
				continue;
			worker->overlap = !mark(region, live.offset, live.size);
			region->live[region->nr_live++] = live;
		} else if (region->nr_live > 0) {
			put(region, (unsigned int)rand_r(&seed) % region->nr_live);
		}
	}
	put_all(region);
	return NULL;
}

/* A small region, so that CPUs empty each other's magazines. */
static void
test_threads(void **state)
{
	struct worker workers[STUB_CPUS] = { 0 };
	struct region region;
	int i;

	(void)state;
	assert_true(region_open(&region, MIB(1)));
	for (i = 0; i < STUB_CPUS; i++) {
		workers[i].region = region;
		workers[i].region.live = calloc(64, sizeof(struct live));
		assert_non_null(workers[i].region.live);
		workers[i].cpu = i;
		assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
	}
	for (i = 0; i < STUB_CPUS; i++) {
		pthread_join(workers[i].thread, NULL);
		free(workers[i].region.live);
		assert_false(workers[i].overlap);
	}
	assert_int_equal(get_all(&region, UNIT), expected(&region, UNIT));
	region_close(&region);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_of_a_size),
		cmocka_unit_test(test_between_sizes),
		cmocka_unit_test(test_span_from_magazines),
		cmocka_unit_test(test_start),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_threads),
	};

	printf("# pages of %lu bytes\n", PAGE_SIZE);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
