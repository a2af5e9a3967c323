/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Mappings of driver memory files: shared, at the right place, populated, and unmapped at the end.
 */
#include "loopback_dev.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#define HUGE (UINT64_C(2) << 20)
#define FAR  (UINT64_C(1) << 30)

static struct loopback_dev device;
static int memory = -1;

/* Rings in the first page of a file that is large enough for huge pages. */
static int
setup(void **state)
{
	RTE_SET_USED(state);
	memory = loopback_dev_begin(&device, "unit-map", 3 * HUGE, 0, 256);
	return 0;
}

static int
teardown(void **state)
{
	RTE_SET_USED(state);
	loopback_dev_end(&device, memory);
	assert_int_equal(unit_maps("unit-map"), 0);
	return 0;
}

static uint8_t *
find(uint64_t iova)
{
	struct rte_vduse_region region;

	assert_true(loopback_dev_lookup(&device, 0, iova, &region));
	return region.va + (iova - region.first);
}

static void
test_alignment(void **state)
{
	uint8_t *start;

	RTE_SET_USED(state);
	loopback_dev_region(&device, FAR, PAGE, HUGE + PAGE, PERM_RW, memory);
	loopback_dev_up(&device);
	start = find(0);
	assert_int_equal((uintptr_t)start % HUGE, 0);
	assert_ptr_equal(find(FAR), start + HUGE + PAGE);
	assert_int_equal(unit_maps("unit-map"), 1);
}

/* Neither its offset nor its length need be those of pages. */
static void
test_odd_range(void **state)
{
	uint8_t byte = 0;

	RTE_SET_USED(state);
	loopback_dev_region(&device, FAR + 3, 10, 2 * PAGE + 7, PERM_RW, memory);
	loopback_dev_up(&device);
	*find(FAR + 5) = 42;
	assert_int_equal(pread(memory, &byte, 1, 2 * PAGE + 9), 1);
	assert_int_equal(byte, 42);
}

/* The file counts, not the descriptor that it came with. */
static void
test_same_file(void **state)
{
	char path[64];
	int again;

	RTE_SET_USED(state);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", memory);
	again = open(path, O_RDWR | O_CLOEXEC);
	assert_true(again >= 0);
	loopback_dev_region(&device, FAR, PAGE, PAGE, PERM_RW, again);
	loopback_dev_up(&device);
	assert_int_equal(unit_maps("unit-map"), 1);
	assert_ptr_equal(find(FAR), find(0) + PAGE);
	close(again);
}

/* What was mapped to be read must be mapped again to be written. */
static void
test_written_later(void **state)
{
	RTE_SET_USED(state);
	vduse_loopback_regions_clear(device.loop);
	loopback_dev_region(&device, 0, PAGE, 0, VDUSE_ACCESS_RO, memory);
	loopback_dev_region(&device, FAR, PAGE, PAGE, PERM_RW, memory);
	loopback_dev_region(&device, 2 * FAR, PAGE, PAGE, VDUSE_ACCESS_RO, memory);
	loopback_dev_up(&device);
	*find(FAR) = 9;
	assert_int_equal(*find(2 * FAR), 9);
	assert_int_equal(unit_maps("unit-map"), 2);
}

/* A table that replaces another keeps the mappings that both need, where they are. */
static void
test_kept(void **state)
{
	uint8_t *start;

	RTE_SET_USED(state);
	loopback_dev_up(&device);
	start = find(0);
	loopback_dev_region(&device, FAR, PAGE, PAGE, PERM_RW, memory);
	assert_true(loopback_dev_burst(&device, 0, FAR, true));
	loopback_dev_wait(&device, 0, RTE_VDUSE_VQ_RUNNING);
	assert_ptr_equal(find(0), start);
	assert_ptr_equal(find(FAR), start + PAGE);
	loopback_dev_update(&device);
	assert_ptr_equal(find(0), start);
}

/*
 * Memory that is no regular file, as the kernel's is: nothing tells two such files apart, so
 * only a walk that the driver did not cause may take a mapping for the same one.
 */
static void
test_nameless(void **state)
{
	int fd = open("/dev/zero", O_RDWR | O_CLOEXEC);
	uint8_t *start;

	RTE_SET_USED(state);
	assert_true(fd >= 0);
	loopback_dev_region(&device, FAR, PAGE, 0, PERM_RW, fd);
	loopback_dev_up(&device);
	start = find(FAR);
	*start = 1;
	loopback_dev_region(&device, 2 * FAR, PAGE, 0, PERM_RW, fd);
	assert_true(loopback_dev_burst(&device, 0, 2 * FAR, true));
	loopback_dev_wait(&device, 0, RTE_VDUSE_VQ_RUNNING);
	assert_ptr_equal(find(FAR), start);
	assert_int_equal(*find(FAR), 1);
	assert_int_equal(*find(2 * FAR), 0);
	loopback_dev_update(&device);
	assert_int_equal(*find(FAR), 0);
	close(fd);
}

/* A nameless region may become writable: what was mapped to be read does not do. */
static void
test_nameless_written_later(void **state)
{
	int fd = open("/dev/zero", O_RDWR | O_CLOEXEC);

	RTE_SET_USED(state);
	assert_true(fd >= 0);
	loopback_dev_region(&device, FAR, PAGE, 0, VDUSE_ACCESS_RO, fd);
	loopback_dev_up(&device);
	vduse_loopback_regions_clear(device.loop);
	loopback_dev_region(&device, 0, PAGE, 0, PERM_RW, memory);
	loopback_dev_region(&device, FAR, PAGE, 0, PERM_RW, fd);
	assert_true(loopback_dev_burst(&device, 0, FAR, true));
	loopback_dev_wait(&device, 0, RTE_VDUSE_VQ_RUNNING);
	*find(FAR) = 1;
	close(fd);
}

#ifndef __SANITIZE_THREAD__ /* whose own pages are more than those counted here */
/* Pages of a region that the driver has are there before a poller comes. */
static void
test_populated(void **state)
{
	struct rusage before, after;
	volatile uint8_t *va;
	uint64_t i;

	RTE_SET_USED(state);
	for (i = 0; i < HUGE; i += PAGE)
		assert_int_equal(pwrite(memory, "x", 1, (off_t)(HUGE + i)), 1);
	loopback_dev_region(&device, FAR, HUGE, HUGE, PERM_RW, memory);
	loopback_dev_up(&device);
	unit_populated();
	va = find(FAR);
	assert_int_equal(getrusage(RUSAGE_THREAD, &before), 0);
	for (i = 0; i < HUGE; i += PAGE)
		va[i] = 1;
	assert_int_equal(getrusage(RUSAGE_THREAD, &after), 0);
	/* Of 512; the sanitizer's own pages count too. */
	assert_true(after.ru_minflt - before.ru_minflt < 128);
	assert_int_equal(after.ru_majflt, before.ru_majflt);
}
#endif

/* No descriptor and no mapping is lost, however often memory moves. */
static void
test_no_leak(void **state)
{
	unsigned int i, fds, maps;

	RTE_SET_USED(state);
	loopback_dev_up(&device);
	fds = unit_fds();
	maps = unit_maps("");
	for (i = 1; i <= 1000; i++) {
		/* Two files in turn, and now and then one that cannot be mapped or a reset. */
		int fd = i % 10 == 0 ? open("/dev/null", O_RDWR | O_CLOEXEC)
				     : unit_memfd("unit-map", HUGE);

		loopback_dev_region(&device, FAR * i, PAGE * (1 + i % 5), 0, PERM_RW, fd);
		if (i % 2 == 0)
			loopback_dev_update(&device);
		else
			assert_true(loopback_dev_burst(&device, 0, FAR * i, true));
		if (i % 7 == 0)
			loopback_dev_up(&device);
		loopback_dev_wait(&device, 0, RTE_VDUSE_VQ_RUNNING);
		close(fd);
		vduse_loopback_regions_clear(device.loop);
		loopback_dev_region(&device, 0, PAGE, 0, PERM_RW, memory);
	}
	loopback_dev_update(&device);
	assert_int_equal(unit_fds(), fds);
	assert_in_range(unit_maps(""), maps - 2, maps + 2); /* neighbours are merged or not */
	assert_int_equal(unit_maps("unit-map"), 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_alignment, setup, teardown),
		cmocka_unit_test_setup_teardown(test_odd_range, setup, teardown),
		cmocka_unit_test_setup_teardown(test_same_file, setup, teardown),
		cmocka_unit_test_setup_teardown(test_written_later, setup, teardown),
		cmocka_unit_test_setup_teardown(test_kept, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nameless, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nameless_written_later, setup, teardown),
#ifndef __SANITIZE_THREAD__
		cmocka_unit_test_setup_teardown(test_populated, setup, teardown),
#endif
		cmocka_unit_test_setup_teardown(test_no_leak, setup, teardown),
	};

	if (unit_init() < 0)
		return 1;
	return unit_done(cmocka_run_group_tests(tests, NULL, NULL));
}
