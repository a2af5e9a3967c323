/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * A kernel that always refuses operations on a file, and one that fails a flush once: the answers
 * to the driver and the log lines. A replacement of liburing's function that collects completions
 * provides the results.
 */
#include "loopback_file.h"

#include <errno.h>

#include <rte_cycles.h>
#include <rte_memory.h>

#include <liburing.h>

static uint8_t bytes[BLK_BYTES];

/* What the kernel says of each operation; 0: what is true. */
static int forced;
static unsigned int nb_forced;
static unsigned int nb_completions;

unsigned int
__real_io_uring_peek_batch_cqe(struct io_uring *ring, struct io_uring_cqe **cqes,
			       unsigned int count);
unsigned int
__wrap_io_uring_peek_batch_cqe(struct io_uring *ring, struct io_uring_cqe **cqes,
			       unsigned int count);

unsigned int
__wrap_io_uring_peek_batch_cqe(struct io_uring *ring, struct io_uring_cqe **cqes,
			       unsigned int count)
{
	unsigned int n = __real_io_uring_peek_batch_cqe(ring, cqes, count), i;

	nb_completions += n;
	for (i = 0; i < n && forced != 0; i++) {
		cqes[i]->res = forced;
		nb_forced++;
	}
	return n;
}

static int
setup_with(const char *more, uint64_t without)
{
	disk_setup_with(more, without, false);
	assert_true(disk_fd >= 0);
	forced = 0;
	nb_forced = 0;
	unit_log_clear();
	return 0;
}

static int
setup(void **state)
{
	RTE_SET_USED(state);
	return setup_with("", 0);
}

static int
setup_direct(void **state)
{
	RTE_SET_USED(state);
	return setup_with(",direct=1", 0);
}

/* Every write has to be on stable storage when it is done. */
static int
setup_no_flush(void **state)
{
	RTE_SET_USED(state);
	return setup_with("", FEATURE(VIRTIO_BLK_F_FLUSH));
}

static int
teardown(void **state)
{
	forced = 0;
	return disk_teardown(state);
}

static uint16_t
post(uint32_t type, uint64_t sector)
{
	const struct virtio_blk_outhdr header = { .type = type, .sector = sector };
	const struct blk_piece pieces[] = {
		{ .len = BLK_HDR },
		{ .len = BLK_SECTOR, .write = true },
		{ .len = 1, .write = true },
	};
	uint16_t head = loopback_blk_chain(&blk, pieces, RTE_DIM(pieces), &header);

	loopback_blk_post(&blk, head);
	return head;
}

/* Polls until a request is answered, for ten seconds at most. Returns whether it was. */
static bool
answered(uint32_t *head)
{
	uint64_t end = rte_get_timer_cycles() + 10 * rte_get_timer_hz();
	uint32_t len;

	while (!driver_take(&blk.driver, head, &len)) {
		if (rte_get_timer_cycles() > end)
			return false;
		loopback_blk_poll(&blk);
	}
	return true;
}

/* Always refused: retried for some seconds, then an error, with one log line for all. */
static void
refused_for_ever(void **state)
{
	uint32_t head;
	unsigned int i;

	RTE_SET_USED(state);
	forced = -EAGAIN;
	for (i = 0; i < 8; i++)
		(void)post(VIRTIO_BLK_T_IN, i);
	for (i = 0; i < 8; i++) {
		if (!answered(&head))
			fail_msg("no answer in 10 s, tried %u times", nb_forced);
		assert_int_equal(loopback_blk_status(&blk, (uint16_t)head), VIRTIO_BLK_S_IOERR);
	}
	assert_true(nb_forced > 16);
	assert_int_equal(unit_log_count("refused requests for"), 1);
	assert_int_equal(loopback_blk_stats(&blk).io_errors, 8);
	/* And what is refused for a moment only is done. */
	(void)post(VIRTIO_BLK_T_IN, 0);
	nb_forced = 0;
	while (nb_forced < 3)
		loopback_blk_poll(&blk);
	forced = 0;
	assert_true(answered(&head));
	assert_int_equal(loopback_blk_status(&blk, (uint16_t)head), VIRTIO_BLK_S_OK);
	assert_int_equal(loopback_blk_do(&blk, VIRTIO_BLK_T_FLUSH, 0, NULL, 0), 0);
}

/* A reset in that state, as on SIGTERM, is answered when the requests have failed. */
static void
refused_and_stopped(void **state)
{
	RTE_SET_USED(state);
	forced = -EAGAIN;
	(void)post(VIRTIO_BLK_T_IN, 0);
	loopback_blk_poll(&blk);
	loopback_blk_reset_send(&blk);
	assert_true(loopback_blk_answered(&blk, 10000));
	assert_int_equal(unit_log_count("refused requests for"), 1);
}

static void
check_flushes_fail(void)
{
	assert_int_equal(unit_log_count("all later flushes fail"), 1);
	assert_int_equal(loopback_blk_do(&blk, VIRTIO_BLK_T_FLUSH, 0, NULL, 0), VIRTIO_BLK_S_IOERR);
	assert_int_equal(loopback_blk_do(&blk, VIRTIO_BLK_T_FLUSH, 0, NULL, 0), VIRTIO_BLK_S_IOERR);
	assert_int_equal(unit_log_count("all later flushes fail"), 1);
	/* Reads and writes go on. */
	assert_int_equal(loopback_blk_do(&blk, VIRTIO_BLK_T_OUT, 0, bytes, BLK_PIECE), 0);
	assert_int_equal(loopback_blk_do(&blk, VIRTIO_BLK_T_IN, 0, bytes, BLK_PIECE), 0);
	/* The next one that opens the file is not concerned. */
	loopback_blk_destroy(&blk);
	loopback_blk_create(&blk, "file", disk_args, RING, false);
	loopback_blk_up(&blk);
	assert_int_equal(loopback_blk_do(&blk, VIRTIO_BLK_T_FLUSH, 0, NULL, 0), 0);
}

static void
flush_failed(void **state)
{
	RTE_SET_USED(state);
	assert_int_equal(loopback_blk_do(&blk, VIRTIO_BLK_T_FLUSH, 0, NULL, 0), 0);
	forced = -EIO;
	assert_int_equal(loopback_blk_do(&blk, VIRTIO_BLK_T_FLUSH, 0, NULL, 0), VIRTIO_BLK_S_IOERR);
	forced = 0;
	check_flushes_fail();
}

/* A read or a write without a flush that fails says nothing about what was written before. */
static void
other_failed(void **state)
{
	RTE_SET_USED(state);
	forced = -EIO;
	assert_int_equal(loopback_blk_do(&blk, VIRTIO_BLK_T_IN, 0, bytes, BLK_PIECE),
			 VIRTIO_BLK_S_IOERR);
	assert_int_equal(loopback_blk_do(&blk, VIRTIO_BLK_T_OUT, 0, bytes, BLK_PIECE),
			 VIRTIO_BLK_S_IOERR);
	forced = 0;
	assert_int_equal(loopback_blk_do(&blk, VIRTIO_BLK_T_FLUSH, 0, NULL, 0), 0);
	assert_int_equal(unit_log_count("flush"), 0);
}

/* With the page cache a write that is flushed reports, and uses up, what failed before it. */
static void
through_failed(void **state)
{
	RTE_SET_USED(state);
	forced = -EIO;
	assert_int_equal(loopback_blk_do(&blk, VIRTIO_BLK_T_OUT, 0, bytes, BLK_PIECE),
			 VIRTIO_BLK_S_IOERR);
	forced = 0;
	check_flushes_fail();
}

/* Takes nb answers, whose status is the same. */
static void
check_answers(unsigned int nb, uint8_t status)
{
	unsigned int i;
	uint32_t head;

	for (i = 0; i < nb; i++) {
		assert_true(answered(&head));
		assert_int_equal(loopback_blk_status(&blk, (uint16_t)head), status);
	}
}

/* Flushes that arrive while one is in flight wait for one more, which is for all of them. */
static void
flushes_share_a_sync(void **state)
{
	unsigned int i;

	RTE_SET_USED(state);
	nb_completions = 0;
	for (i = 0; i < 8; i++)
		(void)post(VIRTIO_BLK_T_FLUSH, 0);
	check_answers(8, VIRTIO_BLK_S_OK);
	assert_int_equal(nb_completions, 2);
}

static void
shared_sync_failed(void **state)
{
	unsigned int i;

	RTE_SET_USED(state);
	nb_completions = 0;
	forced = -EIO;
	for (i = 0; i < 8; i++)
		(void)post(VIRTIO_BLK_T_FLUSH, 0);
	check_answers(8, VIRTIO_BLK_S_IOERR);
	assert_int_equal(nb_completions, 2);
	forced = 0;
	check_flushes_fail();
}

/* Without flushes each of these has to be on stable storage: zeroes, then a sync. */
static void
zeroes_share_a_sync(void **state)
{
	struct {
		struct virtio_blk_outhdr header;
		struct virtio_blk_discard_write_zeroes range;
	} request = { .header.type = VIRTIO_BLK_T_WRITE_ZEROES,
		      .range.num_sectors = 1,
		      .range.flags = VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP };
	const struct blk_piece pieces[] = {
		{ .len = sizeof(request) },
		{ .len = 1, .write = true },
	};
	unsigned int i;

	RTE_SET_USED(state);
	nb_completions = 0;
	for (i = 0; i < 8; i++) {
		request.range.sector = i;
		loopback_blk_post(&blk,
				  loopback_blk_chain(&blk, pieces, RTE_DIM(pieces), &request));
	}
	check_answers(8, VIRTIO_BLK_S_OK);
	assert_in_range(nb_completions, 8 + 1, 8 + 8);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(refused_for_ever, setup, teardown),
		cmocka_unit_test_setup_teardown(refused_and_stopped, setup_direct, teardown),
		cmocka_unit_test_setup_teardown(flush_failed, setup, teardown),
		cmocka_unit_test_setup_teardown(flush_failed, setup_direct, teardown),
		cmocka_unit_test_setup_teardown(flushes_share_a_sync, setup, teardown),
		cmocka_unit_test_setup_teardown(flushes_share_a_sync, setup_direct, teardown),
		cmocka_unit_test_setup_teardown(shared_sync_failed, setup, teardown),
		cmocka_unit_test_setup_teardown(zeroes_share_a_sync, setup_no_flush, teardown),
		cmocka_unit_test_setup_teardown(other_failed, setup, teardown),
		cmocka_unit_test_setup_teardown(through_failed, setup_no_flush, teardown),
	};

	if (unit_init() < 0)
		return 1;
	return unit_done(cmocka_run_group_tests(tests, NULL, NULL));
}
