/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * A disk of two queues, each polled by a thread of its own, whose backend fails: one queue holds
 * requests, or both do, and all of it goes on at one call.
 * Input: writes on both rings. Output: each is used once, without an error, and is on the disk.
 */
#include <errno.h>
#include <string.h>

#include "loopback_fault.h"
#include "poller.h"

#define BATCH  8u
#define ROUNDS 200u

static struct loopback_blk other;
static struct poller pollers[2];

/* What a driver has out of one queue. */
static struct side {
	struct loopback_blk *ring;
	uint16_t index;
	unsigned int nb_out;
	bool out[RING]; /* of each head */
} sides[2];

static void
poll_first(void)
{
	(void)rte_vduse_blk_poll(blk.blk, 0);
}

static void
poll_second(void)
{
	(void)rte_vduse_blk_poll(blk.blk, 1);
}

static int
setup(void **state)
{
	RTE_SET_USED(state);
	loopback_blk_create_pair(&blk, &other, "fault", "under=ram,size=1M", RING, true);
	fault = blk.blk->backend;
	blk.blk->hold.on_error = RTE_VDUSE_BLK_ON_ERROR_WAIT;
	loopback_blk_up(&blk);
	memset(sides, 0, sizeof(sides));
	sides[0].ring = &blk;
	sides[1].ring = &other;
	sides[1].index = 1;
	poller_start(&pollers[0], poll_first);
	poller_start(&pollers[1], poll_second);
	return 0;
}

static int
teardown(void **state)
{
	RTE_SET_USED(state);
	poller_end(&pollers[0]);
	poller_end(&pollers[1]);
	loopback_blk_destroy(&blk);
	return 0;
}

/* Each queue writes its own sectors. */
static uint64_t
sector_of(const struct side *side, unsigned int i)
{
	return 100 * side->index + i;
}

static void
post(struct side *side, uint32_t seed)
{
	const struct blk_piece pieces[] = {
		{ .len = BLK_HDR },
		{ .len = BLK_SECTOR },
		{ .len = 1, .write = true },
	};
	uint8_t bytes[BLK_HDR + BLK_SECTOR];
	unsigned int i;

	for (i = 0; i < BATCH; i++) {
		struct virtio_blk_outhdr header = {
			.type = VIRTIO_BLK_T_OUT,
			.sector = sector_of(side, i),
		};
		uint16_t head;

		memcpy(bytes, &header, BLK_HDR);
		blk_pattern(bytes + BLK_HDR, BLK_SECTOR, seed + (uint32_t)sector_of(side, i));
		head = loopback_blk_chain(side->ring, pieces, RTE_DIM(pieces), bytes);
		assert_false(side->out[head]);
		side->out[head] = true;
		side->nb_out++;
		loopback_blk_post(side->ring, head);
	}
}

static void
take(struct side *side)
{
	uint32_t head, len;

	while (driver_take(&side->ring->driver, &head, &len)) {
		assert_true(head < RING && side->out[head]);
		assert_int_equal(loopback_blk_status(side->ring, (uint16_t)head), VIRTIO_BLK_S_OK);
		side->out[head] = false;
		side->nb_out--;
	}
}

static uint64_t
held(uint16_t queue)
{
	struct rte_vduse_blk_stats stats;

	rte_vduse_blk_stats(blk.blk, queue, &stats, sizeof(stats));
	assert_int_equal(stats.io_errors, 0);
	return stats.held;
}

/* How many requests each queue is to hold. */
static bool
holds(void *arg)
{
	const unsigned int *nb = arg;

	return held(0) == nb[0] && held(1) == nb[1];
}

static bool
in_backend(void *arg)
{
	return vblk_fault_held(fault) == *(unsigned int *)arg;
}

static bool
all_used(void *arg)
{
	RTE_SET_USED(arg);
	take(&sides[0]);
	take(&sides[1]);
	return sides[0].nb_out == 0 && sides[1].nb_out == 0;
}

static bool
second_used(void *arg)
{
	RTE_SET_USED(arg);
	take(&sides[1]);
	return sides[1].nb_out == 0;
}

/* Both have submitted all of it before the first one fails. */
static void
submit(unsigned int nb_failing)
{
	unsigned int nb = BATCH;

	vblk_fault_fail(fault, RTE_VDUSE_BLK_WRITE, -ENOSPC, nb_failing);
	vblk_fault_hold(fault, true);
	post(&sides[0], 0);
	assert_true(unit_wait(in_backend, &nb));
	post(&sides[1], 0);
	nb = 2 * BATCH;
	assert_true(unit_wait(in_backend, &nb));
	vblk_fault_release(fault, nb, false);
}

static void
check_disk(uint32_t seed)
{
	uint8_t wanted[BLK_SECTOR];
	unsigned int i, j;

	poller_end(&pollers[0]);
	for (i = 0; i < 2; i++)
		for (j = 0; j < BATCH; j++) {
			uint64_t sector = sector_of(&sides[i], j);

			blk_pattern(wanted, BLK_SECTOR, seed + (uint32_t)sector);
			assert_int_equal(
				loopback_blk_do(&blk, VIRTIO_BLK_T_IN, sector, got, BLK_SECTOR),
				VIRTIO_BLK_S_OK);
			assert_memory_equal(got, wanted, BLK_SECTOR);
		}
	poller_start(&pollers[0], poll_first);
}

/* What is made available meanwhile stays in the rings. */
static void
go_on(unsigned int nb_first, unsigned int nb_second)
{
	unsigned int nb[] = { nb_first, nb_second };

	assert_true(unit_wait(holds, nb));
	vblk_fault_hold(fault, false);
	/* A poll that looked before the disk held requests may still take some. */
	poller_wait(&pollers[1], 2);
	post(&sides[1], 1);
	poller_wait(&pollers[0], 10);
	poller_wait(&pollers[1], 10);
	take(&sides[0]);
	take(&sides[1]);
	assert_int_equal(sides[0].nb_out, nb_first);
	assert_int_equal(sides[1].nb_out, nb_second + BATCH);
	assert_true(holds(nb));
	assert_int_equal(rte_vduse_blk_held(blk.blk), ENOSPC);
	assert_int_equal(rte_vduse_blk_go_on(blk.blk), 0);
	assert_true(unit_wait(all_used, NULL));
	assert_int_equal(rte_vduse_blk_held(blk.blk), 0);
	nb[0] = 0;
	nb[1] = 0;
	assert_true(holds(nb));
	post(&sides[0], 1);
	assert_true(unit_wait(all_used, NULL));
	check_disk(1);
}

static void
test_both(void **state)
{
	RTE_SET_USED(state);
	submit(2 * BATCH);
	go_on(BATCH, BATCH);
}

/* What the other one has with the backend finishes. */
static void
test_one(void **state)
{
	RTE_SET_USED(state);
	submit(BATCH);
	assert_true(unit_wait(second_used, NULL));
	go_on(BATCH, 0);
}

/* It goes on too early, again and again, at any moment. */
static bool
insists(void *arg)
{
	if (rte_vduse_blk_held(blk.blk) != 0)
		assert_int_equal(rte_vduse_blk_go_on(blk.blk), 0);
	return all_used(arg);
}

static void
test_rounds(void **state)
{
	unsigned int none[] = { 0, 0 };
	uint32_t round;

	RTE_SET_USED(state);
	for (round = 0; round < ROUNDS; round++) {
		vblk_fault_fail(fault, RTE_VDUSE_BLK_WRITE, -EIO, 1 + round % (3 * BATCH));
		post(&sides[round % 2], round);
		post(&sides[1 - round % 2], round);
		assert_true(unit_wait(insists, NULL));
		assert_true(holds(none));
	}
	vblk_fault_fail(fault, RTE_VDUSE_BLK_WRITE, 0, 0);
	check_disk(ROUNDS - 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_both, setup, teardown),
		cmocka_unit_test_setup_teardown(test_one, setup, teardown),
		cmocka_unit_test_setup_teardown(test_rounds, setup, teardown),
	};

	return fault_run(tests);
}
