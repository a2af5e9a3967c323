/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* When writes are on stable storage at completion: cache mode of the driver, and flushes. */
#include <string.h>

#include "loopback_fault.h"

static uint8_t
cache(void)
{
	uint8_t wce;

	vduse_loopback_config(blk.loop, offsetof(struct virtio_blk_config, wce), &wce, 1);
	return wce;
}

/* Whether a request is told to last when it is done. */
static bool
is_through(uint32_t type)
{
	uint16_t head = fault_post(type, 0, sent);
	bool fua;

	vblk_fault_hold(fault, true);
	fault_wait_held(1);
	fua = blk.blk->queues[0].requests[head].io.fua;
	vblk_fault_hold(fault, false);
	assert_int_equal(loopback_blk_take(&blk), head);
	return fua;
}

/* A driver that does not flush gets writes that last. */
static void
write_through(void **state)
{
	uint16_t head;

	RTE_SET_USED(state);
	vblk_fault_hold(fault, true);
	head = fault_post(VIRTIO_BLK_T_OUT, 0, sent);
	fault_wait_held(1);
	assert_true(blk.blk->queues[0].requests[head].io.fua);
	head = fault_post(VIRTIO_BLK_T_IN, 0, NULL);
	fault_wait_held(2);
	assert_false(blk.blk->queues[0].requests[head].io.fua);
	/* A driver that does flush need not wait for that. */
	vblk_fault_hold(fault, false);
	blk.features |= FEATURE(VIRTIO_BLK_F_FLUSH);
	loopback_blk_up(&blk);
	vblk_fault_hold(fault, true);
	head = fault_post(VIRTIO_BLK_T_OUT, 0, sent);
	fault_wait_held(1);
	assert_false(blk.blk->queues[0].requests[head].io.fua);
}

/* The driver switches the write cache off and on, and nothing else. */
static void
write_cache(void **state)
{
	const uint32_t wce = offsetof(struct virtio_blk_config, wce);

	RTE_SET_USED(state);
	rte_log_set_global_level(RTE_LOG_INFO);
	unit_log_clear();
	assert_true(blk.blk->features & FEATURE(VIRTIO_BLK_F_CONFIG_WCE));
	assert_int_equal(cache(), 1);
	assert_true(loopback_blk_config_write(&blk, wce, 1));
	assert_int_equal(unit_log_count("write cache"), 0);
	assert_false(is_through(VIRTIO_BLK_T_OUT));
	assert_true(loopback_blk_config_write(&blk, wce, 0));
	assert_true(loopback_blk_config_write(&blk, wce, 0));
	assert_int_equal(unit_log_count("write cache off"), 1);
	assert_int_equal(cache(), 0);
	assert_true(is_through(VIRTIO_BLK_T_OUT));
	assert_false(is_through(VIRTIO_BLK_T_IN));
	assert_false(loopback_blk_config_write(&blk, wce, 2));
	assert_false(loopback_blk_config_write(&blk, 0, 0xff));
	assert_false(loopback_blk_config_write(&blk, sizeof(struct virtio_blk_config), 0));
	assert_false(loopback_blk_config_write(&blk, UINT32_MAX, 0));
	assert_int_equal(cache(), 0);
	/* It stays off for the next driver, if that one knows. */
	loopback_blk_up(&blk);
	assert_true(is_through(VIRTIO_BLK_T_OUT));
	blk.features &= ~FEATURE(VIRTIO_BLK_F_CONFIG_WCE);
	loopback_blk_up(&blk);
	assert_false(is_through(VIRTIO_BLK_T_OUT));
	assert_true(loopback_blk_config_write(&blk, wce, 1));
	blk.features |= FEATURE(VIRTIO_BLK_F_CONFIG_WCE);
	loopback_blk_up(&blk);
	assert_int_equal(cache(), 1);
	assert_false(is_through(VIRTIO_BLK_T_OUT));
	assert_int_equal(unit_log_count("write cache on"), 1);
	rte_log_set_global_level(RTE_LOG_NOTICE);
}

/* Without an inflight log the setting would be lost when a driver reconnects. */
static void
no_write_cache(void **state)
{
	RTE_SET_USED(state);
	assert_false(blk.blk->features & FEATURE(VIRTIO_BLK_F_CONFIG_WCE));
	assert_false(loopback_blk_config_write(&blk, offsetof(struct virtio_blk_config, wce), 0));
	assert_false(is_through(VIRTIO_BLK_T_OUT));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(write_through, fault_setup_no_flush,
						fault_teardown),
		cmocka_unit_test_setup_teardown(write_cache, fault_setup_logged, fault_teardown),
		cmocka_unit_test_setup_teardown(no_write_cache, fault_setup, fault_teardown),
	};

	return fault_run(tests);
}
