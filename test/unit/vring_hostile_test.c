/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* Split rings of drivers that break the rules: named faults first, then random damage. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"
#include "vring_driver.h"

#define BIT(nr)  (UINT64_C(1) << (nr))
#define INDIRECT BIT(VIRTIO_RING_F_INDIRECT_DESC)
#define NEXT     VRING_DESC_F_NEXT
#define WRITE    VRING_DESC_F_WRITE
#define TABLE    VRING_DESC_F_INDIRECT

static struct driver driver;
static uint64_t table; /* room for indirect descriptors */

static int
setup(void **state)
{
	RTE_SET_USED(state);
	driver_init(&driver, 8, INDIRECT, 0);
	table = driver_region(&driver, 0, 1 << 16)->first;
	return driver_start(&driver);
}

static int
teardown(void **state)
{
	RTE_SET_USED(state);
	driver_free(&driver);
	return 0;
}

/* The next chain is refused for this reason, and goes on being refused. */
static void
expect_fault(enum vring_fault fault)
{
	struct rte_vduse_chain chains[RTE_VDUSE_BURST_MAX];

	assert_int_equal(vring_pop(&driver.vq, chains, RTE_VDUSE_BURST_MAX), 0);
	assert_int_equal(driver.vq.fault, fault);
	assert_int_equal(vring_pop(&driver.vq, chains, RTE_VDUSE_BURST_MAX), 0);
	assert_string_not_equal(vring_fault_name(fault), "unknown fault");
}

static void
table_entry(unsigned int index, uint64_t iova, uint32_t len, uint16_t flags, uint16_t next)
{
	struct vring_desc *desc = driver_va(&driver, table);

	desc[index] = (struct vring_desc){ iova, len, flags, next };
}

static void
post(uint64_t iova, uint32_t len, uint16_t flags, uint16_t next)
{
	driver_desc(&driver, 0, iova, len, flags, next);
	driver_post(&driver, 0);
}

static void
more_than_the_ring_holds(void **state)
{
	RTE_SET_USED(state);
	driver.avail->idx = 9;
	expect_fault(VRING_FAULT_AVAIL);
}

static void
head_outside_the_ring(void **state)
{
	RTE_SET_USED(state);
	driver_post(&driver, 8);
	expect_fault(VRING_FAULT_INDEX);
}

static void
next_outside_the_ring(void **state)
{
	RTE_SET_USED(state);
	post(driver.data, 1, NEXT, 8);
	expect_fault(VRING_FAULT_INDEX);
}

static void
next_outside_the_table(void **state)
{
	RTE_SET_USED(state);
	table_entry(0, driver.data, 1, NEXT, 2);
	post(table, 32, TABLE, 0);
	expect_fault(VRING_FAULT_INDEX);
}

static void
chain_that_loops(void **state)
{
	RTE_SET_USED(state);
	driver_desc(&driver, 1, driver.data, 1, NEXT, 0);
	post(driver.data, 1, NEXT, 1);
	expect_fault(VRING_FAULT_LOOP);
}

static void
table_that_loops(void **state)
{
	RTE_SET_USED(state);
	table_entry(0, driver.data, 1, NEXT, 1);
	table_entry(1, driver.data, 1, NEXT, 0);
	post(table, 32, TABLE, 0);
	expect_fault(VRING_FAULT_LOOP);
}

static void
table_without_entries(void **state)
{
	RTE_SET_USED(state);
	post(table, 0, TABLE, 0);
	expect_fault(VRING_FAULT_INDIRECT);
}

static void
table_of_odd_length(void **state)
{
	RTE_SET_USED(state);
	post(table, 24, TABLE, 0);
	expect_fault(VRING_FAULT_INDIRECT);
}

static void
table_in_a_table(void **state)
{
	RTE_SET_USED(state);
	table_entry(0, driver.data, 1, NEXT, 1);
	table_entry(1, table, 32, TABLE, 0);
	post(table, 32, TABLE, 0);
	expect_fault(VRING_FAULT_INDIRECT);
}

static void
table_that_begins_with_a_table(void **state)
{
	RTE_SET_USED(state);
	table_entry(0, table, 16, TABLE, 0);
	post(table, 16, TABLE, 0);
	expect_fault(VRING_FAULT_INDIRECT);
}

static void
table_and_next(void **state)
{
	RTE_SET_USED(state);
	post(table, 16, TABLE | NEXT, 1);
	expect_fault(VRING_FAULT_INDIRECT);
}

static void
table_not_negotiated(void **state)
{
	RTE_SET_USED(state);
	driver.features = 0;
	assert_int_equal(driver_start(&driver), 0);
	post(table, 16, TABLE, 0);
	expect_fault(VRING_FAULT_INDIRECT);
}

static void
table_at_the_end_of_the_address_space(void **state)
{
	RTE_SET_USED(state);
	post(UINT64_MAX - 15, 32, TABLE, 0);
	expect_fault(VRING_FAULT_ADDRESS);
}

static void
table_longer_than_any_chain(void **state)
{
	unsigned int i;

	RTE_SET_USED(state);
	for (i = 0; i < 2000; i++)
		table_entry(i, driver.data, 1, NEXT, (uint16_t)(i + 1));
	post(table, 2000 * 16, TABLE, 0);
	expect_fault(VRING_FAULT_LONG);
}

static void
readable_behind_writable(void **state)
{
	RTE_SET_USED(state);
	driver_desc(&driver, 1, driver.data, 1, 0, 0);
	post(driver.data, 1, WRITE | NEXT, 1);
	expect_fault(VRING_FAULT_ORDER);
}

static void
buffer_that_wraps_around(void **state)
{
	RTE_SET_USED(state);
	post(UINT64_MAX - 3, 8, 0, 0);
	expect_fault(VRING_FAULT_ADDRESS);
}

static void
buffer_outside_every_region(void **state)
{
	RTE_SET_USED(state);
	post(0, 8, 0, 0);
	expect_fault(VRING_FAULT_MISS);
	assert_int_equal(driver.vq.fault_iova, 0);
}

/* The part after the end of the region is a miss; it is not looked for elsewhere. */
static void
buffer_over_the_end_of_a_region(void **state)
{
	uint64_t end = driver.regions[1].first + driver.regions[1].size;

	RTE_SET_USED(state);
	post(end - 4, 5, 0, 0);
	expect_fault(VRING_FAULT_MISS);
	assert_int_equal(driver.vq.fault_iova, end);
}

static void
write_to_what_may_only_be_read(void **state)
{
	struct rte_vduse_chain chain;

	RTE_SET_USED(state);
	driver.regions[1].read_only = true;
	post(driver.data, 8, 0, 0);
	assert_int_equal(vring_pop(&driver.vq, &chain, 1), 1);
	post(driver.data, 8, WRITE, 0);
	expect_fault(VRING_FAULT_MISS);
}

static void
start(uint32_t size, uint64_t desc, uint64_t avail, uint64_t used, int result)
{
	struct vring_layout layout = {
		.desc = driver.rings + desc,
		.driver = driver.rings + avail,
		.device = driver.rings + used,
		.size = size,
	};

	assert_int_equal(vring_start(&driver.vq, &layout, driver.vq.mem.lookup, &driver), result);
}

static void
layouts_that_are_none(void **state)
{
	RTE_SET_USED(state);
	start(0, 0, 128, 160, -EINVAL);
	start(1, 0, 128, 160, -EINVAL);
	start(3, 0, 128, 160, -EINVAL);
	start(65536, 0, 128, 160, -EINVAL);
	start(8, 8, 128, 160, -EINVAL);
	start(8, 0, 129, 160, -EINVAL);
	start(8, 0, 128, 162, -EINVAL);
	start(8, UINT64_C(1) << 40, 128, 160, -EFAULT);
	start(8, 0, UINT64_C(1) << 40, 160, -EFAULT);
	start(8, 0, 128, driver.regions[0].size - 60, -EFAULT);
	start(8, 0, 128, 160, 0);
}

/* Descriptors, tables and indices at random: never a crash, never a piece outside memory. */
static void
random_damage(void)
{
	struct rte_vduse_chain chains[RTE_VDUSE_BURST_MAX];
	uint8_t *bytes = (uint8_t *)driver.desc;
	uint16_t n, i, j;
	int k;

	for (k = rand() % 12; k >= 0; k--)
		bytes[rand() % (8 * 16)] = (uint8_t)rand();
	for (k = rand() % 12; k >= 0; k--)
		((uint8_t *)driver_va(&driver, table))[rand() % 256] = (uint8_t)rand();
	if (rand() % 16 == 0)
		driver.avail->idx = (uint16_t)rand();
	n = vring_pop(&driver.vq, chains, RTE_VDUSE_BURST_MAX);
	for (i = 0; i < n; i++) {
		for (j = 0; j < chains[i].nb_out + chains[i].nb_in; j++) {
			/* ASan sees to it that this is memory of the driver. */
			volatile uint8_t *va = chains[i].bufs[j].va;

			(void)va[0];
			(void)va[chains[i].bufs[j].len - 1];
		}
		chains[i].used_len = 0;
	}
	vring_push(&driver.vq, chains, n);
	vring_publish(&driver.vq);
}

static void
damage_never_kills(void **state)
{
	unsigned int seed, faults = 0, step, i;

	RTE_SET_USED(state);
	driver_free(&driver);
	for (seed = 0; seed < 5000; seed++) {
		srand(seed);
		setup(NULL);
		for (i = 0; i < 8; i++)
			driver_desc(&driver, (uint16_t)i, i & 1 ? table : driver.data, 64,
				    i & 1 ? TABLE : rand() % 4, (uint16_t)(rand() % 8));
		for (i = 0; i < 16; i++)
			table_entry(i, driver.data, 100, (uint16_t)(rand() % 4),
				    (uint16_t)(rand() % 8));
		for (step = 0; step < 8; step++) {
			driver_post(&driver, (uint16_t)(rand() % 8));
			random_damage();
		}
		faults += driver.vq.fault != VRING_FAULT_NONE;
		driver_free(&driver);
	}
	/* The damage was neither all harmless nor all fatal at once. */
	assert_in_range(faults, 100, 5000);
	setup(NULL);
}

#define HOSTILE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		HOSTILE(more_than_the_ring_holds),
		HOSTILE(head_outside_the_ring),
		HOSTILE(next_outside_the_ring),
		HOSTILE(next_outside_the_table),
		HOSTILE(chain_that_loops),
		HOSTILE(table_that_loops),
		HOSTILE(table_without_entries),
		HOSTILE(table_of_odd_length),
		HOSTILE(table_in_a_table),
		HOSTILE(table_that_begins_with_a_table),
		HOSTILE(table_and_next),
		HOSTILE(table_not_negotiated),
		HOSTILE(table_at_the_end_of_the_address_space),
		HOSTILE(table_longer_than_any_chain),
		HOSTILE(readable_behind_writable),
		HOSTILE(buffer_that_wraps_around),
		HOSTILE(buffer_outside_every_region),
		HOSTILE(buffer_over_the_end_of_a_region),
		HOSTILE(write_to_what_may_only_be_read),
		HOSTILE(layouts_that_are_none),
		HOSTILE(damage_never_kills),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
