/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A backend that fails, is slow, or finishes in another order; and a driver that resets, moves
 * or loses its memory meanwhile. Each request is answered once, with the right status, and
 * nothing of the driver's is touched once it has its answer.
 */
#include "loopback_blk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <backend_fault.h>
#include <iotlb.h>

#define RING 64u

static struct loopback_blk blk;
static struct vblk_backend *fault;
static uint8_t sent[BLK_BYTES], got[BLK_BYTES];

static int
setup_with(uint64_t without, bool indirect)
{
	loopback_blk_create(&blk, "fault", "under=ram,size=1M", RING, false);
	fault = blk.blk->backend;
	blk.features &= ~without;
	blk.indirect = indirect;
	loopback_blk_up(&blk);
	return 0;
}

static int
setup(void **state)
{
	RTE_SET_USED(state);
	return setup_with(0, false);
}

static int
setup_indirect(void **state)
{
	RTE_SET_USED(state);
	return setup_with(0, true);
}

static int
setup_in_order(void **state)
{
	RTE_SET_USED(state);
	loopback_blk_create(&blk, "fault", "under=ram,size=1M", RING, false);
	fault = blk.blk->backend;
	blk.features |= FEATURE(VIRTIO_F_IN_ORDER);
	loopback_blk_up(&blk);
	return 0;
}

static int
setup_no_flush(void **state)
{
	RTE_SET_USED(state);
	return setup_with(FEATURE(VIRTIO_BLK_F_FLUSH), false);
}

static int
setup_logged(void **state)
{
	RTE_SET_USED(state);
	loopback_blk_create_logged(&blk, "fault", "under=ram,size=1M", RING);
	fault = blk.blk->backend;
	blk.features |= FEATURE(VIRTIO_BLK_F_CONFIG_WCE);
	loopback_blk_up(&blk);
	return 0;
}

static int
teardown(void **state)
{
	RTE_SET_USED(state);
	vblk_fault_hold(fault, false);
	loopback_blk_destroy(&blk);
	return 0;
}

/* Posts a request of one sector; it is not waited for. */
static uint16_t
post(uint32_t type, uint64_t sector, const void *data)
{
	struct virtio_blk_outhdr header = { .type = type, .sector = sector };
	const struct blk_piece pieces[] = {
		{ .len = BLK_HDR },
		{ .len = BLK_SECTOR, .write = type == VIRTIO_BLK_T_IN },
		{ .len = 1, .write = true },
	};
	uint8_t bytes[BLK_HDR + BLK_SECTOR] = { 0 };
	uint16_t head;

	memcpy(bytes, &header, sizeof(header));
	if (data != NULL)
		memcpy(bytes + BLK_HDR, data, BLK_SECTOR);
	head = loopback_blk_chain(&blk, pieces, RTE_DIM(pieces), bytes);
	loopback_blk_post(&blk, head);
	return head;
}

static void
check_serves(uint32_t seed)
{
	blk_pattern(sent, 4 * BLK_SECTOR, seed);
	assert_int_equal(loopback_blk_do(&blk, VIRTIO_BLK_T_OUT, 8, sent, 4 * BLK_SECTOR), 0);
	assert_int_equal(loopback_blk_do(&blk, VIRTIO_BLK_T_IN, 8, got, 4 * BLK_SECTOR), 0);
	assert_memory_equal(got, sent, 4 * BLK_SECTOR);
	assert_int_equal(loopback_blk_stats(&blk).in_flight, 0);
}

static bool
all_held(void *arg)
{
	loopback_blk_poll(&blk);
	return vblk_fault_held(fault) == *(unsigned int *)arg;
}

/* Polls until so many operations are with the backend. */
static void
wait_held(unsigned int nb)
{
	assert_true(unit_wait(all_held, &nb));
}

/* Posts a row of reads, of one sector each, that the backend does not finish. */
static void
hold_reads(uint16_t *heads, unsigned int nb)
{
	unsigned int i;

	vblk_fault_hold(fault, true);
	for (i = 0; i < nb; i++)
		heads[i] = post(VIRTIO_BLK_T_IN, i, NULL);
	wait_held(nb);
}

static uint8_t
do_op(enum vblk_op op)
{
	static const uint32_t types[VBLK_OPS] = {
		[VBLK_READ] = VIRTIO_BLK_T_IN,
		[VBLK_WRITE] = VIRTIO_BLK_T_OUT,
		[VBLK_FLUSH] = VIRTIO_BLK_T_FLUSH,
		[VBLK_DISCARD] = VIRTIO_BLK_T_DISCARD,
		[VBLK_ZERO] = VIRTIO_BLK_T_WRITE_ZEROES,
		[VBLK_ERASE] = VIRTIO_BLK_T_SECURE_ERASE,
	};
	struct virtio_blk_discard_write_zeroes range = { .sector = 64, .num_sectors = 8 };

	if (op == VBLK_FLUSH)
		return loopback_blk_do(&blk, types[op], 0, NULL, 0);
	if (op >= VBLK_DISCARD)
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
	for (op = VBLK_READ; op < VBLK_OPS; op++) {
		for (i = 0; i < RTE_DIM(results); i++) {
			bool known = results[i] != -ENOTSUP;

			vblk_fault_fail(fault, op, results[i], 1);
			assert_int_equal(do_op(op),
					 known ? VIRTIO_BLK_S_IOERR : VIRTIO_BLK_S_UNSUPP);
			failed += known;
			assert_int_equal(do_op(op), VIRTIO_BLK_S_OK);
			check_serves(i);
		}
	}
	assert_int_equal(loopback_blk_stats(&blk).io_errors, failed);
	assert_int_equal(loopback_blk_stats(&blk).bad_requests, 0);
}

/* One range of several fails: the request fails, once, and the ranges behind it stay. */
static void
error_in_range(void **state)
{
	struct virtio_blk_discard_write_zeroes ranges[3] = {
		{ .sector = 8, .num_sectors = 1 },
		{ .sector = 9, .num_sectors = 1 },
		{ .sector = 10, .num_sectors = 1 },
	};

	RTE_SET_USED(state);
	check_serves(1);
	vblk_fault_fail(fault, VBLK_ZERO, -EIO, 1);
	assert_int_equal(loopback_blk_do(&blk, VIRTIO_BLK_T_WRITE_ZEROES, 0, ranges,
					 sizeof(ranges)), VIRTIO_BLK_S_IOERR);
	assert_int_equal(loopback_blk_stats(&blk).write_zeroes, 1);
	assert_int_equal(loopback_blk_do(&blk, VIRTIO_BLK_T_IN, 8, got, 4 * BLK_SECTOR), 0);
	assert_memory_equal(got, sent, 4 * BLK_SECTOR);
	assert_int_equal(loopback_blk_do(&blk, VIRTIO_BLK_T_WRITE_ZEROES, 0, ranges,
					 sizeof(ranges)), VIRTIO_BLK_S_OK);
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
	check_serves(1);
	vblk_fault_hold(fault, true);
	head = loopback_blk_chain(&blk, pieces, RTE_DIM(pieces), &bytes);
	loopback_blk_post(&blk, head);
	wait_held(1);
	memset(driver_va(&blk.driver, blk.driver.desc[head].addr), 0xff, sizeof(bytes));
	vblk_fault_release(fault, 1, false);
	wait_held(1);
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
	hold_reads(heads, RTE_DIM(heads));
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
	hold_reads(heads, RTE_DIM(heads));
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
		heads[i] = post(VIRTIO_BLK_T_OUT, i, sent);
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
			head = post((x >> 30) & 1 ? VIRTIO_BLK_T_OUT : VIRTIO_BLK_T_IN, sector, sent);
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
			wait_held(nb);
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
	first = post(VIRTIO_BLK_T_IN, 0, NULL);
	wait_held(1);
	loopback_blk_post(&blk, first);
	loopback_blk_wait(&blk, RTE_VDUSE_VQ_ERROR);
	vblk_fault_hold(fault, false);
	loopback_blk_reset(&blk);
	assert_true(driver_take(&blk.driver, &head, &len));
	assert_int_equal(head, first);
	assert_false(driver_take(&blk.driver, &head, &len));
	loopback_blk_up(&blk);
	check_serves(1);
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
	wait_held(RING);
	loopback_blk_post(&blk, 0);
	for (i = 0; i < 10; i++)
		loopback_blk_poll(&blk);
	assert_int_equal(blk.blk->queues[0].in_flight, RING);
	assert_int_equal(loopback_blk_state(&blk), RTE_VDUSE_VQ_RUNNING);
	vblk_fault_hold(fault, false);
	for (i = 0; i < RING + 1; i++)
		(void)loopback_blk_take(&blk);
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
		post(VIRTIO_BLK_T_IN, i, NULL);
	wait_held(8);
	vblk_fault_narrow(fault, 0);
	for (i = 8; i < 12; i++)
		post(VIRTIO_BLK_T_IN, i, NULL);
	/* Four are taken off the ring, and wait here. */
	for (i = 0; i < 10; i++)
		loopback_blk_poll(&blk);
	assert_int_equal(blk.blk->queues[0].in_flight, 12);
	loopback_blk_reset_send(&blk);
	assert_false(loopback_blk_answered(&blk, UNIT_WHILE_MS));
	vblk_fault_narrow(fault, 1);
	vblk_fault_release(fault, 11, true);
	assert_false(loopback_blk_answered(&blk, UNIT_WHILE_MS));
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
	check_serves(1);
}

/* Memory moves only when no request holds an address of it. */
static void
update_drains(void **state)
{
	uint16_t heads[4];
	unsigned int i;

	RTE_SET_USED(state);
	hold_reads(heads, RTE_DIM(heads));
	loopback_blk_update_send(&blk);
	assert_false(loopback_blk_answered(&blk, UNIT_WHILE_MS));
	vblk_fault_hold(fault, false);
	assert_true(loopback_blk_answered(&blk, UNIT_PATIENCE_MS));
	for (i = 0; i < RTE_DIM(heads); i++)
		assert_int_equal(loopback_blk_take(&blk), heads[i]);
	check_serves(1);
}

/* All regions vanish under requests in flight, and come back. */
static void
regions_vanish(void **state)
{
	const struct driver_region *region = &blk.driver.regions[0];

	RTE_SET_USED(state);
	vblk_fault_hold(fault, true);
	post(VIRTIO_BLK_T_IN, 0, NULL);
	wait_held(1);
	vblk_fault_release(fault, 1, false);
	vduse_loopback_regions_clear(blk.loop);
	loopback_blk_update(&blk);
	assert_int_equal(loopback_blk_state(&blk), RTE_VDUSE_VQ_SUSPENDED);
	vblk_fault_hold(fault, false);
	assert_int_equal(vduse_loopback_region_add(blk.loop, region->first,
						   region->first + region->size - 1, 0,
						   VDUSE_ACCESS_RW, blk.fd), 0);
	loopback_blk_update(&blk);
	assert_int_equal(loopback_blk_state(&blk), RTE_VDUSE_VQ_RUNNING);
	(void)loopback_blk_take(&blk);
	check_serves(1);
}

/* The pages themselves are taken away: the status cannot be written, the process lives. */
static void
pages_vanish(void **state)
{
	uint64_t size = blk.driver.regions[0].size;

	RTE_SET_USED(state);
	unit_sigbus_restore();
	vblk_fault_hold(fault, true);
	post(VIRTIO_BLK_T_OUT, 0, sent);
	wait_held(1);
	assert_int_equal(ftruncate(blk.fd, 0), 0);
	vblk_fault_hold(fault, false);
	loopback_blk_update(&blk);
	assert_int_equal(ftruncate(blk.fd, (off_t)size), 0);
	loopback_blk_up(&blk);
	check_serves(1);
}

/* A buffer in no region stops the queue; what was asked for before it is done. */
static void
no_region(void **state)
{
	struct virtio_blk_outhdr header = { .type = VIRTIO_BLK_T_IN };
	const struct blk_piece pieces[] = {
		{ .len = BLK_HDR }, { .len = BLK_SECTOR, .write = true }, { .len = 1, .write = true }
	};
	uint32_t head, len;
	uint16_t good, bad;

	RTE_SET_USED(state);
	good = post(VIRTIO_BLK_T_IN, 0, NULL);
	bad = loopback_blk_chain(&blk, pieces, RTE_DIM(pieces), &header);
	blk.driver.desc[bad + 1].addr = UINT64_C(0x7000000000);
	loopback_blk_post(&blk, bad);
	loopback_blk_wait(&blk, RTE_VDUSE_VQ_ERROR);
	assert_true(driver_take(&blk.driver, &head, &len));
	assert_int_equal(head, good);
	assert_false(driver_take(&blk.driver, &head, &len));
	loopback_blk_up(&blk);
	check_serves(1);
}

/* A driver that does not flush gets writes that last. */
static void
write_through(void **state)
{
	uint16_t head;

	RTE_SET_USED(state);
	vblk_fault_hold(fault, true);
	head = post(VIRTIO_BLK_T_OUT, 0, sent);
	wait_held(1);
	assert_true(blk.blk->queues[0].requests[head].io.fua);
	head = post(VIRTIO_BLK_T_IN, 0, NULL);
	wait_held(2);
	assert_false(blk.blk->queues[0].requests[head].io.fua);
	/* A driver that does flush need not wait for that. */
	vblk_fault_hold(fault, false);
	blk.features |= FEATURE(VIRTIO_BLK_F_FLUSH);
	loopback_blk_up(&blk);
	vblk_fault_hold(fault, true);
	head = post(VIRTIO_BLK_T_OUT, 0, sent);
	wait_held(1);
	assert_false(blk.blk->queues[0].requests[head].io.fua);
}

static uint8_t
cache(void)
{
	uint8_t wce;

	vduse_loopback_config(blk.loop, offsetof(struct virtio_blk_config, wce), &wce, 1);
	return wce;
}

/* Whether a request is told to last when it is done. */
static bool
is_through(uint32_t type)
{
	uint16_t head = post(type, 0, sent);
	bool fua;

	vblk_fault_hold(fault, true);
	wait_held(1);
	fua = blk.blk->queues[0].requests[head].io.fua;
	vblk_fault_hold(fault, false);
	assert_int_equal(loopback_blk_take(&blk), head);
	return fua;
}

/* The driver switches the write cache off and on, and nothing else. */
static void
write_cache(void **state)
{
	const uint32_t wce = offsetof(struct virtio_blk_config, wce);

	RTE_SET_USED(state);
	assert_true(blk.blk->features & FEATURE(VIRTIO_BLK_F_CONFIG_WCE));
	assert_int_equal(cache(), 1);
	assert_false(is_through(VIRTIO_BLK_T_OUT));
	assert_true(loopback_blk_config_write(&blk, wce, 0));
	assert_int_equal(cache(), 0);
	assert_true(is_through(VIRTIO_BLK_T_OUT));
	assert_false(is_through(VIRTIO_BLK_T_IN));
	assert_false(loopback_blk_config_write(&blk, wce, 2));
	assert_false(loopback_blk_config_write(&blk, 0, 0xff));
	assert_false(loopback_blk_config_write(&blk, sizeof(struct virtio_blk_config), 0));
	assert_false(loopback_blk_config_write(&blk, UINT32_MAX, 0));
	assert_int_equal(cache(), 0);
	/* It stays off for the next driver, if that one knows. */
	loopback_blk_up(&blk);
	assert_true(is_through(VIRTIO_BLK_T_OUT));
	blk.features &= ~FEATURE(VIRTIO_BLK_F_CONFIG_WCE);
	loopback_blk_up(&blk);
	assert_false(is_through(VIRTIO_BLK_T_OUT));
	assert_true(loopback_blk_config_write(&blk, wce, 1));
	blk.features |= FEATURE(VIRTIO_BLK_F_CONFIG_WCE);
	loopback_blk_up(&blk);
	assert_int_equal(cache(), 1);
	assert_false(is_through(VIRTIO_BLK_T_OUT));
}

/* Without a log nobody would remember for a driver that reconnects. */
static void
no_write_cache(void **state)
{
	RTE_SET_USED(state);
	assert_false(blk.blk->features & FEATURE(VIRTIO_BLK_F_CONFIG_WCE));
	assert_false(loopback_blk_config_write(&blk, offsetof(struct virtio_blk_config, wce), 0));
	assert_false(is_through(VIRTIO_BLK_T_OUT));
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
	check_serves(1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(errors, setup, teardown),
		cmocka_unit_test_setup_teardown(error_in_range, setup, teardown),
		cmocka_unit_test_setup_teardown(ranges_that_change, setup, teardown),
		cmocka_unit_test_setup_teardown(out_of_order, setup, teardown),
		cmocka_unit_test_setup_teardown(out_of_order, setup_indirect, teardown),
		cmocka_unit_test_setup_teardown(in_order, setup_in_order, teardown),
		cmocka_unit_test_setup_teardown(narrow, setup, teardown),
		cmocka_unit_test_setup_teardown(random_order, setup, teardown),
		cmocka_unit_test_setup_teardown(twice, setup, teardown),
		cmocka_unit_test_setup_teardown(overfull, setup_indirect, teardown),
		cmocka_unit_test_setup_teardown(reset_drains, setup, teardown),
		cmocka_unit_test_setup_teardown(update_drains, setup, teardown),
		cmocka_unit_test_setup_teardown(regions_vanish, setup, teardown),
		cmocka_unit_test_setup_teardown(pages_vanish, setup, teardown),
		cmocka_unit_test_setup_teardown(no_region, setup, teardown),
		cmocka_unit_test_setup_teardown(write_through, setup_no_flush, teardown),
		cmocka_unit_test_setup_teardown(write_cache, setup_logged, teardown),
		cmocka_unit_test_setup_teardown(no_write_cache, setup, teardown),
		cmocka_unit_test_setup_teardown(unknown_requests, setup, teardown),
	};
	char run_dir[] = "/tmp/vduse-unit-XXXXXX";
	int failed;

	if (unit_init() < 0 || vduse_guard_install() < 0 || mkdtemp(run_dir) == NULL)
		return 1;
	setenv("DPDK_VDUSE_RUN_DIR", run_dir, 1);
	unit_sigbus_keep();
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	(void)rmdir(run_dir);
	return unit_done(failed);
}
