/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Split rings of every size over more than two turns of the index space: chains in the ring and in
 * tables with their data, and a driver that never enables kicks.
 */
#include <stdlib.h>
#include <string.h>

#include "unit.h"
#include "vring_driver.h"

#define BIT(nr)   (UINT64_C(1) << (nr))
#define INDIRECT  BIT(VIRTIO_RING_F_INDIRECT_DESC)
#define EVENT_IDX BIT(VIRTIO_RING_F_EVENT_IDX)
#define TURNS     (2 * 0x10000)

static struct driver driver;
static uint32_t posted, served, taken;

static void
begin(uint32_t size, uint64_t features)
{
	posted = served = taken = 0;
	srand(size);
	driver_init(&driver, size, features, (uint16_t)rand());
	assert_int_equal(driver_start(&driver), 0);
}

/* Where a descriptor's buffers are: four bytes to read, four to write, then a table. */
static uint64_t
slot_iova(uint16_t slot)
{
	return driver.data + 4096 * (uint64_t)slot;
}

/* Two descriptors, here of the ring or of a table. */
static void
slot_fill(struct vring_desc *desc, uint16_t slot, uint16_t next)
{
	uint64_t iova = slot_iova(slot);

	memcpy(driver_va(&driver, iova), &posted, sizeof(posted));
	desc[0] = (struct vring_desc){ iova, 4, VRING_DESC_F_NEXT, next };
	desc[1] = (struct vring_desc){ iova + 4, 4, VRING_DESC_F_WRITE, 0 };
}

static void
post(bool indirect)
{
	uint16_t slot = (uint16_t)((indirect ? posted : 2 * posted) & (driver.size - 1));
	uint64_t table = slot_iova(slot) + 16;

	if (indirect) {
		slot_fill(driver_va(&driver, table), slot, 1);
		driver_desc(&driver, slot, table, 32, VRING_DESC_F_INDIRECT, 0);
	} else {
		slot_fill(&driver.desc[slot], slot, slot + 1);
	}
	assert_false(driver_post(&driver, slot));
	posted++;
}

static void
serve(void)
{
	struct rte_vduse_chain chains[RTE_VDUSE_BURST_MAX];
	uint16_t n, i;

	while ((n = vring_pop(&driver.vq, chains, RTE_VDUSE_BURST_MAX)) > 0) {
		for (i = 0; i < n; i++, served++) {
			assert_int_equal(chains[i].nb_out, 1);
			assert_int_equal(chains[i].nb_in, 1);
			assert_memory_equal(chains[i].bufs[0].va, &served, sizeof(served));
			memcpy(chains[i].bufs[1].va, &served, sizeof(served));
			chains[i].used_len = sizeof(served);
		}
		vring_push(&driver.vq, chains, n);
		vring_publish(&driver.vq);
	}
	assert_int_equal(driver.vq.fault, VRING_FAULT_NONE);
}

static void
harvest(void)
{
	uint32_t head, len;

	while (driver_take(&driver, &head, &len)) {
		assert_int_equal(len, sizeof(taken));
		assert_memory_equal(driver_va(&driver, slot_iova((uint16_t)head) + 4), &taken,
				    sizeof(taken));
		taken++;
	}
	assert_int_equal(taken, posted);
}

static void
every_size_takes_chains_and_tables(void **state)
{
	uint32_t size, i;
	bool indirect;

	RTE_SET_USED(state);
	for (size = VRING_SIZE_MIN; size <= VRING_SIZE_MAX; size *= 2) {
		for (indirect = false;; indirect = true) {
			begin(size, INDIRECT | EVENT_IDX);
			while (taken < TURNS + size) {
				for (i = 0; i < (indirect ? size : size / 2); i++)
					post(indirect);
				serve();
				harvest();
			}
			driver_free(&driver);
			if (indirect)
				break;
		}
	}
}

/* The rule of section 2.7.10 said slowly, for what was posted since old. */
static bool
wants_kick(uint16_t old)
{
	const uint16_t *event = (const void *)&driver.used->ring[driver.size];

	for (; old != driver.next; old++)
		if (old == *event)
			return true;
	return false;
}

static void
serve_some(uint32_t most)
{
	struct rte_vduse_chain chains[RTE_VDUSE_BURST_MAX];
	uint32_t head, len;
	uint16_t n;

	while (most > 0) {
		n = vring_pop(&driver.vq, chains,
			      (uint16_t)RTE_MIN(most, (uint32_t)RTE_VDUSE_BURST_MAX));
		if (n == 0)
			break;
		vring_push(&driver.vq, chains, n);
		vring_publish(&driver.vq);
		most -= n;
	}
	while (driver_take(&driver, &head, &len))
		taken++;
}

/* Returns how often the device moved the event. */
static uint32_t
kicks(uint32_t size, bool late)
{
	const uint16_t *event;
	uint32_t moves = 0;

	begin(size, EVENT_IDX);
	event = (const void *)&driver.used->ring[size];
	while (posted < TURNS + size) {
		uint32_t n = (uint32_t)rand() % (size - (posted - taken) + 1);
		uint16_t old = driver.next, before = *event;

		/* Now and then all that there is room for. */
		if (rand() % 4 == 0)
			n = size - (posted - taken);
		for (; n > 0; n--, posted++) {
			uint16_t slot = (uint16_t)(posted & (size - 1));

			driver_desc(&driver, slot, driver.data, 1, 0, 0);
			assert_false(driver_post(&driver, slot));
		}
		if (late)
			serve_some(size);
		assert_false(wants_kick(old));
		serve_some((uint32_t)rand() % (size + 1));
		moves += *event != before;
	}
	driver_free(&driver);
	return moves;
}

/*
 * The driver looks when it has posted some, before or after the device was there. After, that
 * is up to half the index space: a ring of that size has no index left that is out of reach.
 */
static void
no_driver_wants_to_kick(void **state)
{
	uint32_t size;

	RTE_SET_USED(state);
	for (size = VRING_SIZE_MIN; size <= VRING_SIZE_MAX; size *= 2) {
		uint32_t moves = kicks(size, false);

		/* Nearly never written, or it would cost a cache line a burst. */
		if (size <= 0x4000) {
			assert_in_range(moves, 1, (TURNS + 2 * size) / 0x4000);
			kicks(size, true);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_size_takes_chains_and_tables),
		cmocka_unit_test(no_driver_wants_to_kick),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
