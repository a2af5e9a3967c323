/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Split rings against a driver model: every size and wrap-around, chains in every layout, calls and
 * kicks against a simple reference, memory that moves.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"
#include "vring_driver.h"

#define BIT(nr)   (UINT64_C(1) << (nr))
#define INDIRECT  BIT(VIRTIO_RING_F_INDIRECT_DESC)
#define EVENT_IDX BIT(VIRTIO_RING_F_EVENT_IDX)

static struct driver driver;

static uint16_t
pop(struct rte_vduse_chain *chains, uint16_t nb)
{
	return vring_pop(&driver.vq, chains, nb);
}

static bool
push(struct rte_vduse_chain *chains, uint16_t nb)
{
	vring_push(&driver.vq, chains, nb);
	return vring_publish(&driver.vq);
}

/* Fills the ring, empties it, again and again over more than two turns of the index space. */
static void
wrap(uint32_t size, uint64_t features)
{
	struct rte_vduse_chain chains[RTE_VDUSE_BURST_MAX];
	uint32_t sent = 0, got = 0, head, len;

	driver_init(&driver, size, features, (uint16_t)(0x10000 - size / 2));
	assert_int_equal(driver_start(&driver), 0);
	while (got < 3 * 0x10000) {
		uint16_t i, n;

		/* The driver fills the ring up; it never wants to kick. */
		while (sent - got < size) {
			uint16_t slot = (uint16_t)(sent & (size - 1));
			uint64_t iova = driver.data + 4096 * (uint64_t)slot;

			memcpy(driver_va(&driver, iova), &sent, sizeof(sent));
			driver_desc(&driver, slot, iova, 8, 0, 0);
			assert_false(driver_post(&driver, slot));
			sent++;
		}
		while ((n = pop(chains, RTE_VDUSE_BURST_MAX)) > 0) {
			for (i = 0; i < n; i++) {
				assert_int_equal(chains[i].out_len, 8);
				assert_memory_equal(chains[i].bufs[0].va, &got, sizeof(got));
				chains[i].used_len = got;
				got++;
			}
			push(chains, n);
		}
		assert_int_equal(driver.vq.fault, VRING_FAULT_NONE);
		assert_int_equal(got, sent);
		for (i = 0; driver_take(&driver, &head, &len); i++)
			assert_int_equal(len, sent - size + i);
		assert_int_equal(i, (uint16_t)size);
	}
	driver_free(&driver);
}

static void
every_size_wraps_around(void **state)
{
	uint32_t size;

	RTE_SET_USED(state);
	for (size = VRING_SIZE_MIN; size <= VRING_SIZE_MAX; size *= 2) {
		wrap(size, 0);
		wrap(size, EVENT_IDX);
	}
}

/* The rule of section 2.7.10 said slowly: is event among the entries old to now - 1? */
static bool
reference_wants_call(uint16_t event, uint16_t old, uint16_t now)
{
	for (; old != now; old++)
		if (old == event)
			return true;
	return false;
}

static void
calls_follow_the_used_event(void **state)
{
	struct rte_vduse_chain chains[RTE_VDUSE_BURST_MAX];
	unsigned int round;
	uint32_t head, len;

	RTE_SET_USED(state);
	driver_init(&driver, 64, EVENT_IDX, 0xfff0);
	assert_int_equal(driver_start(&driver), 0);
	srand(1);
	for (round = 0; round < 20000; round++) {
		uint16_t n = (uint16_t)(rand() % 64), i, got, old = driver.used->idx;
		uint16_t event = (uint16_t)(old + rand() % 80 - 8);

		for (i = 0; i < n; i++) {
			driver_desc(&driver, i, driver.data, 1, 0, 0);
			assert_false(driver_post(&driver, i));
		}
		driver_set_used_event(&driver, event);
		got = pop(chains, RTE_VDUSE_BURST_MAX);
		assert_int_equal(got, n);
		assert_int_equal(push(chains, got),
				 reference_wants_call(event, old, (uint16_t)(old + n)));
		while (driver_take(&driver, &head, &len))
			;
	}
	driver_free(&driver);
}

static void
no_interrupt_means_no_call(void **state)
{
	struct rte_vduse_chain chain;

	RTE_SET_USED(state);
	driver_init(&driver, 4, 0, 0);
	assert_int_equal(driver_start(&driver), 0);
	assert_int_equal(driver.used->flags, VRING_USED_F_NO_NOTIFY);
	driver_desc(&driver, 0, driver.data, 1, 0, 0);
	driver_post(&driver, 0);
	assert_int_equal(pop(&chain, 1), 1);
	assert_true(push(&chain, 1));
	assert_false(vring_publish(&driver.vq)); /* nothing new */
	driver.avail->flags = VRING_AVAIL_F_NO_INTERRUPT;
	driver_post(&driver, 0);
	assert_int_equal(pop(&chain, 1), 1);
	assert_false(push(&chain, 1));
	driver_free(&driver);
}

static void
check_layout(const struct rte_vduse_chain *chain, uint16_t head)
{
	assert_int_equal(chain->head, head);
	assert_int_equal(chain->nb_out, 2);
	assert_int_equal(chain->nb_in, 1);
	assert_int_equal(chain->out_len, 10 + 20);
	assert_int_equal(chain->in_len, 30);
	assert_ptr_equal(chain->bufs[0].va, driver_va(&driver, driver.data));
	assert_ptr_equal(chain->bufs[1].va, driver_va(&driver, driver.data + 100));
	assert_ptr_equal(chain->bufs[2].va, driver_va(&driver, driver.data + 200));
}

/* Two to read and one to write: in the ring, in a table, and begun in the one and ended in
 * the other (section 2.7.5.3.2).
 */
static void
chains_in_every_layout(void **state)
{
	uint64_t table;
	struct vring_desc *desc;
	struct rte_vduse_chain chains[3];

	RTE_SET_USED(state);
	driver_init(&driver, 8, INDIRECT, 0);
	assert_int_equal(driver_start(&driver), 0);
	table = driver_region(&driver, 0, 4096)->first;
	driver_desc(&driver, 5, driver.data, 10, VRING_DESC_F_NEXT, 1);
	driver_desc(&driver, 1, driver.data + 100, 20, VRING_DESC_F_NEXT, 3);
	driver_desc(&driver, 3, driver.data + 200, 30, VRING_DESC_F_WRITE, 0);
	driver_post(&driver, 5);
	desc = driver_va(&driver, table);
	desc[0] = (struct vring_desc){ driver.data, 10, VRING_DESC_F_NEXT, 2 };
	desc[2] = (struct vring_desc){ driver.data + 100, 20, VRING_DESC_F_NEXT, 1 };
	desc[1] = (struct vring_desc){ driver.data + 200, 30, VRING_DESC_F_WRITE, 0 };
	driver_desc(&driver, 7, table, 48, VRING_DESC_F_INDIRECT, 0);
	driver_post(&driver, 7);
	desc[3] = (struct vring_desc){ driver.data + 100, 20, VRING_DESC_F_NEXT, 1 };
	driver_desc(&driver, 0, driver.data, 10, VRING_DESC_F_NEXT, 2);
	driver_desc(&driver, 2, table + 48, 48, VRING_DESC_F_INDIRECT, 0);
	desc[4] = desc[1];
	driver_post(&driver, 0);
	assert_int_equal(pop(chains, 3), 3);
	check_layout(&chains[0], 5);
	check_layout(&chains[1], 7);
	check_layout(&chains[2], 0);
	driver_free(&driver);
}

/* A buffer and a table that begin in one region and end in the next, elsewhere in memory. */
static void
regions_are_crossed_in_pieces(void **state)
{
	struct rte_vduse_chain chain;
	struct driver_region *low, *high;
	struct vring_desc desc;
	uint64_t seam;

	RTE_SET_USED(state);
	driver_init(&driver, 8, INDIRECT, 0);
	assert_int_equal(driver_start(&driver), 0);
	low = driver_region(&driver, 0, 4096);
	seam = low->first + low->size;
	high = driver_region(&driver, seam, 4096);
	desc = (struct vring_desc){ seam - 96, 296, 0, 0 };
	memcpy(low->va + 4096 - 8, &desc, 8);
	memcpy(high->va, (uint8_t *)&desc + 8, 8);
	driver_desc(&driver, 0, seam - 8, 16, VRING_DESC_F_INDIRECT, 0);
	driver_post(&driver, 0);
	assert_int_equal(pop(&chain, 1), 1);
	assert_int_equal(chain.nb_out, 2);
	assert_int_equal(chain.out_len, 296);
	assert_ptr_equal(chain.bufs[0].va, low->va + 4000);
	assert_int_equal(chain.bufs[0].len, 96);
	assert_ptr_equal(chain.bufs[1].va, high->va);
	assert_int_equal(chain.bufs[1].len, 200);
	driver_free(&driver);
}

static void
unpop_gives_chains_back(void **state)
{
	struct rte_vduse_chain chains[4];
	uint16_t i;

	RTE_SET_USED(state);
	driver_init(&driver, 4, 0, 0xfffe);
	assert_int_equal(driver_start(&driver), 0);
	for (i = 0; i < 4; i++) {
		driver_desc(&driver, i, driver.data, 1u + i, 0, 0);
		driver_post(&driver, i);
	}
	assert_int_equal(vring_count(&driver.vq), 4);
	assert_int_equal(pop(chains, 4), 4);
	vring_unpop(&driver.vq, chains + 1, 3);
	assert_int_equal(vring_count(&driver.vq), 3);
	assert_int_equal(pop(chains + 1, 4), 3);
	for (i = 0; i < 4; i++)
		assert_int_equal(chains[i].out_len, 1 + i);
	driver_free(&driver);
}

/* The chains before the miss are good; the one that missed comes when its memory does. */
static void
a_miss_is_met_again(void **state)
{
	struct rte_vduse_chain chains[2];
	uint64_t later = DRIVER_IOVA * 9;

	RTE_SET_USED(state);
	driver_init(&driver, 4, 0, 0);
	assert_int_equal(driver_start(&driver), 0);
	driver_desc(&driver, 0, driver.data, 7, 0, 0);
	driver_desc(&driver, 1, later + 5, 9, VRING_DESC_F_WRITE, 0);
	driver_post(&driver, 0);
	driver_post(&driver, 1);
	assert_int_equal(pop(chains, 2), 1);
	assert_int_equal(driver.vq.fault, VRING_FAULT_MISS);
	assert_int_equal(driver.vq.fault_iova, later + 5);
	assert_int_equal(pop(chains, 2), 0);
	driver_region(&driver, later, 4096);
	driver.vq.fault = VRING_FAULT_NONE;
	assert_int_equal(pop(chains, 2), 1);
	assert_int_equal(chains[0].in_len, 9);
	driver_free(&driver);
}

static void
remap_follows_the_memory(void **state)
{
	struct rte_vduse_chain chain;
	struct driver_region old;
	unsigned int i;

	RTE_SET_USED(state);
	driver_init(&driver, 4, 0, 3);
	assert_int_equal(driver_start(&driver), 0);
	for (i = 0; i < 2; i++) {
		struct driver_region *region = &driver.regions[i];

		old = *region;
		region->va = aligned_alloc(4096, RTE_ALIGN_CEIL(old.size, 4096));
		memcpy(region->va, old.va, old.size);
		memset(old.va, 0xee, old.size);
		free(old.va);
	}
	driver.desc = driver_va(&driver, driver.rings);
	driver.avail = driver_va(&driver, driver.rings + 64);
	driver.used = driver_va(&driver, driver.rings + 80);
	assert_int_equal(vring_remap(&driver.vq), 0);
	driver_desc(&driver, 2, driver.data + 3, 5, 0, 0);
	driver_post(&driver, 2);
	assert_int_equal(pop(&chain, 1), 1);
	assert_ptr_equal(chain.bufs[0].va, driver_va(&driver, driver.data + 3));
	assert_true(push(&chain, 1));
	assert_int_equal(driver.used->idx, 4);
	driver.regions[0].first += 1 << 20;
	assert_int_equal(vring_remap(&driver.vq), -EFAULT);
	assert_int_equal(driver.vq.fault_iova, driver.rings);
	driver_free(&driver);
}

/* B22: what the driver has seen as used is the truth, whatever the transport remembers. */
static void
the_used_index_is_the_truth(void **state)
{
	struct rte_vduse_chain chain;

	RTE_SET_USED(state);
	driver_init(&driver, 4, 0, 100);
	driver_desc(&driver, 2, driver.data, 5, 0, 0);
	driver_post(&driver, 2);
	driver_post(&driver, 2); /* the position is told as 102, used says 100 */
	assert_int_equal(driver_start(&driver), 0);
	assert_int_equal(vring_position(&driver.vq), 100);
	assert_int_equal(pop(&chain, 1), 1);
	assert_int_equal(chain.out_len, 5);
	driver_free(&driver);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_size_wraps_around),
		cmocka_unit_test(calls_follow_the_used_event),
		cmocka_unit_test(no_interrupt_means_no_call),
		cmocka_unit_test(chains_in_every_layout),
		cmocka_unit_test(regions_are_crossed_in_pieces),
		cmocka_unit_test(unpop_gives_chains_back),
		cmocka_unit_test(a_miss_is_met_again),
		cmocka_unit_test(remap_follows_the_memory),
		cmocka_unit_test(the_used_index_is_the_truth),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
