/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* When a driver kicks: only if the device enables kicks, and then for each first new entry. */
#include "unit.h"
#include "vring_driver.h"

#define SIZE   8
#define ROUNDS 70000 /* more than there are indices */

static struct driver driver;

static bool
post(void)
{
	driver_desc(&driver, 0, driver.data, 1, 0, 0);
	return driver_post(&driver, 0);
}

static void
serve(void)
{
	struct rte_vduse_chain chain;
	uint32_t head, len;

	assert_int_equal(vring_pop(&driver.vq, &chain, 1), 1);
	chain.used_len = 0;
	vring_push(&driver.vq, &chain, 1);
	(void)vring_publish(&driver.vq);
	assert_true(driver_take(&driver, &head, &len));
}

static void
rounds(uint64_t features, bool enable)
{
	uint32_t i;

	driver_init(&driver, SIZE, features, 0);
	assert_int_equal(driver_start(&driver), 0);
	/* Set both, because the last setting must win. */
	vring_notify(&driver.vq, !enable);
	vring_notify(&driver.vq, enable);
	for (i = 0; i < ROUNDS; i++) {
		if (post() != enable)
			fail_msg("round %u: %s", i, enable ? "no kick" : "a kick");
		serve();
	}
	driver_free(&driver);
}

static void
test_disabled(void **state)
{
	RTE_SET_USED(state);
	rounds(0, false);
	rounds(UINT64_C(1) << VIRTIO_RING_F_EVENT_IDX, false);
}

static void
test_enabled(void **state)
{
	RTE_SET_USED(state);
	rounds(0, true);
	rounds(UINT64_C(1) << VIRTIO_RING_F_EVENT_IDX, true);
}

/* A ring that moves keeps its notification setting; a ring that starts has it disabled. */
static void
kept(uint64_t features)
{
	driver_init(&driver, SIZE, features, 0);
	assert_int_equal(driver_start(&driver), 0);
	assert_false(post());
	serve();
	vring_notify(&driver.vq, true);
	assert_int_equal(vring_remap(&driver.vq), 0);
	assert_true(post());
	serve();
	assert_int_equal(driver_start(&driver), 0);
	assert_false(post());
	driver_free(&driver);
}

static void
test_kept(void **state)
{
	RTE_SET_USED(state);
	kept(0);
	kept(UINT64_C(1) << VIRTIO_RING_F_EVENT_IDX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_disabled),
		cmocka_unit_test(test_enabled),
		cmocka_unit_test(test_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
