/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * A backend that fails, is slow, or finishes out of order, while a driver breaks its ring. Each
 * request is answered once, with the right status.
 */
#include <errno.h>
#include <string.h>

#include "loopback_fault.h"

static uint8_t
do_op(enum rte_vduse_blk_op op)
{
	static const uint32_t types[RTE_VDUSE_BLK_OPS] = {
		[RTE_VDUSE_BLK_READ] = VIRTIO_BLK_T_IN,
		[RTE_VDUSE_BLK_WRITE] = VIRTIO_BLK_T_OUT,
		[RTE_VDUSE_BLK_FLUSH] = VIRTIO_BLK_T_FLUSH,
		[RTE_VDUSE_BLK_DISCARD] = VIRTIO_BLK_T_DISCARD,
		[RTE_VDUSE_BLK_ZERO] = VIRTIO_BLK_T_WRITE_ZEROES,
		[RTE_VDUSE_BLK_ERASE] = VIRTIO_BLK_T_SECURE_ERASE,
	};
	struct virtio_blk_discard_write_zeroes range = { .sector = 64, .num_sectors = 8 };

	if (op == RTE_VDUSE_BLK_FLUSH)
		return loopback_blk_do(&blk, types[op], 0, NULL, 0);
	if (op >= RTE_VDUSE_BLK_DISCARD)
		return loopback_blk_do(&blk, types[op], 0, &range, sizeof(range));
	return loopback_blk_do(&blk, types[op], 64, got, BLK_SECTOR);
}

static void
errors(void **state)
{
	static const int results[] = { -EIO, -ENOSPC, -ENODEV, -EFAULT, -EREMOTEIO, -ENOTSUP };
	uint64_t failed = 0;
	unsigned int i;
	int op;

	RTE_SET_USED(state);
	for (op = RTE_VDUSE_BLK_READ; op < RTE_VDUSE_BLK_OPS; op++) {
		for (i = 0; i < RTE_DIM(results); i++) {
			bool known = results[i] != -ENOTSUP;

			vblk_fault_fail(fault, op, results[i], 1);
			assert_int_equal(do_op(op),
					 known ? VIRTIO_BLK_S_IOERR : VIRTIO_BLK_S_UNSUPP);
			failed += known;
			assert_int_equal(do_op(op), VIRTIO_BLK_S_OK);
			fault_check_serves(i);
		}
	}
	assert_int_equal(loopback_blk_stats(&blk).io_errors, failed);
	assert_int_equal(loopback_blk_stats(&blk).bad_requests, 0);
}

/* One of several ranges fails: the request fails, once, and later ranges are not done. */
static void
error_in_range(void **state)
{
	struct virtio_blk_discard_write_zeroes ranges[3] = {
		{ .sector = 8, .num_sectors = 1 },
		{ .sector = 9, .num_sectors = 1 },
		{ .sector = 10, .num_sectors = 1 },
	};

	RTE_SET_USED(state);
	fault_check_serves(1);
	vblk_fault_fail(fault, RTE_VDUSE_BLK_ZERO, -EIO, 1);
	assert_int_equal(
		loopback_blk_do(&blk, VIRTIO_BLK_T_WRITE_ZEROES, 0, ranges, sizeof(ranges)),
		VIRTIO_BLK_S_IOERR);
	assert_int_equal(loopback_blk_stats(&blk).write_zeroes, 1);
	assert_int_equal(loopback_blk_do(&blk, VIRTIO_BLK_T_IN, 8, got, 4 * BLK_SECTOR), 0);
	assert_memory_equal(got, sent, 4 * BLK_SECTOR);
	assert_int_equal(
		loopback_blk_do(&blk, VIRTIO_BLK_T_WRITE_ZEROES, 0, ranges, sizeof(ranges)),
		VIRTIO_BLK_S_OK);
	memset(sent, 0, 3 * BLK_SECTOR);
	assert_int_equal(loopback_blk_do(&blk, VIRTIO_BLK_T_IN, 8, got, 4 * BLK_SECTOR), 0);
	assert_memory_equal(got, sent, 4 * BLK_SECTOR);
}

/* The driver writes to its ranges while they are worked off: what was checked is what counts. */
static void
ranges_that_change(void **state)
{
	struct {
		struct virtio_blk_outhdr header;
		struct virtio_blk_discard_write_zeroes ranges[2];
	} bytes = {
		.header = { .type = VIRTIO_BLK_T_WRITE_ZEROES },
		.ranges = { { .sector = 8, .num_sectors = 1 }, { .sector = 9, .num_sectors = 1 } },
	};
	const struct blk_piece pieces[] = {
		{ .len = sizeof(bytes) },
		{ .len = 1, .write = true },
	};
	uint16_t head;

	RTE_SET_USED(state);
	fault_check_serves(1);
	vblk_fault_hold(fault, true);
	head = loopback_blk_chain(&blk, pieces, RTE_DIM(pieces), &bytes);
	loopback_blk_post(&blk, head);
	fault_wait_held(1);
	memset(driver_va(&blk.driver, blk.driver.desc[head].addr), 0xff, sizeof(bytes));
	vblk_fault_release(fault, 1, false);
	fault_wait_held(1);
	vblk_fault_hold(fault, false);
	assert_int_equal(loopback_blk_take(&blk), head);
	assert_int_equal(loopback_blk_status(&blk, head), VIRTIO_BLK_S_OK);
	memset(sent, 0, 2 * BLK_SECTOR);
	assert_int_equal(loopback_blk_do(&blk, VIRTIO_BLK_T_IN, 8, got, 4 * BLK_SECTOR), 0);
	assert_memory_equal(got, sent, 4 * BLK_SECTOR);
	assert_int_equal(loopback_blk_stats(&blk).write_zeroes, 1);
}

/* The newest first: used entries come in the order of finishing. */
static void
out_of_order(void **state)
{
	uint16_t heads[16];
	unsigned int i;

	RTE_SET_USED(state);
	for (i = 0; i < RTE_DIM(heads); i++) {
		blk_pattern(sent, BLK_SECTOR, i);
		assert_int_equal(loopback_blk_do(&blk, VIRTIO_BLK_T_OUT, i, sent, BLK_SECTOR), 0);
	}
	fault_hold_reads(heads, RTE_DIM(heads));
	for (i = RTE_DIM(heads); i-- > 0;) {
		vblk_fault_release(fault, 1, true);
		assert_int_equal(loopback_blk_take(&blk), heads[i]);
		loopback_blk_written(&blk, heads[i], got);
		assert_int_equal(got[BLK_SECTOR], VIRTIO_BLK_S_OK);
		blk_pattern(sent, BLK_SECTOR, i);
		assert_memory_equal(got, sent, BLK_SECTOR);
	}
	assert_int_equal(loopback_blk_stats(&blk).in_flight, 0);
}

/* However they finish, they are used as they came. */
static void
in_order(void **state)
{
	uint16_t heads[16];
	uint32_t head, len;
	unsigned int i;

	RTE_SET_USED(state);
	fault_hold_reads(heads, RTE_DIM(heads));
	vblk_fault_release(fault, RTE_DIM(heads) - 2, true);
	loopback_blk_poll(&blk);
	assert_int_equal(vblk_fault_held(fault), 2);
	assert_false(driver_take(&blk.driver, &head, &len));
	assert_int_equal(loopback_blk_stats(&blk).in_flight, RTE_DIM(heads));
	vblk_fault_release(fault, 1, false);
	assert_int_equal(loopback_blk_take(&blk), heads[0]);
	assert_false(driver_take(&blk.driver, &head, &len));
	vblk_fault_hold(fault, false);
	for (i = 1; i < RTE_DIM(heads); i++)
		assert_int_equal(loopback_blk_take(&blk), heads[i]);
	assert_int_equal(loopback_blk_stats(&blk).in_flight, 0);
}

/* A backend that takes few at a time, or none for a while. */
static void
narrow(void **state)
{
	uint16_t heads[16];
	uint32_t head, len;
	unsigned int i;

	RTE_SET_USED(state);
	vblk_fault_narrow(fault, 0);
	for (i = 0; i < RTE_DIM(heads); i++) {
		blk_pattern(sent, BLK_SECTOR, i);
		heads[i] = fault_post(VIRTIO_BLK_T_OUT, i, sent);
	}
	for (i = 0; i < 10; i++)
		loopback_blk_poll(&blk);
	assert_false(driver_take(&blk.driver, &head, &len));
	vblk_fault_narrow(fault, 3);
	for (i = 0; i < RTE_DIM(heads); i++)
		assert_int_equal(loopback_blk_take(&blk), heads[i]);
	for (i = 0; i < RTE_DIM(heads); i++) {
		blk_pattern(sent, BLK_SECTOR, i);
		assert_int_equal(loopback_blk_do(&blk, VIRTIO_BLK_T_IN, i, got, BLK_SECTOR), 0);
		assert_memory_equal(got, sent, BLK_SECTOR);
	}
}

/* Many at a time, in any order, against a copy of the disk. */
static void
random_order(void **state)
{
	static uint8_t disk[RING * BLK_SECTOR];
	uint64_t x = 88172645463325252u, sectors[RING];
	bool busy[RING / 4] = { false };
	unsigned int i, nb = 0;

	RTE_SET_USED(state);
	vblk_fault_hold(fault, true);
	for (i = 0; i < 20000; i++) {
		uint64_t sector;
		uint16_t head;

		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		sector = (x >> 20) % RTE_DIM(busy);
		vblk_fault_narrow(fault, (x >> 40) % 8 == 0 ? 0 : UINT16_MAX);
		/* Descriptors are used in a circle: as many requests as surely have left it. */
		if (!busy[sector] && nb < RTE_DIM(busy) && blk.next_desc % 4 == 0) {
			blk_pattern(sent, BLK_SECTOR, i);
			head = fault_post((x >> 30) & 1 ? VIRTIO_BLK_T_OUT : VIRTIO_BLK_T_IN,
					  sector, sent);
			blk.next_desc++;
			if ((x >> 30) & 1)
				memcpy(&disk[sector * BLK_SECTOR], sent, BLK_SECTOR);
			sectors[head] = sector;
			busy[sector] = true;
			nb++;
			loopback_blk_poll(&blk);
		}
		if (nb == RTE_DIM(busy) || (nb > 0 && (x >> 50) % 2)) {
			vblk_fault_narrow(fault, UINT16_MAX);
			fault_wait_held(nb);
			vblk_fault_release(fault, nb, (x >> 60) & 1);
			for (; nb > 0; nb--) {
				head = loopback_blk_take(&blk);
				loopback_blk_written(&blk, head, got);
				assert_int_equal(loopback_blk_status(&blk, head), 0);
				if (blk.driver.desc[(head + 1) % RING].flags & VRING_DESC_F_WRITE)
					assert_memory_equal(got, &disk[sectors[head] * BLK_SECTOR],
							    BLK_SECTOR);
				busy[sectors[head]] = false;
			}
		}
	}
}

/* The driver makes a request available twice: only the ring can be wrong. */
static void
twice(void **state)
{
	uint32_t head, len;
	uint16_t first;

	RTE_SET_USED(state);
	vblk_fault_hold(fault, true);
	first = fault_post(VIRTIO_BLK_T_IN, 0, NULL);
	fault_wait_held(1);
	loopback_blk_post(&blk, first);
	loopback_blk_wait(&blk, RTE_VDUSE_VQ_ERROR);
	vblk_fault_hold(fault, false);
	loopback_blk_reset(&blk);
	assert_true(driver_take(&blk.driver, &head, &len));
	assert_int_equal(head, first);
	assert_false(driver_take(&blk.driver, &head, &len));
	loopback_blk_up(&blk);
	fault_check_serves(1);
}

/* More than the ring has descriptors for: the rest waits, and nothing is overwritten. */
static void
overfull(void **state)
{
	struct virtio_blk_outhdr header = { .type = VIRTIO_BLK_T_IN };
	const struct blk_piece pieces[] = {
		{ .len = BLK_HDR },
		{ .len = BLK_SECTOR, .write = true, .shift = 1024 },
		{ .len = 1, .write = true, .shift = 2048 },
	};
	unsigned int i;

	RTE_SET_USED(state);
	vblk_fault_hold(fault, true);
	for (i = 0; i < RING; i++) {
		/* One descriptor each, so that neighbours share rooms, but no bytes of them. */
		blk.next_desc = (uint16_t)i;
		loopback_blk_post(&blk, loopback_blk_chain(&blk, pieces, RTE_DIM(pieces), &header));
	}
	fault_wait_held(RING);
	loopback_blk_post(&blk, 0);
	for (i = 0; i < 10; i++)
		loopback_blk_poll(&blk);
	assert_int_equal(blk.blk->queues[0].in_flight, RING);
	assert_int_equal(loopback_blk_state(&blk), RTE_VDUSE_VQ_RUNNING);
	vblk_fault_hold(fault, false);
	for (i = 0; i < RING + 1; i++)
		(void)loopback_blk_take(&blk);
}

/* A process that took over a ring with requests in flight cannot know them: it says so. */
static void
unknown_requests(void **state)
{
	RTE_SET_USED(state);
	loopback_blk_reset(&blk);
	assert_int_equal(loopback_blk_state(&blk), RTE_VDUSE_VQ_IDLE);
	unit_log_clear();
	loopback_blk_up_at(&blk, 3, 5);
	assert_int_equal(loopback_blk_state(&blk), RTE_VDUSE_VQ_ERROR);
	assert_int_equal(unit_log_count("nobody knows which"), 1);
	/* With nothing in flight there is nothing to know. */
	loopback_blk_up_at(&blk, 5, 5);
	assert_int_equal(loopback_blk_state(&blk), RTE_VDUSE_VQ_RUNNING);
	fault_check_serves(1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(errors, fault_setup, fault_teardown),
		cmocka_unit_test_setup_teardown(error_in_range, fault_setup, fault_teardown),
		cmocka_unit_test_setup_teardown(ranges_that_change, fault_setup, fault_teardown),
		cmocka_unit_test_setup_teardown(out_of_order, fault_setup, fault_teardown),
		cmocka_unit_test_setup_teardown(out_of_order, fault_setup_indirect, fault_teardown),
		cmocka_unit_test_setup_teardown(in_order, fault_setup_in_order, fault_teardown),
		cmocka_unit_test_setup_teardown(narrow, fault_setup, fault_teardown),
		cmocka_unit_test_setup_teardown(random_order, fault_setup, fault_teardown),
		cmocka_unit_test_setup_teardown(twice, fault_setup, fault_teardown),
		cmocka_unit_test_setup_teardown(overfull, fault_setup_indirect, fault_teardown),
		cmocka_unit_test_setup_teardown(unknown_requests, fault_setup, fault_teardown),
	};

	return fault_run(tests);
}
