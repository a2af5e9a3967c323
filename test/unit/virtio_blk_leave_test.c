/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * A process leaves a disk to the next one with requests in flight: they are finished without an
 * error, and the next process continues at the right position, without repeating any of them.
 * Input: both ring formats, several processes. Output: each request done by one of them only.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_vduse_handover.h>

#include <virtio_blk/backend/fault.h>

#include "loopback_log.h"

/* Leaves while the backend has finished nothing: all requests are used afterwards. */
static void
leave_in_flight(void)
{
	vblk_fault_hold(blk->backend, true);
	rte_vduse_blk_poll(blk, 0);
	assert_true(blk->queues[0].in_flight > 0);
	vblk_fault_hold(blk->backend, false);
	unit_log_clear();
	rte_vduse_dev_leave(rte_vduse_blk_dev(blk));
	assert_int_equal(device_state(), RTE_VDUSE_VQ_IDLE);
	assert_int_equal(unit_log_count("left to the next process"), 1);
	assert_int_equal(unit_log_count("driver reset"), 0);
}

/* Each process has an empty disk, so it tells which process did a request. */
static void
leave_often(uint64_t features, uint16_t index)
{
	uint32_t sent = 0, done, i;
	char path[64];

	state_path(path, sizeof(path));
	world_begin(features, index);
	while (sent + SLOTS < REQUESTS) {
		sent += SLOTS;
		driver_send(sent);
		leave_in_flight();
		assert_int_equal(driver_receive(), SLOTS);
		device_destroy();
		assert_int_equal(access(path, F_OK), 0);
		/* The driver continues while no process serves it. */
		done = sent;
		sent += 2;
		driver_send(sent);
		unit_log_clear();
		device_restart(index);
		assert_int_equal(device_state(), RTE_VDUSE_VQ_RUNNING);
		assert_int_equal(unit_log_count("taken again"), 0);
		poll_until_done();
		for (i = 0; i < sent; i++) {
			assert_int_equal(world->requests[i], REQUEST_USED);
			assert_int_equal(disk_byte(i), i < done ? 0 : request_byte(i));
		}
	}
	/* A process that stops in the usual way leaves nothing. */
	device_destroy();
	assert_int_equal(access(path, F_OK), -1);
	world_end();
}

static void
leave_split(void **state)
{
	RTE_SET_USED(state);
	leave_often(FEATURES, 0);
	leave_often(FEATURES, 65530);
	leave_often(FEATURES | BIT(VIRTIO_F_IN_ORDER), 3);
}

static void
leave_packed(void **state)
{
	RTE_SET_USED(state);
	leave_often(PACKED, 0);
	leave_often(PACKED, 2 * RING - 7);
	leave_often(PACKED | BIT(VIRTIO_F_IN_ORDER), 3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(leave_split),
		cmocka_unit_test(leave_packed),
	};

	return log_run(tests);
}
