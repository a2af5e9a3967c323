/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Limits of requests: lengths in the used ring, requests longer than announced, and the values in
 * the configuration space.
 */
#include <errno.h>
#include <string.h>

#include <virtio_blk/backend/fault.h>

#include "loopback_blk.h"

#define RING 64u
#define DATA (4u * BLK_SECTOR)

static struct loopback_blk blk;

static int
setup(void **state)
{
	RTE_SET_USED(state);
	loopback_blk_create(&blk, "fault", "under=ram,size=1M", RING, false);
	loopback_blk_up(&blk);
	return 0;
}

static int
teardown(void **state)
{
	RTE_SET_USED(state);
	loopback_blk_destroy(&blk);
	return 0;
}

/* Polls until a chain is used. Returns its length in the used ring. */
static uint32_t
take_len(uint16_t head)
{
	uint32_t used, len;
	unsigned int ms;

	for (ms = 0; ms < UNIT_PATIENCE_MS; ms++) {
		loopback_blk_poll(&blk);
		if (driver_take(&blk.driver, &used, &len)) {
			assert_int_equal(used, head);
			return len;
		}
		unit_sleep_ms(1);
	}
	fail_msg("the request is not finished");
	return 0;
}

/* A request with out bytes after its header and in bytes before its status. */
struct used_case {
	const char *name;
	uint32_t type;
	uint64_t sector;
	uint32_t out;
	uint32_t in;
	bool fails; /* in the backend */
	uint8_t status;
	uint32_t used;
};

#define OK    VIRTIO_BLK_S_OK
#define IOERR VIRTIO_BLK_S_IOERR

static const struct used_case used_cases[] = {
	{ "a read", VIRTIO_BLK_T_IN, 0, 0, DATA, false, OK, DATA + 1 },
	{ "a read of nothing", VIRTIO_BLK_T_IN, 0, 0, 0, false, OK, 1 },
	{ "a read that fails", VIRTIO_BLK_T_IN, 0, 0, DATA, true, IOERR, 0 },
	{ "a read beyond the end", VIRTIO_BLK_T_IN, 1 << 20, 0, DATA, false, IOERR, 0 },
	{ "a read of nothing beyond the end", VIRTIO_BLK_T_IN, 1 << 20, 0, 0, false, IOERR, 1 },
	{ "a read of no whole sectors", VIRTIO_BLK_T_IN, 0, 0, 511, false, IOERR, 0 },
	{ "a write", VIRTIO_BLK_T_OUT, 0, DATA, 0, false, OK, 1 },
	{ "a write that fails", VIRTIO_BLK_T_OUT, 0, DATA, 0, true, IOERR, 1 },
	{ "a write with room to write", VIRTIO_BLK_T_OUT, 0, DATA, 512, false, IOERR, 0 },
	{ "a flush", VIRTIO_BLK_T_FLUSH, 0, 0, 0, false, OK, 1 },
	{ "a flush with room to write", VIRTIO_BLK_T_FLUSH, 0, 0, 512, false, OK, 0 },
	{ "a flush that fails", VIRTIO_BLK_T_FLUSH, 0, 0, 0, true, IOERR, 1 },
	{ "a serial number", VIRTIO_BLK_T_GET_ID, 0, 0, 20, false, OK, 21 },
	{ "half a serial number", VIRTIO_BLK_T_GET_ID, 0, 0, 10, false, OK, 11 },
	{ "a serial number with room left", VIRTIO_BLK_T_GET_ID, 0, 0, 40, false, OK, 20 },
	{ "an unknown type", 12345, 0, 0, 0, false, VIRTIO_BLK_S_UNSUPP, 1 },
	{ "an unknown type with room to write", 12345, 0, 0, 64, false, VIRTIO_BLK_S_UNSUPP, 0 },
	{ "a discard with room to write", VIRTIO_BLK_T_DISCARD, 0, 16, 16, false, IOERR, 0 },
	{ "a discard of nothing", VIRTIO_BLK_T_DISCARD, 0, 0, 0, false, IOERR, 1 },
	{ "a discard that fails", VIRTIO_BLK_T_DISCARD, 0, 16, 0, true, IOERR, 1 },
	{ "a discard", VIRTIO_BLK_T_DISCARD, 0, 16, 0, false, OK, 1 },
};

static void
used_case(const struct used_case *one)
{
	static uint8_t bytes[BLK_HDR + DATA];
	struct virtio_blk_outhdr header = { .type = one->type, .sector = one->sector };
	struct virtio_blk_discard_write_zeroes range = { .num_sectors = 8 };
	const struct blk_piece pieces[] = {
		{ .len = BLK_HDR },
		{ .len = one->out },
		{ .len = one->in, .write = true },
		{ .len = 1, .write = true },
	};
	uint32_t used;
	uint16_t head;

	memcpy(bytes, &header, sizeof(header));
	if (one->type == VIRTIO_BLK_T_DISCARD)
		memcpy(bytes + BLK_HDR, &range, sizeof(range));
	vblk_fault_fail(blk.blk->backend, RTE_VDUSE_BLK_OPS, -EIO, one->fails ? 1 : 0);
	head = loopback_blk_chain(&blk, pieces, RTE_DIM(pieces), bytes);
	loopback_blk_post(&blk, head);
	used = take_len(head);
	assert_int_equal(loopback_blk_status(&blk, head), one->status);
	if (used != one->used)
		fail_msg("%s: %u bytes used, not %u", one->name, used, one->used);
}

/*
 * Section 2.7.8.2: the length is how many bytes were written from the beginning of the buffers; the
 * status, which is the last of them, counts if all before it were.
 */
static void
used_lengths(void **state)
{
	unsigned int i;

	RTE_SET_USED(state);
	for (i = 0; i < RTE_DIM(used_cases); i++)
		used_case(&used_cases[i]);
}

/* What a driver reads of a device with that queue-size. */
static struct virtio_blk_config
announced(uint32_t queue_size)
{
	struct virtio_blk_config config;

	loopback_blk_create(&blk, "null", "size=1G", queue_size, false);
	vduse_loopback_config(blk.loop, 0, &config, sizeof(config));
	loopback_blk_destroy(&blk);
	return config;
}

/*
 * A driver without indirect descriptors puts a whole request into its ring, which may be smaller
 * than queue-size: 128 descriptors are usual. One of them is the header and one the status.
 */
static void
seg_max_fits_rings(void **state)
{
	uint32_t size;

	RTE_SET_USED(state);
	for (size = 4; size <= VRING_SIZE_MAX; size *= 2)
		assert_int_equal(announced(size).seg_max, RTE_MIN(size, 128u) - 2);
}

/* FreeBSD attaches only if size_max is at least its maxphys, by default 1 MiB. */
static void
size_max_above_maxphys(void **state)
{
	RTE_SET_USED(state);
	assert_in_range(announced(128).size_max, 2 << 20, UINT32_MAX);
}

/* One range: there are drivers with room for less than a device may announce. */
static void
one_range_announced(void **state)
{
	struct virtio_blk_config config = announced(128);

	RTE_SET_USED(state);
	assert_int_equal(config.max_discard_seg, 1);
	assert_int_equal(config.max_write_zeroes_seg, 1);
	assert_int_equal(config.max_secure_erase_seg, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(used_lengths, setup, teardown),
		cmocka_unit_test(seg_max_fits_rings),
		cmocka_unit_test(size_max_above_maxphys),
		cmocka_unit_test(one_range_announced),
	};

	if (unit_init() < 0)
		return 1;
	return unit_done(cmocka_run_group_tests(tests, NULL, NULL));
}
