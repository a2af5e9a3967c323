/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Requests of every layout, valid and invalid: each is answered as the specification says, or stops
 * the queue if no answer is possible. After each one the device still works.
 */
#include "loopback_blk.h"

#include <string.h>

#define RING     64u
#define CAPACITY 2048u /* sectors */
#define DATA     (4u * BLK_SECTOR)

static struct loopback_blk blk;
static uint8_t sent[BLK_BYTES], got[BLK_BYTES];

static int
setup_with(const char *args, bool read_only, uint64_t without, bool indirect)
{
	loopback_blk_create(&blk, "ram", args, RING, read_only);
	blk.features &= ~without;
	blk.indirect = indirect;
	loopback_blk_up(&blk);
	return 0;
}

static int
setup(void **state)
{
	RTE_SET_USED(state);
	return setup_with("size=1M", false, 0, false);
}

static int
setup_indirect(void **state)
{
	RTE_SET_USED(state);
	return setup_with("size=1M", false, 0, true);
}

static int
setup_read_only(void **state)
{
	RTE_SET_USED(state);
	return setup_with("size=1M", true, 0, false);
}

/* A driver of the first days: it neither flushes nor discards. */
static int
setup_plain(void **state)
{
	RTE_SET_USED(state);
	return setup_with("size=1M", false,
			  FEATURE(VIRTIO_BLK_F_FLUSH) | FEATURE(VIRTIO_BLK_F_DISCARD) |
				  FEATURE(VIRTIO_BLK_F_WRITE_ZEROES) |
				  FEATURE(VIRTIO_BLK_F_SECURE_ERASE),
			  false);
}

/* A disk on which the limits of a range are what refuses it, not the end. */
static int
setup_large(void **state)
{
	RTE_SET_USED(state);
	loopback_blk_create(&blk, "null", "size=16T", RING, false);
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

/* The device serves: what is written is read back. */
static void
check_serves(uint32_t seed)
{
	blk_pattern(sent, DATA, seed);
	assert_int_equal(loopback_blk_do(&blk, VIRTIO_BLK_T_OUT, 8, sent, DATA), 0);
	assert_int_equal(loopback_blk_do(&blk, VIRTIO_BLK_T_IN, 8, got, DATA), 0);
	assert_memory_equal(got, sent, DATA);
}

/* Cuts len bytes into up to nb pieces, each of one length. */
static unsigned int
cut(struct blk_piece *pieces, uint32_t len, uint32_t each, bool write)
{
	unsigned int nb = 0;

	for (; len > 0; len -= pieces[nb++].len)
		pieces[nb] = (struct blk_piece){ .len = RTE_MIN(len, each), .write = write };
	return nb;
}

static void
one_layout(uint32_t out_each, uint32_t in_each, uint64_t sector)
{
	static uint8_t bytes[BLK_HDR + DATA];
	struct virtio_blk_outhdr header = { .type = VIRTIO_BLK_T_OUT, .sector = sector };
	struct blk_piece pieces[RING];
	unsigned int nb;
	uint16_t head;

	/* Written with the header and the data cut anywhere. */
	blk_pattern(sent, DATA, (uint32_t)sector + out_each);
	memcpy(bytes, &header, BLK_HDR);
	memcpy(bytes + BLK_HDR, sent, DATA);
	nb = cut(pieces, BLK_HDR + DATA, out_each, false);
	nb += cut(&pieces[nb], 1, 1, true);
	head = loopback_blk_chain(&blk, pieces, nb, bytes);
	loopback_blk_post(&blk, head);
	assert_int_equal(loopback_blk_take(&blk), head);
	assert_int_equal(loopback_blk_status(&blk, head), VIRTIO_BLK_S_OK);
	/* Read back with the data and the status cut anywhere. */
	header.type = VIRTIO_BLK_T_IN;
	nb = cut(pieces, BLK_HDR, RTE_MIN(out_each, BLK_HDR), false);
	nb += cut(&pieces[nb], DATA + 1, in_each, true);
	head = loopback_blk_chain(&blk, pieces, nb, &header);
	loopback_blk_post(&blk, head);
	assert_int_equal(loopback_blk_take(&blk), head);
	loopback_blk_written(&blk, head, got);
	assert_int_equal(got[DATA], VIRTIO_BLK_S_OK);
	assert_memory_equal(got, sent, DATA);
}

static void
layouts(void **state)
{
	static const uint32_t lens[] = { 41, 64, 100, 511, 512, 513, 528, 1000, 2048, 2049, 4096 };
	unsigned int i, j;

	RTE_SET_USED(state);
	for (i = 0; i < RTE_DIM(lens); i++)
		for (j = 0; j < RTE_DIM(lens); j++)
			one_layout(lens[i], lens[j], (i * 11 + j) % (CAPACITY - 4));
}

/* The header cut at every byte, into two and into sixteen. */
static void
split_header(void **state)
{
	struct virtio_blk_outhdr header = { .type = VIRTIO_BLK_T_IN, .sector = 8 };
	struct blk_piece pieces[RING] = { 0 };
	unsigned int nb;
	uint32_t at;
	uint16_t head;

	RTE_SET_USED(state);
	check_serves(1);
	for (at = 1; at <= BLK_HDR; at++) {
		nb = 0;
		if (at < BLK_HDR) {
			pieces[nb++] = (struct blk_piece){ .len = at };
			pieces[nb++] = (struct blk_piece){ .len = BLK_HDR - at };
		} else {
			nb = cut(pieces, BLK_HDR, 1, false);
		}
		pieces[nb++] = (struct blk_piece){ .len = DATA, .write = true };
		pieces[nb++] = (struct blk_piece){ .len = 1, .write = true };
		head = loopback_blk_chain(&blk, pieces, nb, &header);
		loopback_blk_post(&blk, head);
		assert_int_equal(loopback_blk_take(&blk), head);
		loopback_blk_written(&blk, head, got);
		assert_int_equal(got[DATA], VIRTIO_BLK_S_OK);
		assert_memory_equal(got, sent, DATA);
	}
}

/* What is wrong with a request. */
struct bad_request {
	const char *name;
	uint32_t type;
	uint64_t sector;
	struct blk_piece pieces[4];
	unsigned int nb;
	uint8_t status; /* or BLK_NO_STATUS: the queue stops */
};

#define OUT(n)                                                                                     \
	{                                                                                          \
		.len = (n)                                                                         \
	}
#define IN(n)                                                                                      \
	{                                                                                          \
		.len = (n), .write = true                                                          \
	}

static const struct bad_request bad_requests[] = {
	{ "no header", 0, 0, { IN(512), IN(1) }, 2, VIRTIO_BLK_S_IOERR },
	{ "no header, nothing but a status", 0, 0, { IN(1) }, 1, VIRTIO_BLK_S_IOERR },
	{ "a short header", 0, 0, { OUT(15), IN(512), IN(1) }, 3, VIRTIO_BLK_S_IOERR },
	{ "a header of one byte", 0, 0, { OUT(1), IN(512), IN(1) }, 3, VIRTIO_BLK_S_IOERR },
	{ "an empty header", 0, 0, { OUT(0), IN(512), IN(1) }, 3, VIRTIO_BLK_S_IOERR },
	{ "no status", 1, 0, { OUT(16), OUT(512) }, 2, BLK_NO_STATUS },
	{ "nothing but a header", 0, 0, { OUT(16) }, 1, BLK_NO_STATUS },
	{ "an empty status", 1, 0, { OUT(16), OUT(512), IN(0) }, 3, BLK_NO_STATUS },
	{ "no bytes at all", 0, 0, { OUT(0) }, 1, BLK_NO_STATUS },
	{ "a read with data to read", 0, 0, { OUT(16), OUT(512), IN(1) }, 3, VIRTIO_BLK_S_IOERR },
	{ "a write with data to write", 1, 0, { OUT(16), IN(512), IN(1) }, 3, VIRTIO_BLK_S_IOERR },
	{ "a read with data of both directions",
	  0,
	  0,
	  { OUT(16), OUT(512), IN(513) },
	  3,
	  VIRTIO_BLK_S_IOERR },
	{ "a write with data of both directions",
	  1,
	  0,
	  { OUT(528), IN(513) },
	  2,
	  VIRTIO_BLK_S_IOERR },
	{ "a read of no whole sectors", 0, 0, { OUT(16), IN(511), IN(1) }, 3, VIRTIO_BLK_S_IOERR },
	{ "a write of no whole sectors",
	  1,
	  0,
	  { OUT(16), OUT(513), IN(1) },
	  3,
	  VIRTIO_BLK_S_IOERR },
	{ "a read behind the end",
	  0,
	  CAPACITY,
	  { OUT(16), IN(512), IN(1) },
	  3,
	  VIRTIO_BLK_S_IOERR },
	{ "a write behind the end",
	  1,
	  CAPACITY,
	  { OUT(16), OUT(512), IN(1) },
	  3,
	  VIRTIO_BLK_S_IOERR },
	{ "a read across the end",
	  0,
	  CAPACITY - 1,
	  { OUT(16), IN(1024), IN(1) },
	  3,
	  VIRTIO_BLK_S_IOERR },
	{ "a write across the end",
	  1,
	  CAPACITY - 1,
	  { OUT(16), OUT(1024), IN(1) },
	  3,
	  VIRTIO_BLK_S_IOERR },
	{ "a sector that wraps around",
	  0,
	  UINT64_MAX,
	  { OUT(16), IN(512), IN(1) },
	  3,
	  VIRTIO_BLK_S_IOERR },
	{ "a byte offset that wraps around",
	  1,
	  UINT64_MAX / 512 + 1,
	  { OUT(16), OUT(512), IN(1) },
	  3,
	  VIRTIO_BLK_S_IOERR },
	{ "a byte offset that is negative",
	  1,
	  (UINT64_C(1) << 54) + 8,
	  { OUT(16), OUT(512), IN(1) },
	  3,
	  VIRTIO_BLK_S_IOERR },
	{ "an empty read behind the end",
	  0,
	  CAPACITY + 1,
	  { OUT(16), IN(1) },
	  2,
	  VIRTIO_BLK_S_IOERR },
	{ "a SCSI command", 2, 0, { OUT(16), IN(1) }, 2, VIRTIO_BLK_S_UNSUPP },
	{ "an unknown type", 12345, 0, { OUT(16), IN(1) }, 2, VIRTIO_BLK_S_UNSUPP },
	{ "the type of an old barrier",
	  UINT32_C(0x80000000),
	  0,
	  { OUT(16), IN(1) },
	  2,
	  VIRTIO_BLK_S_UNSUPP },
	{ "a discard of nothing", 11, 0, { OUT(16), IN(1) }, 2, VIRTIO_BLK_S_IOERR },
	{ "a discard with half a range", 11, 0, { OUT(24), IN(1) }, 2, VIRTIO_BLK_S_IOERR },
	{ "a discard with data to write", 11, 0, { OUT(32), IN(17) }, 2, VIRTIO_BLK_S_IOERR },
	{ "a discard with too many ranges",
	  11,
	  0,
	  { OUT(16 + 33 * 16), IN(1) },
	  2,
	  VIRTIO_BLK_S_IOERR },
	{ "zeroes with too many ranges",
	  13,
	  0,
	  { OUT(16 + 250 * 16), IN(1) },
	  2,
	  VIRTIO_BLK_S_IOERR },
};

static void
try_bad(const struct bad_request *bad)
{
	static uint8_t bytes[BLK_BYTES];
	struct virtio_blk_outhdr header = { .type = bad->type, .sector = bad->sector };
	uint64_t stops = loopback_blk_stats(&blk).bad_descriptors;
	uint16_t head;

	memset(bytes, 0, sizeof(bytes));
	memcpy(bytes, &header, sizeof(header));
	head = loopback_blk_chain(&blk, bad->pieces, bad->nb, bytes);
	loopback_blk_post(&blk, head);
	if (bad->status == BLK_NO_STATUS) {
		loopback_blk_wait(&blk, RTE_VDUSE_VQ_ERROR);
		assert_int_equal(loopback_blk_stats(&blk).bad_descriptors, stops + 1);
		loopback_blk_up(&blk);
		return;
	}
	assert_int_equal(loopback_blk_take(&blk), head);
	if (loopback_blk_status(&blk, head) != bad->status)
		fail_msg("%s: status %u", bad->name, loopback_blk_status(&blk, head));
}

static void
malformed(void **state)
{
	unsigned int i;

	RTE_SET_USED(state);
	for (i = 0; i < RTE_DIM(bad_requests); i++) {
		print_message("  %s\n", bad_requests[i].name);
		check_serves(i);
		try_bad(&bad_requests[i]);
		/* Nothing was written by what was refused, and nothing hangs. */
		assert_int_equal(loopback_blk_do(&blk, VIRTIO_BLK_T_IN, 8, got, DATA), 0);
		assert_memory_equal(got, sent, DATA);
		assert_int_equal(loopback_blk_stats(&blk).in_flight, 0);
	}
}

static struct virtio_blk_discard_write_zeroes
range(uint64_t sector, uint32_t nb, uint32_t flags)
{
	return (struct virtio_blk_discard_write_zeroes){
		.sector = sector,
		.num_sectors = nb,
		.flags = flags,
	};
}

static uint8_t
do_ranges(uint32_t type, struct virtio_blk_discard_write_zeroes *ranges, unsigned int nb)
{
	return loopback_blk_do(&blk, type, 0, ranges, (uint32_t)(nb * sizeof(*ranges)));
}

static void
bad_ranges(void **state)
{
	static const uint32_t types[] = { VIRTIO_BLK_T_DISCARD, VIRTIO_BLK_T_WRITE_ZEROES,
					  VIRTIO_BLK_T_SECURE_ERASE };
	struct virtio_blk_discard_write_zeroes ranges[2];
	unsigned int i;

	RTE_SET_USED(state);
	for (i = 0; i < RTE_DIM(types); i++) {
		uint32_t type = types[i];

		check_serves(i);
		/* The first range is good: it must not be touched for the second. */
		ranges[0] = range(8, 4, 0);
		ranges[1] = range(CAPACITY, 1, 0);
		assert_int_equal(do_ranges(type, ranges, 2), VIRTIO_BLK_S_IOERR);
		ranges[1] = range(CAPACITY - 1, 2, 0);
		assert_int_equal(do_ranges(type, ranges, 2), VIRTIO_BLK_S_IOERR);
		ranges[1] = range(UINT64_MAX, 1, 0);
		assert_int_equal(do_ranges(type, ranges, 2), VIRTIO_BLK_S_IOERR);
		/* 2^23 sectors are 4 GiB: nothing in 32 bits. */
		ranges[1] = range(0, UINT32_C(1) << 23, 0);
		assert_int_equal(do_ranges(type, ranges, 2), VIRTIO_BLK_S_IOERR);
		ranges[1] = range(0, UINT32_MAX, 0);
		assert_int_equal(do_ranges(type, ranges, 2), VIRTIO_BLK_S_IOERR);
		ranges[1] = range(0, 1, 2);
		assert_int_equal(do_ranges(type, ranges, 2), VIRTIO_BLK_S_UNSUPP);
		ranges[1] = range(0, 1, UINT32_C(0x80000000));
		assert_int_equal(do_ranges(type, ranges, 2), VIRTIO_BLK_S_UNSUPP);
		ranges[1] = range(0, 1, 1); /* unmap */
		assert_int_equal(
			do_ranges(type, type == VIRTIO_BLK_T_WRITE_ZEROES ? &ranges[1] : ranges,
				  type == VIRTIO_BLK_T_WRITE_ZEROES ? 1 : 2),
			type == VIRTIO_BLK_T_WRITE_ZEROES ? VIRTIO_BLK_S_OK : VIRTIO_BLK_S_UNSUPP);
		assert_int_equal(loopback_blk_do(&blk, VIRTIO_BLK_T_IN, 8, got, DATA), 0);
		assert_memory_equal(got, sent, DATA);
	}
}

/* More ranges than are announced, one of them empty: each is zeroed and nothing else. */
static void
many_ranges(void **state)
{
	static const uint32_t types[] = { VIRTIO_BLK_T_DISCARD, VIRTIO_BLK_T_WRITE_ZEROES,
					  VIRTIO_BLK_T_SECURE_ERASE };
	struct virtio_blk_discard_write_zeroes ranges[VBLK_RANGES_MAX];
	uint32_t len = 2 * VBLK_RANGES_MAX * BLK_SECTOR, i, j;

	RTE_SET_USED(state);
	for (i = 0; i < RTE_DIM(types); i++) {
		blk_pattern(sent, len, i);
		assert_int_equal(loopback_blk_do(&blk, VIRTIO_BLK_T_OUT, 100, sent, len), 0);
		for (j = 0; j < VBLK_RANGES_MAX; j++) {
			ranges[j] = range(100 + 2 * j, j != 5, 0);
			if (j != 5)
				memset(sent + 2 * j * BLK_SECTOR, 0, BLK_SECTOR);
		}
		assert_int_equal(do_ranges(types[i], ranges, VBLK_RANGES_MAX), VIRTIO_BLK_S_OK);
		assert_int_equal(loopback_blk_do(&blk, VIRTIO_BLK_T_IN, 100, got, len), 0);
		assert_memory_equal(got, sent, len);
	}
	assert_int_equal(loopback_blk_stats(&blk).discards, 1);
	assert_int_equal(loopback_blk_stats(&blk).write_zeroes, 1);
	assert_int_equal(loopback_blk_stats(&blk).secure_erases, 1);
}

/* A range is as long as it is advertised and no longer, also where 32 bits hold no byte count. */
static void
long_ranges(void **state)
{
	static const uint32_t types[] = { VIRTIO_BLK_T_DISCARD, VIRTIO_BLK_T_WRITE_ZEROES,
					  VIRTIO_BLK_T_SECURE_ERASE };
	static const uint32_t too_long[] = { VBLK_RANGE_SECTORS + 1, UINT32_C(1) << 23,
					     (UINT32_C(1) << 23) + 1, UINT32_MAX };
	struct virtio_blk_discard_write_zeroes one;
	struct virtio_blk_config config;
	unsigned int i, j;

	RTE_SET_USED(state);
	vduse_loopback_config(blk.loop, 0, &config, sizeof(config));
	assert_int_equal(config.max_discard_sectors, VBLK_RANGE_SECTORS);
	assert_int_equal(config.max_write_zeroes_sectors, VBLK_RANGE_SECTORS);
	for (i = 0; i < RTE_DIM(types); i++) {
		one = range(UINT64_C(1) << 33, VBLK_RANGE_SECTORS, 0);
		assert_int_equal(do_ranges(types[i], &one, 1), VIRTIO_BLK_S_OK);
		for (j = 0; j < RTE_DIM(too_long); j++) {
			one = range(0, too_long[j], 0);
			assert_int_equal(do_ranges(types[i], &one, 1), VIRTIO_BLK_S_IOERR);
		}
	}
}

static void
identification(void **state)
{
	static const char serial[RTE_VDUSE_BLK_SERIAL_MAX] = "unit0";
	uint32_t len;

	RTE_SET_USED(state);
	for (len = 0; len < 40; len++) {
		memset(got, 1, sizeof(got));
		assert_int_equal(loopback_blk_do(&blk, VIRTIO_BLK_T_GET_ID, 0, got, len), 0);
		assert_memory_equal(got, serial, RTE_MIN(len, sizeof(serial)));
	}
}

/* The last sector can be used, an empty request does nothing, a flush may carry anything. */
static void
edges(void **state)
{
	RTE_SET_USED(state);
	blk_pattern(sent, BLK_SECTOR, 1);
	assert_int_equal(loopback_blk_do(&blk, VIRTIO_BLK_T_OUT, CAPACITY - 1, sent, BLK_SECTOR),
			 0);
	assert_int_equal(loopback_blk_do(&blk, VIRTIO_BLK_T_IN, CAPACITY - 1, got, BLK_SECTOR), 0);
	assert_memory_equal(got, sent, BLK_SECTOR);
	assert_int_equal(loopback_blk_do(&blk, VIRTIO_BLK_T_IN, CAPACITY, NULL, 0), 0);
	assert_int_equal(loopback_blk_do(&blk, VIRTIO_BLK_T_OUT, 0, NULL, 0), 0);
	assert_int_equal(loopback_blk_do(&blk, VIRTIO_BLK_T_FLUSH, UINT64_MAX, NULL, 0), 0);
	assert_int_equal(loopback_blk_stats(&blk).flushes, 1);
	assert_int_equal(loopback_blk_stats(&blk).written_bytes, BLK_SECTOR);
}

/* A disk that cannot be written is not written, whatever the driver knows of that. */
static void
read_only(void **state)
{
	struct virtio_blk_discard_write_zeroes one = range(8, 4, 0);

	RTE_SET_USED(state);
	assert_true(blk.blk->features & FEATURE(VIRTIO_BLK_F_RO));
	assert_false(blk.blk->features & FEATURE(VIRTIO_BLK_F_DISCARD));
	memset(sent, 1, DATA);
	assert_int_equal(loopback_blk_do(&blk, VIRTIO_BLK_T_OUT, 8, sent, DATA),
			 VIRTIO_BLK_S_IOERR);
	assert_int_equal(do_ranges(VIRTIO_BLK_T_DISCARD, &one, 1), VIRTIO_BLK_S_IOERR);
	assert_int_equal(do_ranges(VIRTIO_BLK_T_WRITE_ZEROES, &one, 1), VIRTIO_BLK_S_IOERR);
	assert_int_equal(do_ranges(VIRTIO_BLK_T_SECURE_ERASE, &one, 1), VIRTIO_BLK_S_IOERR);
	assert_int_equal(loopback_blk_do(&blk, VIRTIO_BLK_T_IN, 8, got, DATA), 0);
	memset(sent, 0, DATA);
	assert_memory_equal(got, sent, DATA);
	assert_int_equal(loopback_blk_do(&blk, VIRTIO_BLK_T_FLUSH, 0, NULL, 0), 0);
}

/* Commands that the driver did not take are unknown to it. */
static void
not_taken(void **state)
{
	struct virtio_blk_discard_write_zeroes one = range(8, 4, 0);

	RTE_SET_USED(state);
	check_serves(1);
	assert_int_equal(do_ranges(VIRTIO_BLK_T_DISCARD, &one, 1), VIRTIO_BLK_S_UNSUPP);
	assert_int_equal(do_ranges(VIRTIO_BLK_T_WRITE_ZEROES, &one, 1), VIRTIO_BLK_S_UNSUPP);
	assert_int_equal(do_ranges(VIRTIO_BLK_T_SECURE_ERASE, &one, 1), VIRTIO_BLK_S_UNSUPP);
	assert_int_equal(loopback_blk_do(&blk, VIRTIO_BLK_T_IN, 8, got, DATA), 0);
	assert_memory_equal(got, sent, DATA);
	assert_int_equal(loopback_blk_stats(&blk).unsupported, 3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(layouts, setup, teardown),
		cmocka_unit_test_setup_teardown(layouts, setup_indirect, teardown),
		cmocka_unit_test_setup_teardown(split_header, setup, teardown),
		cmocka_unit_test_setup_teardown(split_header, setup_indirect, teardown),
		cmocka_unit_test_setup_teardown(malformed, setup, teardown),
		cmocka_unit_test_setup_teardown(malformed, setup_indirect, teardown),
		cmocka_unit_test_setup_teardown(bad_ranges, setup, teardown),
		cmocka_unit_test_setup_teardown(many_ranges, setup, teardown),
		cmocka_unit_test_setup_teardown(many_ranges, setup_indirect, teardown),
		cmocka_unit_test_setup_teardown(long_ranges, setup_large, teardown),
		cmocka_unit_test_setup_teardown(identification, setup, teardown),
		cmocka_unit_test_setup_teardown(edges, setup, teardown),
		cmocka_unit_test_setup_teardown(read_only, setup_read_only, teardown),
		cmocka_unit_test_setup_teardown(not_taken, setup_plain, teardown),
	};

	if (unit_init() < 0)
		return 1;
	return unit_done(cmocka_run_group_tests(tests, NULL, NULL));
}
