/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * A driver that resets, moves or loses its memory while the backend has requests: after the answer
 * nothing accesses the driver's memory. Also an application that waits for the backend.
 */
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include <rte_vduse_compat.h>

#include "loopback_fault.h"

/* The control thread looks so many times at what waits for the backend, and answers nothing. */
static void
check_waits(unsigned int looks)
{
	unsigned int i;

	for (i = 0; i < looks; i++)
		unit_ctrl_turn();
	assert_false(loopback_blk_answered(&blk, 0));
}

/* A reset is answered when all that was in flight is done, and shown in the used ring. */
static void
reset_drains(void **state)
{
	uint32_t head, len;
	unsigned int i;

	RTE_SET_USED(state);
	vblk_fault_hold(fault, true);
	vblk_fault_narrow(fault, 5);
	for (i = 0; i < 8; i++)
		fault_post(VIRTIO_BLK_T_IN, i, NULL);
	fault_wait_held(8);
	vblk_fault_narrow(fault, 0);
	for (i = 8; i < 12; i++)
		fault_post(VIRTIO_BLK_T_IN, i, NULL);
	/* Four are taken off the ring, and wait here. */
	for (i = 0; i < 10; i++)
		loopback_blk_poll(&blk);
	assert_int_equal(blk.blk->queues[0].in_flight, 12);
	loopback_blk_reset_send(&blk);
	check_waits(1);
	vblk_fault_narrow(fault, 1);
	vblk_fault_release(fault, 11, true);
	/* One look for each at the most. */
	check_waits(12);
	assert_int_equal(loopback_blk_stats(&blk).in_flight, 1);
	vblk_fault_release(fault, 1, true);
	assert_true(loopback_blk_answered(&blk, UNIT_PATIENCE_MS));
	for (i = 0; i < 12; i++)
		assert_true(driver_take(&blk.driver, &head, &len));
	assert_false(driver_take(&blk.driver, &head, &len));
	/* The memory is the driver's alone now. */
	memset(blk.driver.regions[0].va, 0x55, blk.driver.regions[0].size);
	for (i = 0; i < 10; i++)
		loopback_blk_poll(&blk);
	for (i = 0; i < blk.driver.regions[0].size; i++)
		assert_int_equal(blk.driver.regions[0].va[i], 0x55);
	vblk_fault_hold(fault, false);
	vblk_fault_narrow(fault, UINT16_MAX);
	loopback_blk_up(&blk);
	fault_check_serves(1);
}

#define LATE 12u

/*
 * A slow backend moves the data of reads while a reset waits. Every byte is in memory before the
 * answer, and none is written after it.
 */
static void
reset_outlasts_late_reads(void **state)
{
	struct driver_region *region = &blk.driver.regions[0];
	uint16_t heads[LATE];
	unsigned int i;

	RTE_SET_USED(state);
	blk_pattern(sent, LATE * BLK_SECTOR, 1);
	assert_int_equal(loopback_blk_do(&blk, VIRTIO_BLK_T_OUT, 0, sent, LATE * BLK_SECTOR), 0);
	fault_hold_reads(heads, LATE);
	loopback_blk_reset_send(&blk);
	vblk_fault_release(fault, LATE - 1, true);
	check_waits(LATE);
	assert_int_equal(loopback_blk_stats(&blk).in_flight, 1);
	vblk_fault_release(fault, 1, true);
	assert_true(loopback_blk_answered(&blk, UNIT_PATIENCE_MS));
	for (i = 0; i < LATE; i++) {
		loopback_blk_written(&blk, heads[i], got);
		assert_memory_equal(got, sent + i * BLK_SECTOR, BLK_SECTOR);
		assert_int_equal(got[BLK_SECTOR], VIRTIO_BLK_S_OK);
	}
	memset(region->va, 0x55, region->size);
	vblk_fault_hold(fault, false);
	for (i = 0; i < 10; i++)
		loopback_blk_poll(&blk);
	for (i = 0; i < region->size; i++)
		assert_int_equal(region->va[i], 0x55);
	loopback_blk_up(&blk);
	fault_check_serves(1);
}

/* Memory moves only when no request holds an address of it. */
static void
update_drains(void **state)
{
	uint16_t heads[4];
	unsigned int i;

	RTE_SET_USED(state);
	fault_hold_reads(heads, RTE_DIM(heads));
	loopback_blk_update_send(&blk);
	check_waits(1);
	vblk_fault_hold(fault, false);
	assert_true(loopback_blk_answered(&blk, UNIT_PATIENCE_MS));
	for (i = 0; i < RTE_DIM(heads); i++)
		assert_int_equal(loopback_blk_take(&blk), heads[i]);
	fault_check_serves(1);
}

#define RANGES 4u

/* Writes to as many sectors, then posts a request to zero them, of which the first is held. */
static uint16_t
zero_ranges(void)
{
	uint8_t bytes[BLK_HDR + RANGES * sizeof(struct virtio_blk_discard_write_zeroes)];
	const struct blk_piece pieces[] = { { .len = sizeof(bytes) }, { .len = 1, .write = true } };
	struct virtio_blk_outhdr header = { .type = VIRTIO_BLK_T_WRITE_ZEROES };
	struct virtio_blk_discard_write_zeroes range = { .num_sectors = 1 };
	unsigned int i;
	uint16_t head;

	memcpy(bytes, &header, sizeof(header));
	for (i = 0; i < RANGES; i++) {
		range.sector = 8 + i;
		memcpy(bytes + BLK_HDR + i * sizeof(range), &range, sizeof(range));
	}
	memset(sent, 0x5a, RANGES * BLK_SECTOR);
	assert_int_equal(loopback_blk_do(&blk, VIRTIO_BLK_T_OUT, 8, sent, RANGES * BLK_SECTOR), 0);
	vblk_fault_hold(fault, true);
	head = loopback_blk_chain(&blk, pieces, RTE_DIM(pieces), bytes);
	loopback_blk_post(&blk, head);
	fault_wait_held(1);
	return head;
}

/* The driver decides how many ranges a request has, and not how long a reset waits for them. */
static void
reset_ends_ranges(void **state)
{
	uint32_t head, len;
	uint16_t posted;

	RTE_SET_USED(state);
	posted = zero_ranges();
	loopback_blk_reset_send(&blk);
	check_waits(1);
	vblk_fault_release(fault, 1, false);
	assert_true(loopback_blk_answered(&blk, UNIT_PATIENCE_MS));
	assert_true(driver_take(&blk.driver, &head, &len));
	assert_int_equal(head, posted);
	assert_int_equal(loopback_blk_status(&blk, posted), VIRTIO_BLK_S_IOERR);
	vblk_fault_hold(fault, false);
	loopback_blk_up(&blk);
	memset(sent, 0, BLK_SECTOR);
	assert_int_equal(loopback_blk_do(&blk, VIRTIO_BLK_T_IN, 8, got, RANGES * BLK_SECTOR), 0);
	assert_memory_equal(got, sent, RANGES * BLK_SECTOR);
	fault_check_serves(1);
}

/* Memory that moves is no reason for a request to fail. */
static void
update_finishes_ranges(void **state)
{
	uint16_t posted;

	RTE_SET_USED(state);
	posted = zero_ranges();
	loopback_blk_update_send(&blk);
	vblk_fault_release(fault, RANGES - 1, false);
	/* One look for each range at the most. */
	check_waits(RANGES);
	vblk_fault_release(fault, 1, false);
	assert_true(loopback_blk_answered(&blk, UNIT_PATIENCE_MS));
	assert_int_equal(loopback_blk_take(&blk), posted);
	assert_int_equal(loopback_blk_status(&blk, posted), VIRTIO_BLK_S_OK);
	vblk_fault_hold(fault, false);
	memset(sent, 0, RANGES * BLK_SECTOR);
	assert_int_equal(loopback_blk_do(&blk, VIRTIO_BLK_T_IN, 8, got, RANGES * BLK_SECTOR), 0);
	assert_memory_equal(got, sent, RANGES * BLK_SECTOR);
}

/* All regions vanish under requests in flight, and come back. */
static void
regions_vanish(void **state)
{
	const struct driver_region *region = &blk.driver.regions[0];

	RTE_SET_USED(state);
	vblk_fault_hold(fault, true);
	fault_post(VIRTIO_BLK_T_IN, 0, NULL);
	fault_wait_held(1);
	vblk_fault_release(fault, 1, false);
	vduse_loopback_regions_clear(blk.loop);
	loopback_blk_update(&blk);
	assert_int_equal(loopback_blk_state(&blk), RTE_VDUSE_VQ_SUSPENDED);
	vblk_fault_hold(fault, false);
	assert_int_equal(vduse_loopback_region_add(blk.loop, region->first,
						   region->first + region->size - 1, 0,
						   VDUSE_ACCESS_RW, blk.fd),
			 0);
	loopback_blk_update(&blk);
	assert_int_equal(loopback_blk_state(&blk), RTE_VDUSE_VQ_RUNNING);
	(void)loopback_blk_take(&blk);
	fault_check_serves(1);
}

/* The pages themselves are taken away: the status cannot be written, the process lives. */
static void
pages_vanish(void **state)
{
	uint64_t size = blk.driver.regions[0].size;

	RTE_SET_USED(state);
	unit_sigbus_restore();
	vblk_fault_hold(fault, true);
	fault_post(VIRTIO_BLK_T_OUT, 0, sent);
	fault_wait_held(1);
	assert_int_equal(ftruncate(blk.fd, 0), 0);
	vblk_fault_hold(fault, false);
	loopback_blk_update(&blk);
	assert_int_equal(ftruncate(blk.fd, (off_t)size), 0);
	loopback_blk_up(&blk);
	fault_check_serves(1);
}

/* A buffer in no region stops the queue; what was asked for before it is done. */
static void
no_region(void **state)
{
	struct virtio_blk_outhdr header = { .type = VIRTIO_BLK_T_IN };
	const struct blk_piece pieces[] = { { .len = BLK_HDR },
					    { .len = BLK_SECTOR, .write = true },
					    { .len = 1, .write = true } };
	uint32_t head, len;
	uint16_t good, bad;

	RTE_SET_USED(state);
	good = fault_post(VIRTIO_BLK_T_IN, 0, NULL);
	bad = loopback_blk_chain(&blk, pieces, RTE_DIM(pieces), &header);
	blk.driver.desc[bad + 1].addr = UINT64_C(0x7000000000);
	loopback_blk_post(&blk, bad);
	loopback_blk_wait(&blk, RTE_VDUSE_VQ_ERROR);
	assert_true(driver_take(&blk.driver, &head, &len));
	assert_int_equal(head, good);
	assert_false(driver_take(&blk.driver, &head, &len));
	loopback_blk_up(&blk);
	fault_check_serves(1);
}

static void *
drain(void *arg)
{
	*(int *)arg = rte_vduse_blk_drain(blk.blk, UNIT_PATIENCE_MS);
	return NULL;
}

static bool
is_draining(void *arg)
{
	RTE_SET_USED(arg);
	return rte_atomic_load_explicit(&blk.blk->draining, rte_memory_order_relaxed);
}

static bool
is_drained(void *arg)
{
	loopback_blk_poll(&blk);
	return !is_draining(arg);
}

/* An application waits for the backend with a time limit; no new requests are taken. */
static void
application_drains(void **state)
{
	pthread_t thread;
	uint16_t heads[3];
	int i, ret = 1;

	RTE_SET_USED(state);
	assert_int_equal(rte_vduse_blk_drain(blk.blk, 0), 0);
	fault_hold_reads(heads, 2);
	unit_log_clear();
	assert_int_equal(rte_vduse_blk_drain(blk.blk, 1), -ETIMEDOUT);
	assert_int_equal(unit_log_count("has not finished 2 requests"), 1);
	assert_int_equal(pthread_create(&thread, NULL, drain, &ret), 0);
	assert_true(unit_wait(is_draining, NULL));
	heads[2] = fault_post(VIRTIO_BLK_T_IN, 2, NULL);
	for (i = 0; i < 10; i++)
		loopback_blk_poll(&blk);
	assert_int_equal(loopback_blk_stats(&blk).in_flight, 2);
	vblk_fault_hold(fault, false);
	assert_true(unit_wait(is_drained, NULL));
	pthread_join(thread, NULL);
	assert_int_equal(ret, 0);
	for (i = 0; i < 3; i++)
		assert_int_equal(loopback_blk_take(&blk), heads[i]);
	fault_check_serves(1);
}

/* The driver resets the device, so the control thread waits for the backend, with the lock. */
static void
application_drains_stopping(void **state)
{
	uint16_t heads[2];

	RTE_SET_USED(state);
	fault_hold_reads(heads, 2);
	loopback_blk_reset_send(&blk);
	check_waits(1);
	unit_log_clear();
	assert_int_equal(rte_vduse_blk_drain(blk.blk, 1), -ETIMEDOUT);
	assert_int_equal(unit_log_count("has not finished 2 requests"), 1);
	vblk_fault_hold(fault, false);
	assert_int_equal(rte_vduse_blk_drain(blk.blk, UNIT_PATIENCE_MS), 0);
	assert_true(loopback_blk_answered(&blk, UNIT_PATIENCE_MS));
}

/* A queue that is not polled is not waited for: the driver broke its ring. */
static void
application_drains_broken(void **state)
{
	uint16_t head;

	RTE_SET_USED(state);
	fault_hold_reads(&head, 1);
	loopback_blk_post(&blk, head);
	loopback_blk_wait(&blk, RTE_VDUSE_VQ_ERROR);
	assert_int_equal(rte_vduse_blk_drain(blk.blk, 1), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(reset_drains, fault_setup, fault_teardown),
		cmocka_unit_test_setup_teardown(reset_outlasts_late_reads, fault_setup_late,
						fault_teardown),
		cmocka_unit_test_setup_teardown(update_drains, fault_setup, fault_teardown),
		cmocka_unit_test_setup_teardown(reset_ends_ranges, fault_setup, fault_teardown),
		cmocka_unit_test_setup_teardown(update_finishes_ranges, fault_setup,
						fault_teardown),
		cmocka_unit_test_setup_teardown(regions_vanish, fault_setup, fault_teardown),
		cmocka_unit_test_setup_teardown(pages_vanish, fault_setup, fault_teardown),
		cmocka_unit_test_setup_teardown(no_region, fault_setup, fault_teardown),
		cmocka_unit_test_setup_teardown(application_drains, fault_setup, fault_teardown),
		cmocka_unit_test_setup_teardown(application_drains_stopping, fault_setup,
						fault_teardown),
		cmocka_unit_test_setup_teardown(application_drains_broken, fault_setup,
						fault_teardown),
	};

	return fault_run(tests);
}
