/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Packed rings: sizes and wrap-around, addresses and start positions, batches in order, and named
 * faults of drivers that break the rules. vring_model_test covers what both formats have in common.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"
#include "vring_driver.h"

#define BIT(nr)  (UINT64_C(1) << (nr))
#define PACKED   BIT(VIRTIO_F_RING_PACKED)
#define INDIRECT BIT(VIRTIO_RING_F_INDIRECT_DESC)
#define IN_ORDER BIT(VIRTIO_F_IN_ORDER)
#define NEXT     VRING_DESC_F_NEXT
#define WRITE    VRING_DESC_F_WRITE
#define TABLE    VRING_DESC_F_INDIRECT
#define AVAIL    (1u << VRING_PACKED_DESC_F_AVAIL)
#define USED     (1u << VRING_PACKED_DESC_F_USED)

static struct driver driver;
static uint64_t table; /* room for indirect descriptors */

static void
begin(uint32_t size, uint64_t features, uint16_t place)
{
	driver_init(&driver, size, PACKED | features, place);
	table = driver_region(&driver, 0, 1 << 16)->first;
	assert_int_equal(driver_start(&driver), 0);
}

static bool
post(uint16_t id, uint64_t iova, uint32_t len, uint16_t flags)
{
	struct driver_part part = { iova, len, flags };

	return driver_post_chain(&driver, &id, &part, 1);
}

static bool
push(struct rte_vduse_chain *chains, uint16_t nb)
{
	vring_push(&driver.vq, chains, nb);
	return vring_publish(&driver.vq);
}

/* Fills the ring, empties it, again and again over many turns. */
static void
turns(uint32_t size, uint64_t features, uint16_t place)
{
	struct rte_vduse_chain chains[RTE_VDUSE_BURST_MAX];
	uint32_t sent = 0, got = 0, id, len, end = RTE_MAX(8 * size, 1000u);

	begin(size, features, place);
	while (got < end) {
		uint32_t n, i;

		/* The driver fills the ring up; it never wants to kick. */
		for (; sent - got < size; sent++) {
			uint64_t iova = driver.data + 4096 * (uint64_t)(sent % size);

			memcpy(driver_va(&driver, iova), &sent, sizeof(sent));
			assert_false(post((uint16_t)(sent % size), iova, 8, 0));
		}
		assert_int_equal(vring_count(&driver.vq), size);
		while ((n = vring_pop(&driver.vq, chains, RTE_VDUSE_BURST_MAX)) > 0) {
			for (i = 0; i < n; i++, got++) {
				assert_int_equal(chains[i].out_len, 8);
				assert_memory_equal(chains[i].bufs[0].va, &got, sizeof(got));
				chains[i].used_len = 0;
			}
			push(chains, (uint16_t)n);
		}
		assert_int_equal(driver.vq.fault, VRING_FAULT_NONE);
		assert_int_equal(got, sent);
		for (i = 0; driver_take(&driver, &id, &len); i++)
			assert_int_equal(id, (sent - size + i) % size);
		assert_int_equal(i, size);
	}
	driver_free(&driver);
}

static void
every_size_turns(void **state)
{
	static const uint32_t sizes[] = { 1, 2, 3, 7, 64, 100, 255, 256, 1000, 32767, 32768 };
	unsigned int i;

	RTE_SET_USED(state);
	for (i = 0; i < RTE_DIM(sizes); i++) {
		turns(sizes[i], 0, 0);
		turns(sizes[i], IN_ORDER, (uint16_t)(sizes[i] - 1));
		turns(sizes[i], BIT(VIRTIO_RING_F_EVENT_IDX), (uint16_t)(sizes[i] + sizes[i] / 2));
	}
}

/* With the device holding all of it, a ring shows nothing more, whatever is written there. */
static void
more_than_the_ring_holds(void **state)
{
	struct rte_vduse_chain chains[8];
	uint16_t i;

	RTE_SET_USED(state);
	begin(4, 0, 0);
	for (i = 0; i < 4; i++)
		post(i, driver.data, 1, 0);
	assert_int_equal(vring_pop(&driver.vq, chains, 8), 4);
	assert_int_equal(driver.vq.fault, VRING_FAULT_NONE);
	for (i = 0; i < 4; i++)
		post(i, driver.data, 1, 0);
	assert_int_equal(vring_count(&driver.vq), 0);
	assert_int_equal(vring_pop(&driver.vq, chains + 4, 4), 0);
	assert_int_equal(driver.vq.fault, VRING_FAULT_AVAIL);
	driver_free(&driver);
}

#define DATA_SIZE (8 * 4096)

/*
 * Pops a cache line of descriptors, one of which has another buffer than the others: it begins so
 * far behind driver.data. Behind DATA_SIZE lies one more region of 4096 bytes, and then nothing.
 */
static uint16_t
odd_line(struct rte_vduse_chain *chains, uint16_t odd, uint64_t offset, uint32_t len,
	 uint16_t flags)
{
	uint16_t i;

	begin(8, 0, 0);
	driver_region(&driver, driver.data + DATA_SIZE, 4096);
	for (i = 0; i < 4; i++)
		post(i, driver.data, 100, flags);
	assert_int_equal(vring_pop(&driver.vq, chains, 4), 4);
	for (i = 0; i < 4; i++)
		if (i == odd)
			post(4, driver.data + offset, len, flags);
		else
			post((uint16_t)(4 + i), driver.data, 100, flags);
	return vring_pop(&driver.vq, chains, 4);
}

static void
one_odd(uint16_t odd, uint16_t flags)
{
	struct rte_vduse_chain chains[4];
	const struct rte_vduse_chain *chain = &chains[odd];
	uint16_t i;

	/* Across the border of two regions. */
	assert_int_equal(odd_line(chains, odd, DATA_SIZE - 8, 16, flags), 4);
	assert_int_equal(chain->nb_out + chain->nb_in, 2);
	assert_int_equal(chain->bufs[0].len, 8);
	assert_ptr_equal(chain->bufs[1].va, driver_va(&driver, driver.data + DATA_SIZE));
	for (i = 0; i < 4; i++)
		if (i != odd)
			assert_int_equal(chains[i].out_len + chains[i].in_len, 100);
	driver_free(&driver);
	/* In the other one. */
	assert_int_equal(odd_line(chains, odd, DATA_SIZE, 4096, flags), 4);
	assert_ptr_equal(chain->bufs[0].va, driver_va(&driver, driver.data + DATA_SIZE));
	driver_free(&driver);
	/* Empty. */
	assert_int_equal(odd_line(chains, odd, 0, 0, flags), 4);
	assert_int_equal(chain->nb_out + chain->nb_in, 0);
	assert_int_equal(chain->out_len + chain->in_len, 0);
	driver_free(&driver);
	/* Across the end of all. */
	assert_int_equal(odd_line(chains, odd, DATA_SIZE + 4096 - 8, 16, flags), odd);
	assert_int_equal(driver.vq.fault, VRING_FAULT_MISS);
	driver_free(&driver);
}

/* Buffers of one line are taken together only if each lies within what is mapped there. */
static void
lines_with_one_odd(void **state)
{
	uint16_t odd;

	RTE_SET_USED(state);
	for (odd = 0; odd < 4; odd++) {
		one_odd(odd, 0);
		one_odd(odd, WRITE);
	}
}

/* Only what the device has to write to needs an entry of its own (section 2.8.9). */
static void
batches_in_order(void **state)
{
	struct rte_vduse_chain chains[8];
	uint32_t id, len;
	uint16_t i;

	RTE_SET_USED(state);
	begin(8, IN_ORDER, 3);
	for (i = 0; i < 6; i++)
		post(i, driver.data, 16, i == 3 ? WRITE : 0);
	assert_int_equal(vring_pop(&driver.vq, chains, 8), 6);
	for (i = 0; i < 6; i++)
		chains[i].used_len = i == 3 ? 7 : 0;
	push(chains, 6);
	/* The first batch: 0 to 3, at the place of 0. */
	assert_int_equal(driver.packed.desc[3].id, 3);
	assert_int_equal(driver.packed.desc[3].len, 7);
	assert_int_equal(driver.packed.desc[3].flags, AVAIL | USED | WRITE);
	assert_int_equal(driver.packed.desc[7].id, 5);
	assert_int_equal(driver.packed.desc[7].flags, AVAIL | USED);
	for (i = 0; i < 6; i++) {
		assert_true(driver_take(&driver, &id, &len));
		assert_int_equal(id, i);
		assert_int_equal(len, i == 3 ? 7 : 0);
	}
	assert_false(driver_take(&driver, &id, &len));
	driver_free(&driver);
}

/* A kick is asked for, or not, whatever the driver negotiated. */
static void
notify(void **state)
{
	RTE_SET_USED(state);
	begin(8, 0, 0);
	assert_false(post(0, driver.data, 1, 0));
	vring_notify(&driver.vq, true);
	assert_true(post(1, driver.data, 1, 0));
	vring_notify(&driver.vq, false);
	assert_false(post(2, driver.data, 1, 0));
	driver.packed.device_event->flags = 0;
	assert_int_equal(vring_remap(&driver.vq), 0);
	assert_false(post(3, driver.data, 1, 0));
	driver_free(&driver);
}

static void
start(uint32_t size, uint64_t desc, uint64_t events, uint32_t position, int result)
{
	struct vring_layout layout = {
		.desc = driver.rings + desc,
		.driver = driver.rings + events,
		.device = driver.rings + events + 64,
		.features = PACKED,
		.size = size,
		.position = position,
	};

	assert_int_equal(vring_start(&driver.vq, &layout, driver.vq.mem.lookup, &driver), result);
}

static void
layouts_that_are_none(void **state)
{
	RTE_SET_USED(state);
	begin(8, 0, 0);
	start(0, 0, 128, 0x80008000, -EINVAL);
	start(32769, 0, 128, 0x80008000, -EINVAL);
	start(8, 8, 128, 0x80008000, -EINVAL);
	start(8, 0, 130, 0x80008000, -EINVAL);
	start(8, 0, 128, 0x80008008, -EINVAL);
	start(8, 0, 128, 0x80088000, -EINVAL);
	start(8, UINT64_C(1) << 40, 128, 0, -EFAULT);
	start(8, 0, UINT64_C(1) << 40, 0, -EFAULT);
	start(8, 0, driver.regions[0].size - 4, 0, -EFAULT);
	driver.regions[0].read_only = true;
	start(8, 0, 128, 0, -EFAULT);
	driver.regions[0].read_only = false;
	start(8, 0, 128, 0x00068002, 0);
	/* Nothing is in flight there. */
	assert_int_equal(vring_position(&driver.vq), 0x80028002);
	/* What was taken beyond the used position is taken again. */
	driver.packed.desc[6].flags = USED;
	start(8, 0, 128, 0x00068002, 0);
	assert_int_equal(vring_position(&driver.vq), 0x00060006);
	driver_free(&driver);
}

static void
table_entry(unsigned int index, uint64_t iova, uint32_t len, uint16_t flags)
{
	struct vring_packed_desc *desc = driver_va(&driver, table);

	desc[index] = (struct vring_packed_desc){ iova, len, 0, flags };
}

/* The next chain is refused for this reason, and goes on being refused. */
static void
expect_fault(enum vring_fault fault)
{
	struct rte_vduse_chain chains[RTE_VDUSE_BURST_MAX];

	assert_int_equal(vring_pop(&driver.vq, chains, RTE_VDUSE_BURST_MAX), 0);
	assert_int_equal(driver.vq.fault, fault);
	assert_int_equal(vring_pop(&driver.vq, chains, RTE_VDUSE_BURST_MAX), 0);
	driver_free(&driver);
	begin(8, INDIRECT, 0);
}

/* nb descriptors that go on and on, then one that ends, in a ring of 8. */
static void
long_chain(uint16_t nb)
{
	struct driver_part parts[16];
	uint16_t id = 0, i;

	for (i = 0; i < nb; i++)
		parts[i] = (struct driver_part){ driver.data, 1, 0 };
	driver_post_chain(&driver, &id, parts, nb);
}

static void
chains_that_are_none(void **state)
{
	struct driver_part two[2] = { { 0, 1, 0 }, { 0, 1, 0 } };
	uint16_t id = 0;
	unsigned int i;

	RTE_SET_USED(state);
	begin(8, INDIRECT, 0);
	/* Behind the ring's last free descriptor comes its first again. */
	long_chain(9);
	driver.packed.desc[0].flags = AVAIL | NEXT;
	expect_fault(VRING_FAULT_LOOP);
	post(0, table, 0, TABLE);
	expect_fault(VRING_FAULT_INDIRECT);
	post(0, table, 24, TABLE);
	expect_fault(VRING_FAULT_INDIRECT);
	post(0, table, 16, TABLE | NEXT);
	expect_fault(VRING_FAULT_INDIRECT);
	table_entry(0, table, 16, TABLE);
	post(0, table, 16, TABLE);
	expect_fault(VRING_FAULT_INDIRECT);
	two[0].iova = driver.data;
	two[1] = (struct driver_part){ table, 16, TABLE };
	driver_post_chain(&driver, &id, two, 2);
	expect_fault(VRING_FAULT_INDIRECT);
	post(0, UINT64_MAX - 15, 32, TABLE);
	expect_fault(VRING_FAULT_ADDRESS);
	for (i = 0; i < 2000; i++)
		table_entry(i, driver.data, 1, 0);
	post(0, table, 2000 * 16, TABLE);
	expect_fault(VRING_FAULT_LONG);
	two[0].flags = WRITE;
	two[1] = (struct driver_part){ driver.data, 1, 0 };
	driver_post_chain(&driver, &id, two, 2);
	expect_fault(VRING_FAULT_ORDER);
	post(0, UINT64_MAX - 3, 8, 0);
	expect_fault(VRING_FAULT_ADDRESS);
	post(0, 0, 8, 0);
	expect_fault(VRING_FAULT_MISS);
	driver_free(&driver);
	begin(8, 0, 0);
	post(0, table, 16, TABLE);
	expect_fault(VRING_FAULT_INDIRECT);
	driver_free(&driver);
}

/* DPDK's driver marks entries of tables as writable in a queue of which the device only reads. */
static void
tables_that_are_read(void **state)
{
	struct rte_vduse_chain chain;
	unsigned int i;

	RTE_SET_USED(state);
	begin(8, INDIRECT, 0);
	driver.vq.reads_tables = true;
	for (i = 0; i < 4; i++)
		table_entry(i, driver.data + 100 * i, 12 + i, i % 2 == 0 ? WRITE : 0);
	post(0, table, 64, TABLE);
	assert_int_equal(vring_pop(&driver.vq, &chain, 1), 1);
	assert_int_equal(chain.nb_out, 4);
	assert_int_equal(chain.out_len, 12 + 13 + 14 + 15);
	assert_int_equal(chain.nb_in, 0);
	for (i = 0; i < 4; i++) {
		assert_ptr_equal(chain.bufs[i].va, driver_va(&driver, driver.data + 100 * i));
		assert_int_equal(chain.bufs[i].len, 12 + i);
	}
	chain.used_len = 0;
	push(&chain, 1);
	/* Without a table the flags count, and so do those of a table in any other queue. */
	post(1, driver.data, 1, WRITE);
	assert_int_equal(vring_pop(&driver.vq, &chain, 1), 1);
	assert_int_equal(chain.nb_in, 1);
	push(&chain, 1);
	driver.vq.reads_tables = false;
	post(2, table, 64, TABLE);
	expect_fault(VRING_FAULT_ORDER);
	driver_free(&driver);
}

/* A chain must not extend into descriptors that the device holds, and counting must end. */
static void
chains_without_an_end(void **state)
{
	struct rte_vduse_chain chains[2];
	uint16_t i;

	RTE_SET_USED(state);
	begin(8, 0, 0);
	long_chain(4);
	assert_int_equal(vring_pop(&driver.vq, chains, 2), 1);
	long_chain(5);
	assert_int_equal(vring_pop(&driver.vq, chains, 2), 0);
	assert_int_equal(driver.vq.fault, VRING_FAULT_LOOP);
	driver_free(&driver);
	begin(8, 0, 0);
	for (i = 0; i < 8; i++)
		driver.packed.desc[i].flags = AVAIL | NEXT;
	assert_int_equal(vring_count(&driver.vq), 1);
	driver_free(&driver);
}

/* A fault after chains that are given back is found again. */
static void
fault_after_unpop(void **state)
{
	struct rte_vduse_chain chains[2];

	RTE_SET_USED(state);
	begin(8, 0, 0);
	post(0, driver.data, 1, 0);
	post(1, 0, 1, 0);
	assert_int_equal(vring_pop(&driver.vq, chains, 2), 1);
	assert_int_equal(driver.vq.fault, VRING_FAULT_MISS);
	vring_unpop(&driver.vq, chains, 1);
	assert_int_equal(driver.vq.fault, VRING_FAULT_NONE);
	assert_int_equal(vring_pop(&driver.vq, chains, 2), 1);
	assert_int_equal(driver.vq.fault, VRING_FAULT_MISS);
	driver_free(&driver);
}

/* Descriptors and tables at random: never a crash, never a piece outside memory. */
static void
random_damage(void)
{
	struct rte_vduse_chain chains[RTE_VDUSE_BURST_MAX];
	uint8_t *bytes = (uint8_t *)driver.packed.desc;
	uint16_t n, i, j;
	int k;

	for (k = rand() % 12; k >= 0; k--)
		bytes[rand() % (8 * 16)] = (uint8_t)rand();
	for (k = rand() % 12; k >= 0; k--)
		((uint8_t *)driver_va(&driver, table))[rand() % 256] = (uint8_t)rand();
	driver_packed_set_event(&driver, (uint16_t)rand(), (uint32_t)rand() % 40000);
	(void)vring_count(&driver.vq);
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
	vring_unpop(&driver.vq, chains + n / 2, (uint16_t)(n - n / 2));
	vring_push(&driver.vq, chains, n / 2);
	(void)vring_publish(&driver.vq);
}

static void
damage_never_kills(void **state)
{
	unsigned int seed, faults = 0, step, i;

	RTE_SET_USED(state);
	for (seed = 0; seed < 5000; seed++) {
		srand(seed);
		begin(8, seed % 2 ? INDIRECT : INDIRECT | IN_ORDER, (uint16_t)(rand() % 16));
		for (i = 0; i < 16; i++)
			table_entry(i, driver.data, 100, rand() % 4);
		for (step = 0; step < 8; step++) {
			bool indirect = rand() % 2;

			post((uint16_t)(rand() % 8), indirect ? table : driver.data, 64,
			     indirect ? TABLE : rand() % 4);
			random_damage();
		}
		faults += driver.vq.fault != VRING_FAULT_NONE;
		driver_free(&driver);
	}
	/* The damage was neither all harmless nor all fatal at once. */
	assert_in_range(faults, 100, 4990);
}

/* Descriptors without bytes cost time and no memory: a pop ends after so many. */
static void
many_empty_descriptors(void **state)
{
	static struct driver_part parts[1024];
	struct rte_vduse_chain chains[RTE_VDUSE_BURST_MAX];
	uint16_t i;

	RTE_SET_USED(state);
	begin(VRING_SIZE_MAX, INDIRECT, 0);
	/* A table of zeroes, and chains through the ring. */
	for (i = 0; i < 16; i++)
		post(i, table, 16 * 1024, TABLE);
	for (i = 16; i < 32; i++)
		driver_post_chain(&driver, &i, parts, RTE_DIM(parts));
	for (i = 0; i < 32; i += 4) {
		assert_int_equal(vring_pop(&driver.vq, chains, 32), 4);
		assert_int_equal(driver.vq.fault, VRING_FAULT_NONE);
		assert_int_equal(chains[0].head, i);
	}
	assert_int_equal(vring_pop(&driver.vq, chains, 32), 0);
	driver_free(&driver);
	begin(VRING_SIZE_MAX, INDIRECT, 0);
	for (i = 0; i < RTE_VDUSE_BURST_MAX; i++)
		post(i, driver.data, 0, 0);
	assert_int_equal(vring_pop(&driver.vq, chains, RTE_VDUSE_BURST_MAX), RTE_VDUSE_BURST_MAX);
	driver_free(&driver);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_size_turns),
		cmocka_unit_test(more_than_the_ring_holds),
		cmocka_unit_test(lines_with_one_odd),
		cmocka_unit_test(batches_in_order),
		cmocka_unit_test(notify),
		cmocka_unit_test(layouts_that_are_none),
		cmocka_unit_test(chains_that_are_none),
		cmocka_unit_test(tables_that_are_read),
		cmocka_unit_test(chains_without_an_end),
		cmocka_unit_test(many_empty_descriptors),
		cmocka_unit_test(fault_after_unpop),
		cmocka_unit_test(damage_never_kills),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
