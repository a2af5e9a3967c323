/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* Populating of driver memory: what is allocated for the driver, while it moves and is removed. */
#include "loopback_dev.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <vduse/memory/iotlb.h>

#define MIB   (UINT64_C(1) << 20)
#define GIB   (UINT64_C(1) << 30)
#define SIZE  (8 * GIB)
#define FAR   (UINT64_C(1) << 40)
#define TURNS 100

static struct loopback_dev device;
static int rings = -1, memory = -1;
static unsigned int fds;

static int
setup(void **state)
{
	RTE_SET_USED(state);
	fds = unit_fds();
	memory = unit_memfd("unit-populate", SIZE);
	rings = loopback_dev_begin(&device, "unit-rings", PAGE, 0, 256);
	return 0;
}

static int
teardown(void **state)
{
	RTE_SET_USED(state);
	loopback_dev_end(&device, rings);
	close(memory);
	unit_maps_gone("unit-populate");
	unit_maps_gone("unit-rings");
	assert_int_equal(unit_fds(), fds);
	return 0;
}

/* The driver uses a stretch of its memory. */
static void
allocate(int fd, uint64_t offset, uint64_t size)
{
	static const char byte = 1;
	uint64_t end = offset + size;

	for (; offset < end; offset += PAGE)
		assert_int_equal(pwrite(fd, &byte, 1, (off_t)offset), 1);
}

static uint64_t
allocated(int fd)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	return (uint64_t)st.st_blocks * 512;
}

/* Shared memory of this process that is resident, bytes. */
static uint64_t
resident(void)
{
	FILE *status = fopen("/proc/self/status", "r");
	unsigned long kib = 0;
	char line[256];

	assert_non_null(status);
	while (fgets(line, sizeof(line), status) != NULL)
		if (sscanf(line, "RssShmem: %lu", &kib) == 1)
			break;
	fclose(status);
	return kib * UINT64_C(1024);
}

/* Pages of a stretch of driver memory that need no page fault. */
static uint64_t
present(uint64_t iova, uint64_t size)
{
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	struct rte_vduse_region region;
	uint64_t i, entry, count = 0;

	assert_true(fd >= 0);
	assert_true(loopback_dev_lookup(&device, 0, iova, &region));
	for (i = 0; i < size; i += PAGE) {
		uint64_t page = ((uintptr_t)region.va + (iova - region.first) + i) / PAGE;

		assert_int_equal(pread(fd, &entry, sizeof(entry), (off_t)(page * sizeof(entry))),
				 sizeof(entry));
		count += entry >> 63;
	}
	close(fd);
	return count;
}

/* 8 GiB of which the driver has 5 MiB in two places: these, and nothing else. */
static void
test_holes(void **state)
{
	uint64_t before;

	RTE_SET_USED(state);
	allocate(memory, 3 * GIB + PAGE, 4 * MIB);
	allocate(memory, SIZE - MIB, MIB);
	assert_int_equal(allocated(memory), 5 * MIB);
	before = resident();
	loopback_dev_region(&device, FAR, SIZE, 0, PERM_RW, memory);
	loopback_dev_up(&device);
	unit_populated();
	assert_int_equal(allocated(memory), 5 * MIB);
	assert_true(resident() - before < 8 * MIB);
	assert_int_equal(present(FAR + 3 * GIB + PAGE, 4 * MIB), 4 * MIB / PAGE);
	assert_int_equal(present(FAR + SIZE - MIB, MIB), MIB / PAGE);
	assert_int_equal(present(FAR, MIB), 0);
	assert_int_equal(present(FAR + 3 * GIB + PAGE + 4 * MIB, MIB), 0);
}

/* Every second page. */
static void
test_pieces(void **state)
{
	uint64_t i;

	RTE_SET_USED(state);
	for (i = 0; i < MIB; i += 2 * PAGE)
		allocate(memory, i, PAGE);
	loopback_dev_region(&device, FAR, SIZE, 0, VDUSE_ACCESS_RO, memory);
	loopback_dev_up(&device);
	unit_populated();
	assert_int_equal(present(FAR, 2 * MIB), MIB / PAGE / 2);
	assert_int_equal(allocated(memory), MIB / 2);
}

/* Regions that come later in a mapping that is there, after and before the first one. */
static void
test_grown(void **state)
{
	RTE_SET_USED(state);
	allocate(memory, 0, 3 * MIB);
	loopback_dev_region(&device, FAR + MIB, MIB, MIB, PERM_RW, memory);
	loopback_dev_up(&device);
	unit_populated();
	assert_int_equal(present(FAR + MIB, MIB), MIB / PAGE);
	loopback_dev_region(&device, FAR + 2 * MIB, MIB, 2 * MIB, PERM_RW, memory);
	loopback_dev_update(&device);
	unit_populated();
	assert_int_equal(present(FAR + 2 * MIB, MIB), MIB / PAGE);
	vduse_loopback_regions_clear(device.loop);
	loopback_dev_region(&device, 0, PAGE, 0, PERM_RW, rings);
	loopback_dev_region(&device, FAR, 3 * MIB, 0, PERM_RW, memory);
	loopback_dev_update(&device);
	unit_populated();
	assert_int_equal(unit_maps("unit-populate"), 1);
	assert_int_equal(present(FAR, 3 * MIB), 3 * MIB / PAGE);
}

/* The driver's own place in its file does not move. */
static void
test_position(void **state)
{
	RTE_SET_USED(state);
	allocate(memory, GIB, MIB);
	assert_int_equal(lseek(memory, 12345, SEEK_SET), 12345);
	loopback_dev_region(&device, FAR, SIZE, 0, PERM_RW, memory);
	loopback_dev_up(&device);
	unit_populated();
	assert_int_equal(lseek(memory, 0, SEEK_CUR), 12345);
}

/* Memory moves, goes and is cut off, and the device is destroyed, all while it is made present. */
static void
test_order(void **state)
{
	unsigned int i, busy = 0;

	RTE_SET_USED(state);
	allocate(memory, 0, 64 * MIB);
	for (i = 0; i < TURNS; i++) {
		loopback_dev_region(&device, FAR, SIZE, 0, PERM_RW, memory);
		loopback_dev_up(&device);
		busy += vduse_populate_busy();
		if (i % 4 == 0)
			assert_int_equal(ftruncate(memory, 0), 0);
		if (i % 3 == 0)
			loopback_dev_update(&device);
		vduse_loopback_regions_clear(device.loop);
		loopback_dev_region(&device, 0, PAGE, 0, PERM_RW, rings);
		if (i % 2 == 0)
			loopback_dev_update(&device);
		if (i % 5 == 0) {
			loopback_dev_destroy(&device);
			loopback_dev_start(&device);
			loopback_dev_region(&device, 0, PAGE, 0, PERM_RW, rings);
			loopback_dev_set_vq(&device, 0, 0, 256);
		}
		if (i % 4 == 0) {
			assert_int_equal(ftruncate(memory, (off_t)SIZE), 0);
			allocate(memory, 0, 64 * MIB);
		}
	}
	/* Or nothing was tried. */
	assert_true(busy > TURNS / 4);
	assert_int_equal(allocated(memory), 64 * MIB);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_holes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_pieces, setup, teardown),
		cmocka_unit_test_setup_teardown(test_grown, setup, teardown),
		cmocka_unit_test_setup_teardown(test_position, setup, teardown),
		cmocka_unit_test_setup_teardown(test_order, setup, teardown),
	};

	if (unit_init() < 0)
		return 1;
	/* The control thread and its files stay. */
	loopback_dev_start(&device);
	loopback_dev_destroy(&device);
	return unit_done(cmocka_run_group_tests(tests, NULL, NULL));
}
