/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Requests that are longer than announced: with more descriptors, or with more bytes. They are done
 * in parts, and the poller serves other queues in between.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <rte_cycles.h>

#include <virtio_blk/backend/fault.h>

#include "loopback_blk.h"

#pragma weak vblk_backend_file

#define MIB (1u << 20)

/* In the driver's memory for data: headers and status bytes, then tables, then buffers. */
#define TABLES   (64u << 10)
#define BUFFERS  (2u * MIB)
#define REQUESTS 1024u

static struct loopback_blk blk;
static uint8_t *buffers;
static uint64_t buffers_size;

static void
up(const char *backend, const char *args, uint32_t ring, bool indirect)
{
	loopback_blk_create(&blk, backend, args, ring, false);
	if (!indirect)
		blk.features &= ~FEATURE(VIRTIO_RING_F_INDIRECT_DESC);
	blk.indirect = indirect;
	loopback_blk_up(&blk);
	buffers = driver_va(&blk.driver, blk.driver.data + BUFFERS);
	buffers_size = blk.driver.regions[0].size -
		       (blk.driver.data + BUFFERS - blk.driver.regions[0].first);
}

static int
teardown(void **state)
{
	RTE_SET_USED(state);
	/* A test that failed may have left it so. */
	if (blk.blk->backend->ops == &vblk_backend_fault)
		vblk_fault_hold(blk.blk->backend, false);
	loopback_blk_destroy(&blk);
	return 0;
}

/* Data of nb descriptors of each bytes; backward: no two of them lie side by side. */
struct data {
	uint64_t at; /* in the buffers */
	uint32_t nb;
	uint32_t each;
	bool backward;
};

static uint64_t
data_iova(const struct data *data, uint32_t i)
{
	uint32_t place = data->backward ? data->nb - 1 - i : i;

	return blk.driver.data + BUFFERS + data->at + (uint64_t)place * data->each;
}

/* Posts request number index, which has header and status places of its own. */
static uint16_t
post(uint16_t index, uint32_t type, uint64_t sector, const struct data *data)
{
	struct virtio_blk_outhdr header = { .type = type, .sector = sector };
	struct driver *driver = &blk.driver;
	uint64_t head_iova = driver->data + 32ull * index;
	uint64_t table_iova = driver->data + TABLES;
	struct vring_desc *table = driver->desc;
	uint16_t write = type == VIRTIO_BLK_T_IN ? VRING_DESC_F_WRITE : 0, first = 0;
	uint32_t i, last = data->nb + 1;

	assert_in_range(index, 0, REQUESTS - 1);
	memcpy(driver_va(driver, head_iova), &header, sizeof(header));
	*(uint8_t *)driver_va(driver, head_iova + 16) = BLK_NO_STATUS;
	if (blk.indirect) {
		table_iova += index * 16ull * (last + 1);
		assert_in_range(table_iova + 16ull * (last + 1), 0, driver->data + BUFFERS);
		table = driver_va(driver, table_iova);
		first = index;
		driver_desc(driver, first, table_iova, 16 * (last + 1), VRING_DESC_F_INDIRECT, 0);
	} else {
		first = (uint16_t)(index * (last + 1));
		assert_in_range(first + last, 0, driver->size - 1);
	}
	for (i = 0; i <= last; i++) {
		uint16_t at = (uint16_t)(blk.indirect ? i : first + i);

		if (i == 0)
			table[at] = (struct vring_desc){ head_iova, 16, 0, 0 };
		else if (i == last)
			table[at] = (struct vring_desc){ head_iova + 16, 1, VRING_DESC_F_WRITE, 0 };
		else
			table[at] =
				(struct vring_desc){ data_iova(data, i - 1), data->each, write, 0 };
		table[at].next = (uint16_t)(at + 1);
		table[at].flags |= i < last ? VRING_DESC_F_NEXT : 0;
	}
	driver_post(driver, first);
	return first;
}

static uint8_t
status_of(uint16_t index)
{
	return *(uint8_t *)driver_va(&blk.driver, blk.driver.data + 32ull * index + 16);
}

/* A request that is waited for. */
static uint8_t
do_request(uint32_t type, uint64_t sector, const struct data *data)
{
	uint16_t head = post(0, type, sector, data);

	assert_int_equal(loopback_blk_take(&blk), head);
	return status_of(0);
}

/* Byte number at of the data of a request. */
static uint8_t *
data_byte(const struct data *data, uint64_t at)
{
	return driver_va(&blk.driver,
			 data_iova(data, (uint32_t)(at / data->each)) + at % data->each);
}

/* Writes data of one layout, reads it with another one, and compares. */
static void
check_layouts(uint64_t sector, const struct data *out, const struct data *in)
{
	uint64_t len = (uint64_t)out->nb * out->each, i;
	uint8_t *sent = malloc(len);

	assert_non_null(sent);
	assert_int_equal(len, (uint64_t)in->nb * in->each);
	blk_pattern(sent, (uint32_t)len, (uint32_t)sector + out->nb);
	for (i = 0; i < len; i++)
		*data_byte(out, i) = sent[i];
	assert_int_equal(do_request(VIRTIO_BLK_T_OUT, sector, out), VIRTIO_BLK_S_OK);
	memset(buffers, 0, buffers_size);
	assert_int_equal(do_request(VIRTIO_BLK_T_IN, sector, in), VIRTIO_BLK_S_OK);
	for (i = 0; i < len; i++)
		if (*data_byte(in, i) != sent[i])
			fail_msg("byte %lu of %u pieces of %u bytes", (unsigned long)i, out->nb,
				 out->each);
	free(sent);
}

static void
check_pieces(uint32_t nb, uint32_t each)
{
	struct data out = { 0, nb, each, true }, in = out;

	check_layouts(3, &out, &in);
	/* In one piece, and in pieces that lie side by side. */
	in = (struct data){ 0, 1, nb * each, false };
	check_layouts(5, &out, &in);
	check_layouts(7, &in, &out);
}

/* As many descriptors as the ring has. */
static void
as_many_as_the_ring(void **state)
{
	static const uint32_t nbs[] = { 255,  509,  510,  511,  512,  513,  515, 517,
					1000, 1022, 1023, 1024, 1025, 2045, 2046 };
	unsigned int i;

	RTE_SET_USED(state);
	up("ram", "size=8M", 2048, false);
	for (i = 0; i < RTE_DIM(nbs); i++)
		check_pieces(nbs[i], BLK_SECTOR);
	assert_int_equal(loopback_blk_stats(&blk).bad_requests, 0);
}

/* The kernel takes 1024 vectors at once. With and without its page cache. */
static void
in_a_file(void **state)
{
	static const char *const more[] = { "", ",direct=1" };
	char path[] = "/var/tmp/unit-blk-XXXXXX", args[64];
	const struct data out = { 0, 1, 12 * MIB, false }, in = { 4096, 3072, 4096, true };
	unsigned int i;
	int fd = mkstemp(path);

	RTE_SET_USED(state);
	assert_return_code(fd, errno);
	assert_return_code(ftruncate(fd, 16 * MIB), errno);
	for (i = 0; i < RTE_DIM(more); i++) {
		snprintf(args, sizeof(args), "path=%s%s", path, more[i]);
		up("file", args, 4096, true);
		check_pieces(1500, 4096);
		check_pieces(3000, 512);
		check_layouts(0, &out, &in);
		check_layouts(8, &in, &out);
		loopback_blk_destroy(&blk);
	}
	close(fd);
	unlink(path);
}

/* Tables as long as allowed: 1024 descriptors with a small ring, as many as a large one has. */
static void
as_many_as_a_table(void **state)
{
	static const struct {
		uint32_t ring, nb;
	} tables[] = { { 1024, 513 }, { 1024, 1022 }, { 4096, 2046 }, { 4096, 4094 } };
	unsigned int i;

	RTE_SET_USED(state);
	for (i = 0; i < RTE_DIM(tables); i++) {
		up("ram", "size=8M", tables[i].ring, true);
		check_pieces(tables[i].nb, BLK_SECTOR);
		if (i + 1 < RTE_DIM(tables))
			loopback_blk_destroy(&blk);
	}
}

/* Sectors in pieces of a few bytes: a part ends where a sector does. */
static void
small_pieces(void **state)
{
	RTE_SET_USED(state);
	up("ram", "size=8M", 4096, true);
	check_pieces(4 * BLK_SECTOR - BLK_SECTOR, 1);
	check_pieces(6 * BLK_SECTOR, 1);
	check_pieces(5 * BLK_SECTOR, 3);
	check_pieces(4 * BLK_SECTOR, 7);
}

/* A block in more pieces than an operation may have is refused; the device goes on. */
static void
block_in_too_many_pieces(void **state)
{
	const struct data data = { 0, 7 * BLK_SECTOR, 1, true }, whole = { 0, 1, 4096, false };

	RTE_SET_USED(state);
	up("ram", "size=8M", 4096, true);
	/* 1024 pieces of a byte, which are all that an operation may have, make no block. */
	blk.blk->block_size = 4096;
	assert_int_equal(do_request(VIRTIO_BLK_T_IN, 0, &data), VIRTIO_BLK_S_IOERR);
	assert_int_equal(do_request(VIRTIO_BLK_T_IN, 0, &whole), VIRTIO_BLK_S_OK);
	assert_int_equal(loopback_blk_stats(&blk).in_flight, 0);
}

/* More long requests at once than there is memory for: some wait, all are done. */
static void
many_long_ones(void **state)
{
	const struct data data = { 0, 600, BLK_SECTOR, true };
	unsigned int nb = 6 * VBLK_ROOMS, i;

	RTE_SET_USED(state);
	up("fault", "under=ram,size=8M", 4096, true);
	vblk_fault_hold(blk.blk->backend, true);
	for (i = 0; i < nb; i++)
		post((uint16_t)i, VIRTIO_BLK_T_IN, i, &data);
	for (i = 0; i < 10; i++)
		loopback_blk_poll(&blk);
	assert_int_equal(blk.blk->queues[0].in_flight, VBLK_ROOMS);
	vblk_fault_hold(blk.blk->backend, false);
	for (i = 0; i < nb; i++)
		(void)loopback_blk_take(&blk);
	for (i = 0; i < nb; i++)
		assert_int_equal(status_of((uint16_t)i), VIRTIO_BLK_S_OK);
	assert_int_equal(blk.blk->queues[0].nb_rooms, VBLK_ROOMS);
}

/* Far more bytes than announced, at odd places. */
static void
large_requests(void **state)
{
	struct data one = { 512, 1, 12 * MIB, false }, out = { 1000, 3, 4 * MIB, true };

	RTE_SET_USED(state);
	up("ram", "size=16M", 4096, true);
	check_layouts(0, &one, &out);
	check_layouts(3, &out, &one);
	out = (struct data){ 1, 1024, 12 * 1024, true };
	check_layouts(4095, &out, &one);
	check_layouts(1, &one, &out);
	assert_int_equal(loopback_blk_stats(&blk).read_bytes, 4 * 12 * MIB);
	assert_int_equal(loopback_blk_stats(&blk).written_bytes, 4 * 12 * MIB);
}

/* What another queue of the lcore may have to wait. */
#define WAIT_NS 10000000u

/* Polls until nb requests are used. Returns how often; *slow: how many polls took longer. */
static unsigned int
polls(unsigned int nb, unsigned int *slow)
{
	uint64_t end = rte_get_timer_cycles() + 4 * UNIT_PATIENCE_MS * (rte_get_timer_hz() / 1000);
	struct timespec before, after;
	unsigned int n = 0;
	uint32_t head, len;

	for (*slow = 0; nb > 0; n++) {
		uint64_t took;

		if (rte_get_timer_cycles() > end)
			fail_msg("%u requests are not finished", nb);
		/* Of this thread alone: the machine may have other work. */
		clock_gettime(CLOCK_THREAD_CPUTIME_ID, &before);
		loopback_blk_poll(&blk);
		clock_gettime(CLOCK_THREAD_CPUTIME_ID, &after);
		took = (uint64_t)(after.tv_sec - before.tv_sec) * 1000000000u;
		took += (uint64_t)(after.tv_nsec - before.tv_nsec);
		*slow += took > WAIT_NS;
		while (driver_take(&blk.driver, &head, &len))
			nb--;
	}
	return n;
}

/* One poll in so many may take long: the machine is others', too. The sanitizers are slow. */
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define SLOW_SHARE 1u
#else
#define SLOW_SHARE 100u
#endif

/* What a poll does is bounded in bytes, whatever a driver asks for: others are served. */
static void
check_budget(const char *backend, const char *args)
{
	static const uint32_t types[] = { VIRTIO_BLK_T_IN, VIRTIO_BLK_T_OUT };
	const struct data data = { 0, 1, 24 * MIB, false };
	unsigned int nb = 64, least = nb * 24 / (VBLK_POLL_BYTES / MIB), n, i, j;
	unsigned int slow;

	up(backend, args, 4096, true);
	for (i = 0; i < RTE_DIM(types); i++) {
		for (j = 0; j < nb; j++)
			post((uint16_t)j, types[i], 0, &data);
		n = polls(nb, &slow);
		print_message("  %s: %u polls, %u slow\n", backend, n, slow);
		assert_in_range(n, least, UINT32_MAX);
		assert_in_range(slow, 0, n / SLOW_SHARE);
	}
	loopback_blk_destroy(&blk);
}

static void
poll_budget(void **state)
{
	RTE_SET_USED(state);
	check_budget("ram", "size=32M");
	check_budget("null", "size=32M");
}

/* The same for ranges, which a backend in memory works on within the poll. */
static void
poll_budget_ranges(void **state)
{
	static const uint32_t types[] = { VIRTIO_BLK_T_DISCARD, VIRTIO_BLK_T_WRITE_ZEROES,
					  VIRTIO_BLK_T_SECURE_ERASE };
	const struct data data = { 0, 1, 16, false };
	struct virtio_blk_discard_write_zeroes range = { .num_sectors = 128 * MIB / BLK_SECTOR };
	unsigned int nb = 8, least = nb * 128 / (VBLK_POLL_BYTES / MIB), n, i, j;
	unsigned int slow;

	RTE_SET_USED(state);
	up("ram", "size=128M", 4096, true);
	memcpy(buffers, &range, sizeof(range));
	for (i = 0; i < RTE_DIM(types); i++) {
		for (j = 0; j < nb; j++)
			post((uint16_t)j, types[i], 0, &data);
		n = polls(nb, &slow);
		print_message("  type %u: %u polls, %u slow\n", types[i], n, slow);
		assert_in_range(n, least, UINT32_MAX);
		assert_in_range(slow, 0, n / SLOW_SHARE);
		for (j = 0; j < nb; j++)
			assert_int_equal(status_of((uint16_t)j), VIRTIO_BLK_S_OK);
	}
}

/* A range in parts is zeroed from its first byte to its last, and nothing else is. */
static void
range_in_parts(void **state)
{
	struct virtio_blk_discard_write_zeroes range = {
		.sector = 3,
		.num_sectors = 10 * MIB / BLK_SECTOR + 5,
	};
	const struct data data = { 0, 1, 12 * MIB, false }, one = { 13 * MIB, 1, 16, false };
	uint32_t begin = 3 * BLK_SECTOR, end = begin + range.num_sectors * BLK_SECTOR, i;

	RTE_SET_USED(state);
	up("ram", "size=16M", 4096, true);
	memset(buffers, 0x55, 12 * MIB);
	assert_int_equal(do_request(VIRTIO_BLK_T_OUT, 0, &data), VIRTIO_BLK_S_OK);
	memcpy(buffers + one.at, &range, sizeof(range));
	assert_int_equal(do_request(VIRTIO_BLK_T_WRITE_ZEROES, 0, &one), VIRTIO_BLK_S_OK);
	assert_int_equal(do_request(VIRTIO_BLK_T_IN, 0, &data), VIRTIO_BLK_S_OK);
	for (i = 0; i < 12 * MIB; i++)
		if (buffers[i] != (i >= begin && i < end ? 0 : 0x55))
			fail_msg("byte %u of the disk", i);
	assert_int_equal(loopback_blk_stats(&blk).write_zeroes, 1);
}

/* The backend holds so many bytes of a queue at most; data does not wait for ranges. */
static void
flight_is_capped(void **state)
{
	struct virtio_blk_discard_write_zeroes range = { .num_sectors = 32 * MIB / BLK_SECTOR };
	const struct data data = { MIB, 1, 8 * MIB, false }, one = { 0, 1, 16, false };
	struct rte_vduse_blk_backend *backend;
	unsigned int slow, i;

	RTE_SET_USED(state);
	up("fault", "under=null,size=64M", 4096, true);
	backend = blk.blk->backend;
	vblk_fault_hold(backend, true);
	memcpy(buffers, &range, sizeof(range));
	for (i = 0; i < 40; i++)
		post((uint16_t)i, VIRTIO_BLK_T_DISCARD, 0, &one);
	for (i = 0; i < 100; i++)
		loopback_blk_poll(&blk);
	assert_int_equal(vblk_fault_held(backend), 1);
	for (i = 0; i < 40; i++)
		post((uint16_t)(40 + i), VIRTIO_BLK_T_IN, 0, &data);
	for (i = 0; i < 100; i++)
		loopback_blk_poll(&blk);
	assert_int_equal(vblk_fault_held(backend), 1 + VBLK_FLIGHT_BYTES / VBLK_PART_BYTES);
	vblk_fault_hold(backend, false);
	(void)polls(80, &slow);
	for (i = 0; i < 80; i++)
		assert_int_equal(status_of((uint16_t)i), VIRTIO_BLK_S_OK);
}

/* A part fails: so does the request, and the used length says that nothing is sure. */
static void
part_that_fails(void **state)
{
	const struct data data = { 0, 1, 8 * MIB, false };
	uint32_t head, len;

	RTE_SET_USED(state);
	up("fault", "under=ram,size=16M", 4096, true);
	vblk_fault_hold(blk.blk->backend, true);
	(void)post(0, VIRTIO_BLK_T_IN, 0, &data);
	loopback_blk_poll(&blk);
	vblk_fault_fail(blk.blk->backend, RTE_VDUSE_BLK_READ, -EIO, 1);
	vblk_fault_hold(blk.blk->backend, false);
	while (!driver_take(&blk.driver, &head, &len))
		loopback_blk_poll(&blk);
	assert_int_equal(status_of(0), VIRTIO_BLK_S_IOERR);
	assert_int_equal(len, 0);
	assert_int_equal(loopback_blk_stats(&blk).io_errors, 1);
	assert_int_equal(do_request(VIRTIO_BLK_T_IN, 0, &data), VIRTIO_BLK_S_OK);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(as_many_as_the_ring, teardown),
		cmocka_unit_test_teardown(as_many_as_a_table, teardown),
		cmocka_unit_test_teardown(small_pieces, teardown),
		cmocka_unit_test_teardown(block_in_too_many_pieces, teardown),
		cmocka_unit_test_teardown(many_long_ones, teardown),
		cmocka_unit_test_teardown(large_requests, teardown),
		cmocka_unit_test(poll_budget),
		cmocka_unit_test_teardown(poll_budget_ranges, teardown),
		cmocka_unit_test_teardown(range_in_parts, teardown),
		cmocka_unit_test_teardown(flight_is_capped, teardown),
		cmocka_unit_test_teardown(part_that_fails, teardown),
	};

	const struct CMUnitTest file_tests[] = { cmocka_unit_test(in_a_file) };
	int failed;

	if (unit_init() < 0)
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	/* It is built in where there is liburing. */
	if (&vblk_backend_file != NULL)
		failed += cmocka_run_group_tests(file_tests, NULL, NULL);
	return unit_done(failed);
}
