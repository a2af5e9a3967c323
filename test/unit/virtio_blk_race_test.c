/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * A thread polls continuously while the driver writes, reads back, resets the device, comes up
 * again and moves its memory with requests in flight. Most useful under ThreadSanitizer.
 */
#include "loopback_blk.h"
#include "poller.h"

#include <stdlib.h>
#include <string.h>

#define RING   64u
#define BATCH  8u
#define ROUNDS 60u

static struct loopback_blk blk;
static struct poller poller;

static void
poll_once(void)
{
	(void)rte_vduse_blk_poll(blk.blk, 0);
}

/* Several requests of one kind, of one sector each. */
static void
post_batch(uint32_t type, uint32_t seed, uint16_t *heads)
{
	const struct blk_piece pieces[] = {
		{ .len = BLK_HDR },
		{ .len = BLK_SECTOR, .write = type == VIRTIO_BLK_T_IN },
		{ .len = 1, .write = true },
	};
	uint8_t bytes[BLK_HDR + BLK_SECTOR];
	unsigned int i;

	for (i = 0; i < BATCH; i++) {
		struct virtio_blk_outhdr header = { .type = type, .sector = i };

		memcpy(bytes, &header, BLK_HDR);
		blk_pattern(bytes + BLK_HDR, BLK_SECTOR, seed + i);
		heads[i] = loopback_blk_chain(&blk, pieces, RTE_DIM(pieces), bytes);
		loopback_blk_post(&blk, heads[i]);
	}
}

static bool
take_one(void *arg)
{
	uint32_t len;

	return driver_take(&blk.driver, arg, &len);
}

static void
take_batch(void)
{
	uint32_t head;
	unsigned int i;

	for (i = 0; i < BATCH; i++) {
		assert_true(unit_wait(take_one, &head));
		assert_int_equal(loopback_blk_status(&blk, (uint16_t)head), VIRTIO_BLK_S_OK);
	}
}

static void
write_and_read(uint32_t seed)
{
	uint8_t expected[BLK_SECTOR], found[BLK_SECTOR + 1];
	uint16_t heads[BATCH];
	unsigned int i;

	post_batch(VIRTIO_BLK_T_OUT, seed, heads);
	if (rand() % 3 == 0)
		loopback_blk_update(&blk);
	take_batch();
	post_batch(VIRTIO_BLK_T_IN, 0, heads);
	take_batch();
	for (i = 0; i < BATCH; i++) {
		blk_pattern(expected, BLK_SECTOR, seed + i);
		loopback_blk_written(&blk, heads[i], found);
		assert_memory_equal(found, expected, BLK_SECTOR);
	}
}

static void
race(void **state)
{
	const char *backend = *state;
	uint16_t heads[BATCH];
	unsigned int round;

	loopback_blk_create(&blk, backend, "size=1M", RING, false);
	loopback_blk_up(&blk);
	poller_start(&poller, poll_once);
	for (round = 0; round < ROUNDS; round++) {
		write_and_read(round * BATCH);
		/* A reset with requests in flight, whether they are taken yet or not. */
		if (rand() % 2 == 0) {
			post_batch(VIRTIO_BLK_T_OUT, round, heads);
			loopback_blk_up(&blk);
		}
	}
	poller_end(&poller);
	loopback_blk_destroy(&blk);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_prestate(race, (void *)(uintptr_t) "ram"),
		cmocka_unit_test_prestate(race, (void *)(uintptr_t) "fault"),
	};

	if (unit_init() < 0)
		return 1;
	return unit_done(cmocka_run_group_tests(tests, NULL, NULL));
}
