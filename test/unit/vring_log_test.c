/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * The dirty log against a model: random writes of a device into chains of any layout. Each page
 * that changed has its bit, and no page of buffers has one that was not written.
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <rte_vduse_compat.h>

#include <vring/log.h>

#include "unit.h"
#include "vring_driver.h"

#define SIZE 64u
/* Of all formats together. The thread sanitizer is slow, and finds nothing in them. */
#ifdef __SANITIZE_THREAD__
#define CHAINS 20000u
#else
#define CHAINS 1000000u
#endif
#define PARTS       3u
#define LOG_BYTES   (512u << 10) /* 16 GiB, from DRIVER_IOVA on there are regions */
#define LOG_PAGES   (8 * (uint64_t)LOG_BYTES)
#define THREADS     4
#define MARK_PAGES  131072u
#define MARK_ROUNDS 100

static struct driver driver;
/* The log, what the front end took out of it, and what it must have. */
static uint8_t bits[LOG_BYTES], taken[LOG_BYTES], wanted[LOG_BYTES];
static uint64_t random_state = 1;

static uint32_t
roll(uint32_t below)
{
	random_state = random_state * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (uint32_t)((random_state >> 33) % below);
}

static void
mark_va(const struct vring_log *log, void *arg, const uint8_t *va, uint64_t len)
{
	unsigned int i;

	RTE_SET_USED(arg);
	for (i = 0; i < driver.nb_regions; i++) {
		const struct driver_region *region = &driver.regions[i];

		if (va >= region->va && va < region->va + region->size)
			vring_log_mark(log, region->first + (uint64_t)(va - region->va), len);
	}
}

static struct vring_log dirty = { .bits = bits, .mark_va = mark_va };

static void
want(uint64_t iova, uint64_t len)
{
	uint64_t page;

	for (page = iova / VRING_LOG_PAGE; len > 0 && page <= (iova + len - 1) / VRING_LOG_PAGE;
	     page++)
		wanted[page / 8] |= (uint8_t)(1u << page % 8);
}

static bool
has(const uint8_t *map, uint64_t iova)
{
	uint64_t page = iova / VRING_LOG_PAGE;

	assert_in_range(page, 0, LOG_PAGES - 1);
	return map[page / 8] >> page % 8 & 1;
}

/* Chains that each have a part to read and some to write, anywhere in the room for buffers. */
static uint32_t
post(uint32_t nb, struct driver_part posted[][PARTS])
{
	uint64_t room = SIZE * UINT64_C(4096);
	uint32_t i, n;

	for (i = 0; i < nb; i++) {
		uint16_t descs[PARTS];

		for (n = 0; n < PARTS; n++) {
			uint32_t len = 1 + roll(n == 1 ? 9000 : 600);

			descs[n] = (uint16_t)(PARTS * i + n);
			posted[i][n] = (struct driver_part){
				.iova = driver.data + roll((uint32_t)(room - len)),
				.len = len,
				.flags = n > 0 ? VRING_DESC_F_WRITE : 0,
			};
		}
		(void)driver_post_chain(&driver, descs, posted[i], PARTS);
	}
	return nb;
}

/* The device fills a part of the first writable bytes of a chain, each with another value. */
static void
fill(struct rte_vduse_chain *chain, const struct driver_part *parts, bool whole)
{
	uint32_t left, i, n;

	chain->used_len = whole ? chain->in_len : roll(chain->in_len + 1);
	left = chain->used_len;
	for (i = 0; i < chain->nb_in; i++) {
		struct rte_vduse_buf *buf = &chain->bufs[chain->nb_out + i];

		for (n = 0; n < buf->len && left > 0; n++, left--)
			buf->va[n]++;
	}
	for (i = 1, left = chain->used_len; i < PARTS; i++) {
		uint32_t len = driver.vq.writes_used ? RTE_MIN(left, parts[i].len) : parts[i].len;

		want(parts[i].iova, len);
		left -= RTE_MIN(left, parts[i].len);
	}
}

static void
compare(const struct driver_region *region, const uint8_t *before, bool exact)
{
	uint64_t at;

	for (at = 0; at < region->size; at += VRING_LOG_PAGE) {
		uint64_t iova = region->first + at,
			 len = RTE_MIN(VRING_LOG_PAGE, region->size - at);

		if (memcmp(region->va + at, before + at, len) != 0 && !has(bits, iova))
			fail_msg("page 0x%" PRIx64 " was written and not marked", iova);
		if (exact)
			assert_int_equal(has(bits, iova), has(wanted, iova));
	}
}

static void
rounds(uint32_t size, uint64_t features, bool writes_used)
{
	static struct driver_part posted[SIZE / PARTS][PARTS];
	struct rte_vduse_chain chains[RTE_VDUSE_BURST_MAX];
	uint32_t total, nb, i, head, len;
	uint8_t *before[2];

	driver_init(&driver, size, features, 0);
	assert_int_equal(driver_start(&driver), 0);
	driver.vq.writes_used = writes_used;
	dirty.nb_pages = LOG_PAGES;
	vring_log_set(&driver.vq, &dirty, driver_layout(&driver).device);
	for (i = 0; i < 2; i++)
		before[i] = malloc(driver.regions[i].size);
	for (total = 0; total < CHAINS / 8; total += nb) {
		nb = post(1 + roll(size / PARTS), posted);
		for (i = 0; i < 2; i++)
			memcpy(before[i], driver.regions[i].va, driver.regions[i].size);
		memset(bits, 0, sizeof(bits));
		memset(wanted, 0, sizeof(wanted));
		if (roll(4) == 0)
			vring_notify(&driver.vq, roll(2) != 0);
		assert_int_equal(vring_pop(&driver.vq, chains, (uint16_t)nb), nb);
		for (i = 0; i < nb; i++)
			fill(&chains[i], posted[i], writes_used && roll(2) != 0);
		vring_push(&driver.vq, chains, (uint16_t)nb);
		(void)vring_publish(&driver.vq);
		compare(&driver.regions[0], before[0], false);
		compare(&driver.regions[1], before[1], true);
		for (i = 0; i < nb; i++)
			assert_true(driver_take(&driver, &head, &len));
	}
	free(before[0]);
	free(before[1]);
	vring_stop(&driver.vq);
	driver_free(&driver);
}

static void
test_model(void **state)
{
	static const uint64_t formats[] = {
		0,
		UINT64_C(1) << VIRTIO_RING_F_EVENT_IDX,
		UINT64_C(1) << VIRTIO_F_RING_PACKED,
		UINT64_C(1) << VIRTIO_F_RING_PACKED | UINT64_C(1) << VIRTIO_F_IN_ORDER,
	};
	unsigned int i;

	RTE_SET_USED(state);
	for (i = 0; i < RTE_DIM(formats); i++) {
		rounds(SIZE, formats[i], false);
		rounds(SIZE, formats[i], true);
	}
}

/* Serves nb chains of one descriptor in a ring of many pages, with an empty log before. */
static void
serve(unsigned int nb)
{
	struct driver_part part = { driver.data, 8, VRING_DESC_F_WRITE };
	struct rte_vduse_chain chain;
	uint32_t head, len;
	uint16_t desc = 3;
	unsigned int i;

	memset(bits, 0, sizeof(bits));
	for (i = 0; i < nb; i++) {
		(void)driver_post_chain(&driver, &desc, &part, 1);
		assert_int_equal(vring_pop(&driver.vq, &chain, 1), 1);
		vring_push(&driver.vq, &chain, 1);
		(void)vring_publish(&driver.vq);
		assert_true(driver_take(&driver, &head, &len));
	}
}

static void
start_large(uint64_t features, uint16_t index)
{
	driver_init(&driver, 4096, features, index);
	assert_int_equal(driver_start(&driver), 0);
	dirty.nb_pages = LOG_PAGES;
	vring_log_set(&driver.vq, &dirty, driver_layout(&driver).device);
}

/* Exactly these pages of len bytes are marked, all from -1 on being the end. */
static void
check_pages(uint64_t iova, uint64_t len, const int *pages)
{
	uint64_t page;

	for (page = 0; page < len / VRING_LOG_PAGE; page++) {
		bool wants = *pages >= 0 && page == (uint64_t)*pages;

		if (has(bits, iova + page * VRING_LOG_PAGE) != wants)
			fail_msg("page %" PRIu64 " of the ring", page);
		pages += wants;
	}
}

/* A used ring of nine pages: that of the index, of avail_event, and of entries. */
static void
test_large_split(void **state)
{
	uint64_t ring, used;

	RTE_SET_USED(state);
	start_large(0, 2000);
	used = driver_layout(&driver).device;
	ring = RTE_ALIGN_FLOOR(used, VRING_LOG_PAGE);
	used -= ring;
	serve(1);
	check_pages(ring, 9 * VRING_LOG_PAGE,
		    (const int[]){ 0, (int)((used + 4 + 8 * 2000) / VRING_LOG_PAGE), 8, -1 });
	vring_stop(&driver.vq);
	driver_free(&driver);
	/* Before the end of the ring and after its beginning. */
	start_large(0, 4090);
	serve(12);
	check_pages(ring, 9 * VRING_LOG_PAGE,
		    (const int[]){ 0, (int)((used + 4 + 8 * 4090) / VRING_LOG_PAGE), 8, -1 });
	/* The log has the used ring where the front end says. */
	vring_log_set(&driver.vq, &dirty, 7 * VRING_LOG_PAGE);
	serve(1);
	assert_true(has(bits, 7 * VRING_LOG_PAGE));
	check_pages(ring, 9 * VRING_LOG_PAGE, (const int[]){ -1 });
	vring_stop(&driver.vq);
	driver_free(&driver);
}

/* Descriptors in 16 pages, and the device event area elsewhere. */
static void
test_large_packed(void **state)
{
	struct vring_layout layout;

	RTE_SET_USED(state);
	start_large(UINT64_C(1) << VIRTIO_F_RING_PACKED, 2000);
	layout = driver_layout(&driver);
	assert_int_equal(layout.desc % VRING_LOG_PAGE, 0);
	serve(1);
	check_pages(layout.desc, 16 * VRING_LOG_PAGE, (const int[]){ 7, -1 });
	memset(bits, 0, sizeof(bits));
	vring_notify(&driver.vq, true);
	assert_true(has(bits, layout.device));
	vring_stop(&driver.vq);
	driver_free(&driver);
	start_large(UINT64_C(1) << VIRTIO_F_RING_PACKED, 4095);
	serve(2);
	check_pages(layout.desc, 16 * VRING_LOG_PAGE, (const int[]){ 0, 15, -1 });
	vring_stop(&driver.vq);
	driver_free(&driver);
}

/* Nothing is written outside the log, whatever address. */
static void
test_limits(void **state)
{
	static const uint64_t far[] = { UINT64_MAX, UINT64_MAX - 4095, UINT64_C(1) << 60 };
	uint32_t i;

	RTE_SET_USED(state);
	memset(bits, 0, sizeof(bits));
	dirty.nb_pages = 24;
	vring_log_mark(&dirty, 20 * VRING_LOG_PAGE, UINT64_MAX);
	vring_log_mark(&dirty, 24 * VRING_LOG_PAGE, 1);
	vring_log_mark(&dirty, 3 * VRING_LOG_PAGE, 0);
	vring_log_mark(&dirty, 6 * VRING_LOG_PAGE - 1, 2);
	for (i = 0; i < RTE_DIM(far); i++)
		vring_log_mark(&dirty, far[i], UINT64_MAX);
	assert_int_equal(bits[0], 0x60);
	assert_int_equal(bits[1], 0);
	assert_int_equal(bits[2], 0xf0);
	for (i = 3; i < sizeof(bits); i++)
		assert_int_equal(bits[i], 0);
}

static pthread_barrier_t barrier;

/* Pages of which each byte of the log has two of each thread. */
static void *
marker_main(void *arg)
{
	uint64_t page = (uintptr_t)arg;

	pthread_barrier_wait(&barrier);
	for (; page < MARK_PAGES; page += THREADS)
		vring_log_mark(&dirty, page * VRING_LOG_PAGE, 1);
	return NULL;
}

static void
front_end_takes(void)
{
	uint32_t i;

	for (i = 0; i < MARK_PAGES / 8; i++)
		taken[i] |= rte_atomic_exchange_explicit(&bits[i], 0, rte_memory_order_acquire);
}

/* Pollers mark one log while the front end clears it: no bit of either gets lost. */
static void
test_threads(void **state)
{
	pthread_t threads[THREADS];
	uint32_t round;
	uintptr_t i;

	RTE_SET_USED(state);
	memset(bits, 0, sizeof(bits));
	dirty.nb_pages = MARK_PAGES;
	for (round = 0; round < MARK_ROUNDS; round++) {
		memset(taken, 0, MARK_PAGES / 8);
		pthread_barrier_init(&barrier, NULL, THREADS + 1);
		for (i = 0; i < THREADS; i++)
			assert_int_equal(pthread_create(&threads[i], NULL, marker_main, (void *)i),
					 0);
		pthread_barrier_wait(&barrier);
		front_end_takes();
		for (i = 0; i < THREADS; i++)
			pthread_join(threads[i], NULL);
		front_end_takes();
		pthread_barrier_destroy(&barrier);
		for (i = 0; i < MARK_PAGES / 8; i++)
			assert_int_equal(taken[i], 0xff);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_model),        cmocka_unit_test(test_large_split),
		cmocka_unit_test(test_large_packed), cmocka_unit_test(test_limits),
		cmocka_unit_test(test_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
