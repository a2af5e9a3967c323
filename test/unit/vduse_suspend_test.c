/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* A driver suspends a device of no type: before and after DRIVER_OK, twice, and until it resets it. */
#include "loopback_dev.h"

#include <string.h>
#include <unistd.h>

#include <rte_vduse_compat.h>

static struct loopback_dev device;
static int memory = -1;

/* A device with a page of memory and virtqueue 0 ready in it. */
static int
setup(void **state)
{
	RTE_SET_USED(state);
	memory = loopback_dev_begin(&device, "unit-suspend", PAGE, 64, 256);
	return 0;
}

static int
teardown(void **state)
{
	RTE_SET_USED(state);
	loopback_dev_end(&device, memory);
	return 0;
}

static void
suspend(void)
{
	struct vduse_dev_request req = { .type = VDUSE_SUSPEND };
	struct vduse_dev_response resp;

	assert_int_equal(vduse_loopback_ask(device.loop, &req, &resp, UNIT_PATIENCE_MS), 0);
	assert_int_equal(resp.result, VDUSE_REQ_RESULT_OK);
}

/* It has all that it had, and no thread may use it. */
static void
check_suspended(uint16_t index)
{
	assert_int_equal(loopback_dev_state(&device, index), RTE_VDUSE_VQ_SUSPENDED);
	assert_false(rte_vduse_vq_enter(device.vqs[index]));
	assert_int_equal(loopback_dev_counted(&device.stops[index]), 0);
}

static void
test_running(void **state)
{
	RTE_SET_USED(state);
	loopback_dev_up(&device);
	loopback_dev_wait(&device, 0, RTE_VDUSE_VQ_RUNNING);
	suspend();
	check_suspended(0);
	assert_int_equal(loopback_dev_counted(&device.rests[0]), 1);
	suspend();
	check_suspended(0);
	assert_int_equal(loopback_dev_counted(&device.rests[0]), 1);
}

/* Memory changes as before; virtqueues take it, and are not polled. */
static void
test_memory(void **state)
{
	RTE_SET_USED(state);
	loopback_dev_up(&device);
	suspend();
	loopback_dev_update(&device);
	check_suspended(0);
	vduse_loopback_regions_clear(device.loop);
	loopback_dev_update(&device);
	check_suspended(0);
	loopback_dev_region(&device, 0, PAGE, 0, PERM_RW, memory);
	loopback_dev_update(&device);
	check_suspended(0);
	assert_int_equal(loopback_dev_counted(&device.remaps[0]), 3);
}

/* One that waits for an address waits no longer. */
static void
test_missed(void **state)
{
	RTE_SET_USED(state);
	loopback_dev_up(&device);
	loopback_dev_wait(&device, 0, RTE_VDUSE_VQ_RUNNING);
	assert_true(loopback_dev_burst(&device, 0, UINT64_C(0x7000000000), false));
	suspend();
	unit_ctrl_turn();
	/* The control thread may have looked for the address first. */
	if (loopback_dev_state(&device, 0) != RTE_VDUSE_VQ_ERROR)
		check_suspended(0);
	assert_false(rte_vduse_vq_enter(device.vqs[0]));
}

/* The suspension begins before the driver is up, and lasts after it is. */
static void
test_before_driver_ok(void **state)
{
	RTE_SET_USED(state);
	assert_true(loopback_dev_set_status(&device, STATUS_FEATURES));
	suspend();
	assert_int_equal(loopback_dev_state(&device, 0), RTE_VDUSE_VQ_IDLE);
	assert_true(loopback_dev_set_status(&device, STATUS_UP));
	loopback_dev_wait(&device, 0, RTE_VDUSE_VQ_SUSPENDED);
	check_suspended(0);
	assert_int_equal(loopback_dev_counted(&device.runs[0]), 0);
	loopback_dev_up(&device);
	loopback_dev_wait(&device, 0, RTE_VDUSE_VQ_RUNNING);
}

/* A virtqueue that becomes ready during it. */
static void
test_late(void **state)
{
	RTE_SET_USED(state);
	loopback_dev_up(&device);
	suspend();
	loopback_dev_set_vq(&device, 1, 128, 64);
	loopback_dev_wait(&device, 1, RTE_VDUSE_VQ_SUSPENDED);
	check_suspended(1);
}

/* Only status 0 is a reset: the kernel keeps the suspension through all others. */
static void
test_reset(void **state)
{
	RTE_SET_USED(state);
	loopback_dev_up(&device);
	suspend();
	assert_true(loopback_dev_set_status(&device, STATUS_FEATURES));
	assert_int_equal(loopback_dev_state(&device, 0), RTE_VDUSE_VQ_IDLE);
	assert_true(loopback_dev_set_status(&device, STATUS_UP));
	loopback_dev_wait(&device, 0, RTE_VDUSE_VQ_SUSPENDED);
	loopback_dev_up(&device);
	loopback_dev_wait(&device, 0, RTE_VDUSE_VQ_RUNNING);
	assert_true(loopback_dev_burst(&device, 0, 64, true));
	suspend();
	assert_int_equal(loopback_dev_state(&device, 0), RTE_VDUSE_VQ_SUSPENDED);
}

/* The driver is not told that the configuration changed, and reads it after its reset. */
static void
test_config(void **state)
{
	uint8_t byte = 9, read = 0;

	RTE_SET_USED(state);
	loopback_dev_up(&device);
	assert_int_equal(rte_vduse_dev_config_set(device.dev, 0, &byte, 1), 0);
	assert_int_equal(vduse_loopback_config_changes(device.loop), 1);
	suspend();
	byte = 10;
	assert_int_equal(rte_vduse_dev_config_set(device.dev, 0, &byte, 1), 0);
	assert_int_equal(vduse_loopback_config_changes(device.loop), 1);
	vduse_loopback_config(device.loop, 0, &read, 1);
	assert_int_equal(read, 10);
}

static bool
serve_none(struct rte_vduse_vq *vq, void *arg)
{
	struct loopback_dev *self = arg;

	RTE_SET_USED(vq);
	rte_atomic_fetch_add_explicit(&self->position[2], 1, rte_memory_order_relaxed);
	return false;
}

static bool
was_served(void *arg)
{
	return rte_atomic_load_explicit((uint32_t *)arg, rte_memory_order_relaxed) > 0;
}

/* A virtqueue that the control thread serves: a kick does nothing. */
static void
test_served(void **state)
{
	uint64_t one = 1;
	uint32_t served;

	RTE_SET_USED(state);
	device.serve = serve_none;
	loopback_dev_up(&device);
	assert_true(unit_wait(was_served, &device.position[2]));
	suspend();
	served = rte_atomic_load_explicit(&device.position[2], rte_memory_order_relaxed);
	assert_int_equal(write(vduse_loopback_kick_fd(device.loop, 0), &one, sizeof(one)),
			 (ssize_t)sizeof(one));
	unit_ctrl_turn();
	unit_ctrl_turn();
	loopback_dev_update(&device);
	unit_ctrl_turn();
	assert_int_equal(rte_atomic_load_explicit(&device.position[2], rte_memory_order_relaxed),
			 served);
	check_suspended(0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_running, setup, teardown),
		cmocka_unit_test_setup_teardown(test_memory, setup, teardown),
		cmocka_unit_test_setup_teardown(test_missed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_before_driver_ok, setup, teardown),
		cmocka_unit_test_setup_teardown(test_late, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reset, setup, teardown),
		cmocka_unit_test_setup_teardown(test_config, setup, teardown),
		cmocka_unit_test_setup_teardown(test_served, setup, teardown),
	};

	if (unit_init() < 0)
		return 1;
	return unit_done(cmocka_run_group_tests(tests, NULL, NULL));
}
