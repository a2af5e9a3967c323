/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * A driver suspends a disk with requests in flight: all of them are done before the answer, none is
 * taken after it, and the position is that of the driver's own count. The disk goes on from there.
 * Input: split and packed rings. Output: positions.
 */
#include <errno.h>

#include <virtio_blk/backend/fault.h>

#include "loopback_log.h"

/* The driver's place: where the next used chain is, as its format counts. */
static uint16_t
driver_place(void)
{
	return driver_has(&world->driver, VIRTIO_F_RING_PACKED)
		       ? (uint16_t)world->driver.packed.seen
		       : world->driver.seen;
}

static void
check_position(void)
{
	struct vduse_dev_request req = { .type = VDUSE_GET_VQ_STATE };
	struct vduse_dev_response resp;
	uint16_t place = driver_place();

	assert_int_equal(vduse_loopback_ask(loop, &req, &resp, UNIT_PATIENCE_MS), 0);
	assert_int_equal(resp.result, VDUSE_REQ_RESULT_OK);
	if (!driver_has(&world->driver, VIRTIO_F_RING_PACKED)) {
		assert_int_equal(resp.vq_state.split.avail_index, place);
		return;
	}
	assert_int_equal(resp.vq_state.packed.last_avail_idx, place % RING);
	assert_int_equal(resp.vq_state.packed.last_avail_counter, place < RING);
	assert_int_equal(resp.vq_state.packed.last_used_idx, place % RING);
	assert_int_equal(resp.vq_state.packed.last_used_counter, place < RING);
}

/* There are requests to take, and a poller that would. */
static void
check_stands(void)
{
	uint64_t calls = vduse_loopback_calls(loop, 0);
	unsigned int i;

	driver_send(REQUESTS - 1);
	for (i = 0; i < 10; i++)
		assert_int_equal(rte_vduse_blk_poll(blk, 0), 0);
	device_ask(vduse_loopback_memory_changed());
	for (i = 0; i < 10; i++)
		assert_int_equal(rte_vduse_blk_poll(blk, 0), 0);
	assert_int_equal(driver_receive(), 0);
	assert_int_equal(vduse_loopback_calls(loop, 0), calls);
	assert_int_equal(device_state(), RTE_VDUSE_VQ_SUSPENDED);
	check_position();
}

/* The control thread has its turns meanwhile: other devices are served. */
static void
suspend_in_flight(void)
{
	struct vduse_dev_request suspend = { .type = VDUSE_SUSPEND };
	struct vduse_dev_response resp;
	unsigned int i, done;

	vblk_fault_hold(blk->backend, true);
	driver_send(REQUESTS - 1);
	(void)rte_vduse_blk_poll(blk, 0);
	vblk_fault_release(blk->backend, 2, true);
	assert_int_equal(vduse_loopback_send(loop, &suspend), 0);
	for (i = 0; i < 5; i++)
		unit_ctrl_turn();
	assert_int_equal(vduse_loopback_answer(loop, &resp, 0), -ETIMEDOUT);
	done = driver_receive();
	assert_in_range(done, 0, 2);
	vblk_fault_hold(blk->backend, false);
	assert_int_equal(vduse_loopback_answer(loop, &resp, UNIT_PATIENCE_MS), 0);
	assert_int_equal(resp.result, VDUSE_REQ_RESULT_OK);
	assert_int_equal(done + driver_receive(), SLOTS);
	check_position();
}

static void
suspend_disk(uint64_t features)
{
	struct vduse_dev_request status = { .type = VDUSE_SET_STATUS, .s.status = 0 };
	struct vduse_dev_request suspend = { .type = VDUSE_SUSPEND };
	uint32_t i;

	world_begin(features, 0);
	driver_send(SLOTS + 2);
	poll_until_done();
	suspend_in_flight();
	check_stands();
	device_ask(suspend);
	check_stands();
	device_ask(status);
	device_set_vq(driver_place());
	status.s.status = STATUS_UP;
	device_ask(status);
	device_ask(vduse_loopback_memory_changed());
	assert_int_equal(device_state(), RTE_VDUSE_VQ_RUNNING);
	do {
		driver_send(REQUESTS - 1);
		poll_until_done();
	} while (world->nb_posted < REQUESTS - 1);
	poll_until_done();
	for (i = 0; i < REQUESTS - 1; i++) {
		assert_int_equal(world->requests[i], REQUEST_USED);
		assert_int_equal(disk_byte(i), request_byte(i));
	}
	device_destroy();
	world_end();
}

static void
split(void **state)
{
	RTE_SET_USED(state);
	suspend_disk(FEATURES);
}

static void
packed(void **state)
{
	RTE_SET_USED(state);
	suspend_disk(PACKED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(split),
		cmocka_unit_test(packed),
	};

	return log_run(tests);
}
