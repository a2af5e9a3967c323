/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Driver memory in huge pages, which can only be mapped and unmapped in whole pages. Needs
 * free huge pages (/proc/sys/vm/nr_hugepages). Without them the test is skipped with exit code 77.
 */
#include "loopback_dev.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/memfd.h>

#define HUGE    (UINT64_C(2) << 20)
#define SKIPPED 77

static struct loopback_dev device;
static int memory = -1;

static int
setup(void **state)
{
	RTE_SET_USED(state);
	memory = memfd_create("unit-huge", MFD_CLOEXEC | MFD_HUGETLB | MFD_HUGE_2MB);
	assert_true(memory >= 0);
	assert_int_equal(ftruncate(memory, 2 * HUGE), 0);
	loopback_dev_start(&device);
	loopback_dev_set_vq(&device, 0, 0, 256);
	unit_log_clear();
	return 0;
}

static int
teardown(void **state)
{
	RTE_SET_USED(state);
	loopback_dev_destroy(&device);
	close(memory);
	assert_int_equal(unit_maps("unit-huge"), 0);
	assert_int_equal(unit_log_count("cannot"), 0);
	return 0;
}

static uint8_t *
find(uint64_t iova)
{
	struct rte_vduse_region region;

	assert_true(loopback_dev_lookup(&device, 0, iova, &region));
	return region.va + (iova - region.first);
}

/* A region that begins and ends inside of pages. */
static void
test_part_of_pages(void **state)
{
	RTE_SET_USED(state);
	loopback_dev_region(&device, 0, HUGE, HUGE / 2, PERM_RW, memory);
	loopback_dev_up(&device);
	assert_int_equal(loopback_dev_state(&device, 0), RTE_VDUSE_VQ_RUNNING);
	*find(0) = 1;
	*find(HUGE - 1) = 2;
	assert_int_equal((uintptr_t)find(0) % HUGE, HUGE / 2);
	assert_int_equal(unit_maps("unit-huge"), 1);
	assert_true(loopback_dev_set_status(&device, 0));
	assert_int_equal(unit_maps("unit-huge"), 0);
}

/* A file that grew: what was mapped of it stays while it is of use, and goes then. */
static void
test_remapped(void **state)
{
	unsigned int i, maps;

	RTE_SET_USED(state);
	assert_int_equal(ftruncate(memory, HUGE), 0);
	loopback_dev_region(&device, 0, PAGE, 0, PERM_RW, memory);
	loopback_dev_up(&device);
	maps = unit_maps("");
	for (i = 0; i < 10; i++) {
		assert_int_equal(ftruncate(memory, 2 * HUGE), 0);
		loopback_dev_region(&device, HUGE, HUGE, HUGE, PERM_RW, memory);
		loopback_dev_update(&device);
		*find(2 * HUGE - 1) = 3;
		assert_int_equal(unit_maps("unit-huge"), 2);
		vduse_loopback_regions_clear(device.loop);
		loopback_dev_update(&device);
		assert_int_equal(unit_maps("unit-huge"), 0);
		assert_int_equal(ftruncate(memory, HUGE), 0);
		loopback_dev_region(&device, 0, PAGE, 0, PERM_RW, memory);
		loopback_dev_update(&device);
	}
	/* Fewer than one a turn: threads and sanitizers map some for themselves. */
	assert_in_range(unit_maps(""), maps - 8, maps + 8);
}

/* B12 with huge pages: a whole one is replaced. */
static void
test_lost(void **state)
{
	const struct rte_vduse_region *region;

	RTE_SET_USED(state);
	unit_sigbus_restore();
	loopback_dev_region(&device, 0, 2 * HUGE, 0, PERM_RW, memory);
	loopback_dev_up(&device);
	assert_true(rte_vduse_vq_enter(device.vqs[0]));
	region = rte_vduse_vq_lookup(device.vqs[0], 0);
	assert_int_equal(ftruncate(memory, HUGE), 0);
	((volatile uint8_t *)region->va)[HUGE + 5000] = 1;
	rte_vduse_vq_leave(device.vqs[0]);
	assert_false(rte_vduse_vq_enter(device.vqs[0]));
	assert_int_equal(loopback_dev_state(&device, 0), RTE_VDUSE_VQ_ERROR);
	assert_true(loopback_dev_set_status(&device, 0));
}

/* Whether a page needs no page fault. */
static bool
present(const uint8_t *va)
{
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	uint64_t entry;

	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &entry, sizeof(entry), (off_t)((uintptr_t)va / PAGE * 8)), 8);
	close(fd);
	return entry >> 63;
}

static uint64_t
allocated(void)
{
	struct stat st;

	assert_int_equal(fstat(memory, &st), 0);
	return (uint64_t)st.st_blocks * 512;
}

/* Only a completely allocated file is populated, because the position of holes is unknown. */
static void
test_populated(void **state)
{
	RTE_SET_USED(state);
	loopback_dev_region(&device, 0, 2 * HUGE, 0, PERM_RW, memory);
	loopback_dev_up(&device);
	*find(0) = 1;
	assert_true(loopback_dev_set_status(&device, 0));
	assert_int_equal(allocated(), HUGE);
	loopback_dev_up(&device);
	unit_populated();
	assert_int_equal(allocated(), HUGE);
	*find(HUGE) = 1;
	assert_true(loopback_dev_set_status(&device, 0));
	assert_int_equal(allocated(), 2 * HUGE);
	loopback_dev_up(&device);
	unit_populated();
	assert_true(present(find(0)));
	assert_true(present(find(HUGE)));
}

static unsigned int
free_huge_pages(void)
{
	FILE *file = fopen("/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "r");
	unsigned int count = 0;

	if (file == NULL)
		return 0;
	if (fscanf(file, "%u", &count) != 1)
		count = 0;
	fclose(file);
	return count;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_part_of_pages, setup, teardown),
		cmocka_unit_test_setup_teardown(test_remapped, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lost, setup, teardown),
		cmocka_unit_test_setup_teardown(test_populated, setup, teardown),
	};

	if (free_huge_pages() < 2) {
		fprintf(stderr, "*** SKIPPED: no 2 free huge pages of 2 MiB: "
				"echo 16 >/proc/sys/vm/nr_hugepages\n");
		return SKIPPED;
	}
	if (unit_init() < 0 || vduse_guard_install() < 0)
		return 1;
	unit_sigbus_keep();
	return unit_done(cmocka_run_group_tests(tests, NULL, NULL));
}
