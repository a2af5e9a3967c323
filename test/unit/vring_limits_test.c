/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Chains of split rings at the limits: maximum length, maximum number of pieces, zero bytes, partly
 * unmapped.
 */
#include "unit.h"
#include "vring_driver.h"

#define BIT(nr)  (UINT64_C(1) << (nr))
#define INDIRECT BIT(VIRTIO_RING_F_INDIRECT_DESC)
#define NEXT     VRING_DESC_F_NEXT
#define TABLE    VRING_DESC_F_INDIRECT

static struct driver driver;

static void
begin(uint32_t size, uint64_t features)
{
	driver_init(&driver, size, features, 0);
	assert_int_equal(driver_start(&driver), 0);
}

static uint16_t
pop(struct rte_vduse_chain *chains, uint16_t nb)
{
	return vring_pop(&driver.vq, chains, nb);
}

static void
post(uint16_t head, uint64_t iova, uint32_t len, uint16_t flags, uint16_t next)
{
	driver_desc(&driver, head, iova, len, flags, next);
	driver_post(&driver, head);
}

/* Room for a table of nb entries that follow each other, all naming one buffer. */
static uint64_t
table_make(uint32_t nb, uint64_t iova, uint32_t len)
{
	const struct driver_region *region = driver_region(&driver, 0, 16 * (uint64_t)nb);
	struct vring_desc *desc = (void *)region->va;
	uint32_t i;

	for (i = 0; i < nb; i++)
		desc[i] =
			(struct vring_desc){ iova, len, i + 1 < nb ? NEXT : 0, (uint16_t)(i + 1) };
	return region->first;
}

static void
index_that_goes_back(void **state)
{
	struct rte_vduse_chain chain;

	RTE_SET_USED(state);
	begin(8, 0);
	post(0, driver.data, 1, 0, 0);
	post(0, driver.data, 1, 0, 0);
	assert_int_equal(pop(&chain, 1), 1);
	driver.avail->idx = 0;
	assert_int_equal(pop(&chain, 1), 1); /* one that was seen stays */
	assert_int_equal(pop(&chain, 1), 0);
	assert_int_equal(driver.vq.fault, VRING_FAULT_AVAIL);
	assert_int_equal(vring_count(&driver.vq), 0);
	driver_free(&driver);
}

/* A ring may be one chain; one more descriptor and it would loop. */
static void
chain_as_long_as_the_ring(void **state)
{
	struct rte_vduse_chain chain;
	uint32_t size, i;

	RTE_SET_USED(state);
	for (size = VRING_SIZE_MIN; size <= VRING_SIZE_MAX; size *= 2) {
		begin(size, 0);
		for (i = 0; i < size; i++)
			driver_desc(&driver, (uint16_t)i, driver.data + i, 1,
				    i + 1 < size ? NEXT : 0, (uint16_t)(i + 1));
		driver_post(&driver, 0);
		assert_int_equal(pop(&chain, 1), 1);
		assert_int_equal(chain.out_len, size);
		assert_int_equal(chain.nb_out, size);
		assert_int_equal(chain.nb_descs, size);
		driver_desc(&driver, (uint16_t)(size - 1), driver.data, 1, NEXT, 0);
		driver_post(&driver, 0);
		assert_int_equal(pop(&chain, 1), 0);
		assert_int_equal(driver.vq.fault, VRING_FAULT_LOOP);
		driver_free(&driver);
	}
}

static void
table_as_long_as_allowed(void **state)
{
	static const uint32_t sizes[] = { 2, 1024, 4096, VRING_SIZE_MAX };
	struct rte_vduse_chain chain;
	uint64_t table;
	uint32_t i;

	RTE_SET_USED(state);
	for (i = 0; i < RTE_DIM(sizes); i++) {
		uint32_t limit = RTE_MAX(sizes[i], (uint32_t)VRING_CHAIN_MIN_LIMIT);

		begin(sizes[i], INDIRECT);
		table = table_make(limit + 1, driver.data, 1);
		post(0, table + 16, 16 * limit, TABLE, 0);
		/* That one enters at the second entry: its last "next" lies outside. */
		assert_int_equal(pop(&chain, 1), 0);
		assert_int_equal(driver.vq.fault, VRING_FAULT_INDEX);
		driver.vq.fault = VRING_FAULT_NONE;
		((struct vring_desc *)driver_va(&driver, table + 16 * limit - 16))->flags = 0;
		driver.desc[0].addr = table;
		assert_int_equal(pop(&chain, 1), 1);
		assert_int_equal(chain.nb_out, limit);
		assert_int_equal(chain.nb_descs, 1);
		((struct vring_desc *)driver_va(&driver, table + 16 * limit - 16))->flags = NEXT;
		post(0, table, 16 * (limit + 1), TABLE, 0);
		assert_int_equal(pop(&chain, 1), 0);
		assert_int_equal(driver.vq.fault, VRING_FAULT_LONG);
		driver_free(&driver);
	}
}

/* A region of one byte in between makes three pieces of each buffer. */
static void
regions_of_one_byte(uint64_t *iova)
{
	uint64_t first = driver_region(&driver, 0, 4096)->first;

	driver_region(&driver, first + 4096, 1);
	driver_region(&driver, first + 4097, 4096);
	*iova = first + 4095;
}

/* The scratch holds 2 x 1024 + 64 pieces on a small ring. */
static void
chain_of_too_many_pieces(void **state)
{
	struct rte_vduse_chain chain;
	uint64_t iova, table;

	RTE_SET_USED(state);
	begin(8, INDIRECT);
	regions_of_one_byte(&iova);
	table = table_make(VRING_CHAIN_MIN_LIMIT, iova, 3);
	post(0, table, 16 * VRING_CHAIN_MIN_LIMIT, TABLE, 0);
	assert_int_equal(pop(&chain, 1), 0);
	assert_int_equal(driver.vq.fault, VRING_FAULT_LONG);
	driver_free(&driver);
}

/* Chains that do not fit into one burst come in separate bursts. */
static void
burst_that_fills_the_scratch(void **state)
{
	struct rte_vduse_chain chains[4];
	uint64_t iova, table;
	uint16_t i;

	RTE_SET_USED(state);
	begin(8, INDIRECT);
	regions_of_one_byte(&iova);
	table = table_make(VRING_CHAIN_MIN_LIMIT, iova, 2);
	for (i = 0; i < 3; i++)
		post(i, table, 16 * VRING_CHAIN_MIN_LIMIT, TABLE, 0);
	for (i = 0; i < 3; i++) {
		assert_int_equal(pop(chains, 4), 1);
		assert_int_equal(driver.vq.fault, VRING_FAULT_NONE);
		assert_int_equal(chains[0].head, i);
		assert_int_equal(chains[0].nb_out, 2 * VRING_CHAIN_MIN_LIMIT);
		assert_int_equal(vring_count(&driver.vq), 2 - i);
	}
	driver_free(&driver);
}

static void
burst_no_larger_than_allowed(void **state)
{
	struct rte_vduse_chain chains[RTE_VDUSE_BURST_MAX + 1];
	uint16_t i;

	RTE_SET_USED(state);
	begin(128, 0);
	for (i = 0; i < RTE_VDUSE_BURST_MAX + 1; i++)
		post(i, driver.data, 1, 0, 0);
	assert_int_equal(pop(chains, 0), 0);
	assert_int_equal(pop(chains, RTE_VDUSE_BURST_MAX + 1), RTE_VDUSE_BURST_MAX);
	assert_int_equal(pop(chains, RTE_VDUSE_BURST_MAX + 1), 1);
	driver_free(&driver);
}

/* Legal, wherever it points. */
static void
descriptors_without_bytes(void **state)
{
	struct rte_vduse_chain chains[2];

	RTE_SET_USED(state);
	begin(8, 0);
	driver_desc(&driver, 1, driver.data, 5, NEXT, 2);
	driver_desc(&driver, 2, 0, 0, VRING_DESC_F_WRITE, 0);
	post(0, UINT64_MAX, 0, NEXT, 1);
	post(3, 0, 0, 0, 0);
	assert_int_equal(pop(chains, 2), 2);
	assert_int_equal(chains[0].nb_out, 1);
	assert_int_equal(chains[0].nb_in, 0);
	assert_int_equal(chains[0].out_len, 5);
	assert_int_equal(chains[0].nb_descs, 3);
	assert_int_equal(chains[1].nb_out + chains[1].nb_in, 0);
	driver_free(&driver);
}

/* More memory than exists: only the sum is checked. */
static void
lengths_saturate(void **state)
{
	struct driver_region *region;
	struct rte_vduse_chain chain;

	RTE_SET_USED(state);
	begin(8, 0);
	region = driver_region(&driver, 0, 4096);
	region->size = UINT64_C(1) << 33;
	driver_desc(&driver, 1, region->first, UINT32_MAX, 0, 0);
	post(0, region->first, UINT32_MAX, NEXT, 1);
	assert_int_equal(pop(&chain, 1), 1);
	assert_int_equal(chain.nb_out, 2);
	assert_int_equal(chain.bufs[1].len, UINT32_MAX);
	assert_int_equal(chain.out_len, UINT32_MAX);
	driver_free(&driver);
}

/* The second half of a table, then the second half of a buffer are found missing. */
static void
misses_on_the_way(void **state)
{
	struct driver_region *late;
	struct rte_vduse_chain chain;
	uint64_t seam;

	RTE_SET_USED(state);
	begin(8, INDIRECT);
	seam = driver_region(&driver, 0, 4096)->first + 4096;
	late = driver_region(&driver, seam, 4096);
	late->size = 0;
	post(0, seam - 4, 16, TABLE, 0);
	assert_int_equal(pop(&chain, 1), 0);
	assert_int_equal(driver.vq.fault, VRING_FAULT_MISS);
	assert_int_equal(driver.vq.fault_iova, seam);
	driver.desc[0] = (struct vring_desc){ seam - 3, 10, VRING_DESC_F_WRITE, 0 };
	driver.vq.fault = VRING_FAULT_NONE;
	assert_int_equal(pop(&chain, 1), 0);
	assert_int_equal(driver.vq.fault_iova, seam);
	late->size = 4096;
	driver.vq.fault = VRING_FAULT_NONE;
	assert_int_equal(pop(&chain, 1), 1);
	assert_int_equal(chain.nb_in, 2);
	assert_int_equal(chain.in_len, 10);
	driver_free(&driver);
}

/* A fault after chains that are given back is found again with them, not before. */
static void
unpop_takes_the_fault_along(void **state)
{
	struct rte_vduse_chain chains[2];

	RTE_SET_USED(state);
	begin(8, 0);
	post(0, driver.data, 1, 0, 0);
	driver_post(&driver, 9);
	assert_int_equal(pop(chains, 2), 1);
	assert_int_equal(driver.vq.fault, VRING_FAULT_INDEX);
	vring_unpop(&driver.vq, chains, 0);
	assert_int_equal(driver.vq.fault, VRING_FAULT_INDEX);
	vring_unpop(&driver.vq, chains, 1);
	assert_int_equal(driver.vq.fault, VRING_FAULT_NONE);
	assert_int_equal(pop(chains, 2), 1);
	assert_int_equal(driver.vq.fault, VRING_FAULT_INDEX);
	driver_free(&driver);
}

/* Chains of descriptors without bytes cost time and no memory: a pop ends after so many. */
static void
many_empty_descriptors(void **state)
{
	static const struct {
		uint32_t ring, nb;
	} tables[] = { { 64, 1024 }, { 1024, 1000 }, { VRING_SIZE_MAX, VRING_SIZE_MAX } };
	struct rte_vduse_chain chains[RTE_VDUSE_BURST_MAX];
	uint16_t i, j, n, left;

	RTE_SET_USED(state);
	for (i = 0; i < RTE_DIM(tables); i++) {
		uint32_t nb = tables[i].nb, most = (VRING_POP_DESCS + nb - 1) / nb;
		uint64_t table;

		begin(tables[i].ring, INDIRECT);
		table = table_make(nb, driver.data, 0);
		for (j = 0; j < 32; j++)
			post(j, table, 16 * nb, TABLE, 0);
		for (left = 32; left > 0; left = (uint16_t)(left - n)) {
			n = pop(chains, 32);
			assert_int_equal(driver.vq.fault, VRING_FAULT_NONE);
			assert_int_equal(n, RTE_MIN(left, most));
			assert_int_equal(vring_count(&driver.vq), left - n);
		}
		driver_free(&driver);
	}
}

/* The same in the ring itself; and chains of one descriptor, which are many in a burst. */
static void
many_descriptors_of_the_ring(void **state)
{
	struct rte_vduse_chain chains[RTE_VDUSE_BURST_MAX];
	uint16_t i, n;

	RTE_SET_USED(state);
	begin(VRING_SIZE_MAX, 0);
	for (i = 0; i < VRING_SIZE_MAX; i++)
		driver_desc(&driver, i, driver.data, 0, i % 1024 < 1023 ? NEXT : 0,
			    (uint16_t)(i + 1));
	for (i = 0; i < 16; i++)
		driver_post(&driver, (uint16_t)(1024 * i));
	for (n = 16; n > 0; n -= 4)
		assert_int_equal(pop(chains, 32), 4);
	for (i = 0; i < RTE_VDUSE_BURST_MAX; i++)
		driver_post(&driver, 1023);
	assert_int_equal(pop(chains, RTE_VDUSE_BURST_MAX), RTE_VDUSE_BURST_MAX);
	driver_free(&driver);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(index_that_goes_back),
		cmocka_unit_test(chain_as_long_as_the_ring),
		cmocka_unit_test(table_as_long_as_allowed),
		cmocka_unit_test(chain_of_too_many_pieces),
		cmocka_unit_test(burst_that_fills_the_scratch),
		cmocka_unit_test(burst_no_larger_than_allowed),
		cmocka_unit_test(descriptors_without_bytes),
		cmocka_unit_test(lengths_saturate),
		cmocka_unit_test(misses_on_the_way),
		cmocka_unit_test(many_empty_descriptors),
		cmocka_unit_test(many_descriptors_of_the_ring),
		cmocka_unit_test(unpop_takes_the_fault_along),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
