/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* Tables of regions: building them from the kernel's answers, and lookups. */
#include "loopback_dev.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <vduse/memory/iotlb.h>

#define NB_FILES   1024
#define NB_REGIONS 4000
#define WINDOW     (UINT64_C(1) << 30) /* of a file that is mapped */
/* Each table has a seed of its own: the count of one says little of another's. */
#define COMPARED_MAX (8 * 3 * NB_FILES)
/* Where the rings of virtqueue 0 lie in all of these tests: not in the way of what is tested. */
#define RINGS (UINT64_C(1) << 40)

static struct loopback_dev device;
static int rings = -1;
static unsigned int fds;

static int
setup(void **state)
{
	RTE_SET_USED(state);
	fds = unit_fds();
	rings = unit_memfd("unit-rings", PAGE);
	loopback_dev_start(&device);
	loopback_dev_set_vq(&device, 0, RINGS, 256);
	unit_log_clear();
	return 0;
}

static int
teardown(void **state)
{
	RTE_SET_USED(state);
	loopback_dev_destroy(&device);
	close(rings);
	assert_int_equal(unit_maps("unit-rings"), 0);
	assert_int_equal(unit_maps("unit-iotlb"), 0);
	assert_int_equal(unit_fds(), fds);
	return 0;
}

/* Brings the driver up with what regions there are, and the one of the rings. */
static void
up(void)
{
	loopback_dev_region(&device, RINGS, PAGE, 0, PERM_RW, rings);
	loopback_dev_up(&device);
	assert_int_equal(loopback_dev_state(&device, 0), RTE_VDUSE_VQ_RUNNING);
}

static void
write_number(int fd, uint64_t offset, uint32_t value)
{
	assert_int_equal(pwrite(fd, &value, sizeof(value), (off_t)offset), sizeof(value));
}

/* What a poller reads at iova. */
static uint32_t
read_number(uint64_t iova)
{
	struct rte_vduse_region region;
	uint32_t value;

	if (!loopback_dev_lookup(&device, 0, iova, &region))
		fail_msg("no region at 0x%lx", (unsigned long)iova);
	assert_true(iova >= region.first && iova + sizeof(value) - 1 <= region.last);
	memcpy(&value, region.va + (iova - region.first), sizeof(value));
	return value;
}

static bool
mapped(uint64_t iova)
{
	struct rte_vduse_region region;

	return loopback_dev_lookup(&device, 0, iova, &region);
}

static void
test_bounds(void **state)
{
	int fd = unit_memfd("unit-iotlb", 3 * PAGE);
	struct rte_vduse_region region;

	RTE_SET_USED(state);
	loopback_dev_region(&device, 4 * PAGE, 2 * PAGE, 0, PERM_RW, fd);
	loopback_dev_region(&device, 8 * PAGE, 1, 2 * PAGE, PERM_RW, fd);
	up();
	assert_false(mapped(0));
	assert_false(mapped(4 * PAGE - 1));
	assert_true(loopback_dev_lookup(&device, 0, 4 * PAGE, &region));
	assert_int_equal(region.first, 4 * PAGE);
	assert_int_equal(region.last, 6 * PAGE - 1);
	assert_true(loopback_dev_lookup(&device, 0, 6 * PAGE - 1, &region));
	assert_int_equal(region.first, 4 * PAGE);
	assert_false(mapped(6 * PAGE));
	assert_false(mapped(8 * PAGE - 1));
	assert_true(loopback_dev_lookup(&device, 0, 8 * PAGE, &region));
	assert_int_equal(region.last, 8 * PAGE);
	assert_false(mapped(8 * PAGE + 1));
	assert_false(mapped(UINT64_MAX));
	close(fd);
}

static void
test_last_address(void **state)
{
	int fd = unit_memfd("unit-iotlb", PAGE);
	struct rte_vduse_region region;

	RTE_SET_USED(state);
	loopback_dev_region(&device, RINGS, PAGE, 0, PERM_RW, rings);
	loopback_dev_region(&device, UINT64_MAX - PAGE + 1, PAGE, 0, PERM_RW, fd);
	write_number(fd, PAGE - 4, 77);
	loopback_dev_up(&device);
	assert_true(loopback_dev_lookup(&device, 0, UINT64_MAX, &region));
	assert_int_equal(region.last, UINT64_MAX);
	assert_int_equal(read_number(UINT64_MAX - 3), 77);
	assert_false(mapped(0));
	assert_false(mapped(UINT64_MAX - PAGE));
	close(fd);
}

/* Regions that are adjacent for the driver need not be adjacent in this process. */
static void
test_adjacent_files(void **state)
{
	int first = unit_memfd("unit-iotlb", PAGE), second = unit_memfd("unit-iotlb", PAGE);
	struct rte_vduse_region low, high;

	RTE_SET_USED(state);
	loopback_dev_region(&device, PAGE, PAGE, 0, PERM_RW, first);
	loopback_dev_region(&device, 2 * PAGE, PAGE, 0, PERM_RW, second);
	write_number(first, PAGE - 4, 1);
	write_number(second, 0, 2);
	up();
	assert_true(loopback_dev_lookup(&device, 0, 2 * PAGE - 1, &low));
	assert_true(loopback_dev_lookup(&device, 0, 2 * PAGE, &high));
	assert_int_equal(low.last, 2 * PAGE - 1);
	assert_int_equal(high.first, 2 * PAGE);
	assert_int_equal(read_number(2 * PAGE - 4), 1);
	assert_int_equal(read_number(2 * PAGE), 2);
	close(first);
	close(second);
}

static void
test_many_files(void **state)
{
	int files[NB_FILES];
	uint32_t i;

	RTE_SET_USED(state);
	for (i = 0; i < NB_FILES; i++) {
		files[i] = unit_memfd("unit-iotlb", PAGE);
		write_number(files[i], 0, i);
		loopback_dev_region(&device, 2 * i * PAGE, PAGE, 0, PERM_RW, files[i]);
	}
	up();
	assert_int_equal(unit_maps("unit-iotlb"), NB_FILES);
	for (i = 0; i < NB_FILES; i++) {
		assert_int_equal(read_number(2 * i * PAGE), i);
		assert_false(mapped((2 * i + 1) * PAGE));
	}
	for (i = 0; i < NB_FILES; i++)
		close(files[i]);
}

/* Regions of one file, in another order than in the file: it is mapped once. */
static void
test_many_regions(void **state)
{
	int fd = unit_memfd("unit-iotlb", NB_REGIONS * PAGE);
	struct rte_vduse_dev_stats stats;
	uint32_t i;

	RTE_SET_USED(state);
	for (i = 0; i < NB_REGIONS; i++) {
		uint64_t offset = (NB_REGIONS - 1 - i) * PAGE;

		write_number(fd, offset, i);
		loopback_dev_region(&device, i * PAGE, PAGE, offset, PERM_RW, fd);
	}
	up();
	rte_vduse_dev_stats(device.dev, &stats, sizeof(stats));
	assert_int_equal(stats.regions, NB_REGIONS + 1);
	assert_int_equal(unit_maps("unit-iotlb"), 1);
	for (i = 0; i < NB_REGIONS; i++)
		assert_int_equal(read_number(i * PAGE), i);
	close(fd);
}

/* B1's other half: a region that grew, in a file that grew. */
static void
test_growing(void **state)
{
	int fd = unit_memfd("unit-iotlb", PAGE);
	uint32_t i;

	RTE_SET_USED(state);
	loopback_dev_region(&device, 0, PAGE, 0, PERM_RW, fd);
	up();
	for (i = 2; i <= 8; i *= 2) {
		assert_false(mapped((i - 1) * PAGE));
		assert_int_equal(ftruncate(fd, (off_t)(i * PAGE)), 0);
		write_number(fd, (i - 1) * PAGE, i);
		vduse_loopback_regions_clear(device.loop);
		loopback_dev_region(&device, 0, i * PAGE, 0, PERM_RW, fd);
		loopback_dev_region(&device, RINGS, PAGE, 0, PERM_RW, rings);
		loopback_dev_update(&device);
		assert_int_equal(read_number((i - 1) * PAGE), i);
		assert_int_equal(unit_maps("unit-iotlb"), 1);
	}
	close(fd);
}

static void
test_permissions(void **state)
{
	static const struct {
		uint8_t perm;
		bool readable;
		bool writable;
	} cases[] = {
		{ VDUSE_ACCESS_RO, true, false },
		{ VDUSE_ACCESS_WO, false, true },
		{ VDUSE_ACCESS_RW, true, true },
		{ 0, false, false },
	};
	int fd = unit_memfd("unit-iotlb", 4 * PAGE);
	struct rte_vduse_region region;
	uint32_t i;

	RTE_SET_USED(state);
	for (i = 0; i < RTE_DIM(cases); i++)
		loopback_dev_region(&device, i * PAGE, PAGE, i * PAGE, cases[i].perm, fd);
	up();
	for (i = 0; i < RTE_DIM(cases); i++) {
		assert_true(loopback_dev_lookup(&device, 0, i * PAGE, &region));
		assert_int_equal(region.readable, cases[i].readable);
		assert_int_equal(region.writable, cases[i].writable);
	}
	close(fd);
}

/* A file that cannot be written although the region says so: only what touches it misses. */
static void
test_unmappable(void **state)
{
	int fd = unit_memfd("unit-iotlb", PAGE), read_only;
	char path[64];

	RTE_SET_USED(state);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	read_only = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(read_only >= 0);
	loopback_dev_region(&device, 0, PAGE, 0, PERM_RW, read_only);
	loopback_dev_region(&device, PAGE, PAGE, 0, VDUSE_ACCESS_RO, read_only);
	up();
	assert_false(mapped(0));
	assert_true(mapped(PAGE));
	assert_int_equal(unit_log_count("unit0: cannot map 0x1000 bytes of a driver's memory"), 1);
	close(read_only);
	close(fd);
}

/* Regions that the kernel would never tell of: no region is believed, and nothing is left. */
static void
test_malformed(void **state)
{
	static const struct {
		uint64_t first, last, offset;
	} bad[] = {
		{ 3 * PAGE, 3 * PAGE - 1, 0 }, /* empty */
		{ 3 * PAGE, 2 * PAGE, 0 },     /* backwards */
		{ PAGE - 1, 3 * PAGE, 0 },     /* over the one before */
		{ 0, 3 * PAGE, 0 },
		{ 0, UINT64_MAX, 0 },
		{ 3 * PAGE, 4 * PAGE - 1, INT64_MAX - 100 }, /* the file's end overflows */
		{ 3 * PAGE, 4 * PAGE - 1, UINT64_MAX },
		{ 3 * PAGE, UINT64_MAX, 3 * PAGE }, /* so does offset + length */
	};
	int fd = unit_memfd("unit-iotlb", PAGE);
	struct rte_vduse_dev_stats stats;
	uint32_t i;

	RTE_SET_USED(state);
	for (i = 0; i < RTE_DIM(bad); i++) {
		unit_log_clear();
		vduse_loopback_regions_clear(device.loop);
		loopback_dev_region(&device, 0, PAGE, 0, PERM_RW, fd);
		assert_int_equal(vduse_loopback_region_add(device.loop, bad[i].first, bad[i].last,
							   bad[i].offset, PERM_RW, fd),
				 0);
		loopback_dev_region(&device, RINGS, PAGE, 0, PERM_RW, rings);
		loopback_dev_up(&device);
		assert_int_equal(loopback_dev_state(&device, 0), RTE_VDUSE_VQ_SUSPENDED);
		assert_int_equal(unit_log_count("is malformed or out of order"), 1);
		rte_vduse_dev_stats(device.dev, &stats, sizeof(stats));
		assert_int_equal(stats.regions, 0);
		assert_int_equal(unit_maps("unit-iotlb"), 0);
	}
	vduse_loopback_regions_clear(device.loop);
	loopback_dev_region(&device, RINGS, PAGE, 0, PERM_RW, rings);
	loopback_dev_update(&device);
	assert_int_equal(loopback_dev_state(&device, 0), RTE_VDUSE_VQ_RUNNING);
	close(fd);
}

/* The whole of an address space, alone: its size does not fit in 64 bits. */
static void
test_full_range(void **state)
{
	int fd = unit_memfd("unit-iotlb", PAGE);

	RTE_SET_USED(state);
	assert_int_equal(vduse_loopback_region_add(device.loop, 0, UINT64_MAX, 0, PERM_RW, fd), 0);
	loopback_dev_up(&device);
	assert_int_equal(loopback_dev_state(&device, 0), RTE_VDUSE_VQ_SUSPENDED);
	assert_int_equal(unit_log_count("is malformed or out of order"), 1);
	close(fd);
}

/* B3: a limit that fails, instead of an eviction of what is in use. */
static void
test_limit(void **state)
{
	int fd = unit_memfd("unit-iotlb", PAGE);
	struct rte_vduse_dev_stats stats;
	uint32_t i;

	RTE_SET_USED(state);
	for (i = 0; i < VDUSE_IOTLB_REGIONS_MAX - 1; i++)
		loopback_dev_region(&device, 2 * i, 1, 0, PERM_RW, fd);
	up();
	rte_vduse_dev_stats(device.dev, &stats, sizeof(stats));
	assert_int_equal(stats.regions, VDUSE_IOTLB_REGIONS_MAX);
	loopback_dev_region(&device, RINGS + PAGE, 1, 0, PERM_RW, fd);
	loopback_dev_update(&device);
	assert_int_equal(loopback_dev_state(&device, 0), RTE_VDUSE_VQ_SUSPENDED);
	assert_int_equal(unit_log_count("unit0"), 1);
	assert_int_equal(unit_log_count("unit0: more than 4096 memory regions"), 1);
	assert_int_equal(unit_maps("unit-iotlb"), 0);
	assert_int_equal(unit_maps("unit-rings"), 0);
	vduse_loopback_regions_clear(device.loop);
	loopback_dev_region(&device, RINGS, PAGE, 0, PERM_RW, rings);
	loopback_dev_update(&device);
	assert_int_equal(loopback_dev_state(&device, 0), RTE_VDUSE_VQ_RUNNING);
	close(fd);
}

/*
 * Mappings that a walk looks at to find one to share grow as the regions do, not as their square:
 * of one file, of as many, and in one sparse file with a mapping for each region. A file with a
 * region in each of its windows is the worst that a driver can choose.
 */
static void
test_linear(void **state)
{
	int sparse = unit_memfd("unit-iotlb", NB_FILES * WINDOW), files[NB_FILES];
	uint32_t i;

	RTE_SET_USED(state);
	for (i = 0; i < NB_FILES; i++) {
		files[i] = unit_memfd("unit-iotlb", PAGE);
		loopback_dev_region(&device, 3 * i * PAGE, PAGE, 0, PERM_RW, files[i]);
		loopback_dev_region(&device, (3 * i + 1) * PAGE, 16, 0, PERM_RW, files[0]);
		loopback_dev_region(&device, (3 * i + 2) * PAGE, 16, i * WINDOW, VDUSE_ACCESS_RO,
				    sparse);
	}
	up();
	assert_in_range(device.dev->iotlb[0]->nb_compared, NB_FILES, COMPARED_MAX);
	/* The second walk looks into the table of the first, too. */
	loopback_dev_update(&device);
	assert_int_equal(unit_maps("unit-iotlb"), 2 * NB_FILES);
	assert_in_range(device.dev->iotlb[0]->nb_compared, NB_FILES, COMPARED_MAX);
	for (i = 0; i < NB_FILES; i++)
		close(files[i]);
	close(sparse);
}

/* Regions together may not exceed what the device's user permits. */
static void
test_memory_limit(void **state)
{
	int fd = unit_memfd("unit-iotlb", 4 * PAGE);

	RTE_SET_USED(state);
	device.dev->memory_limit = 4 * PAGE;
	loopback_dev_region(&device, 0, 3 * PAGE, 0, PERM_RW, fd);
	up();
	assert_int_equal(unit_log_count("memory-limit"), 0);
	/* In front of the rings, which then do not fit. */
	vduse_loopback_regions_clear(device.loop);
	loopback_dev_region(&device, 0, 3 * PAGE + 1, 0, PERM_RW, fd);
	loopback_dev_region(&device, RINGS, PAGE, 0, PERM_RW, rings);
	loopback_dev_update(&device);
	assert_int_equal(loopback_dev_state(&device, 0), RTE_VDUSE_VQ_SUSPENDED);
	assert_int_equal(unit_log_count("more than the 16384 bytes of memory-limit"), 1);
	assert_int_equal(unit_maps("unit-iotlb"), 0);
	close(fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_bounds, setup, teardown),
		cmocka_unit_test_setup_teardown(test_last_address, setup, teardown),
		cmocka_unit_test_setup_teardown(test_adjacent_files, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many_files, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many_regions, setup, teardown),
		cmocka_unit_test_setup_teardown(test_growing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_permissions, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unmappable, setup, teardown),
		cmocka_unit_test_setup_teardown(test_malformed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_full_range, setup, teardown),
		cmocka_unit_test_setup_teardown(test_limit, setup, teardown),
		cmocka_unit_test_setup_teardown(test_linear, setup, teardown),
		cmocka_unit_test_setup_teardown(test_memory_limit, setup, teardown),
	};
	struct rlimit limit;

	/* A file per region, twice: the driver's and the walk's. */
	if (unit_init() < 0 || getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return 1;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur < NB_FILES + 100)
		return 1;
	/* What the first device leaves open is the control thread's. */
	loopback_dev_start(&device);
	loopback_dev_destroy(&device);
	return unit_done(cmocka_run_group_tests(tests, NULL, NULL));
}
