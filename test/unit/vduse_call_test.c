/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * A driver with very many waiters on its interrupt, so that each signal takes long: the control
 * thread sends these interrupts, and the polling thread continues. Interrupts of other drivers are
 * sent by their own threads.
 */
#include "loopback_dev.h"

#define SLOW 16u /* calls, before it is the driver's doing */
#define MANY 1000u

static struct loopback_dev device;
static int memory;

static int
setup(void **state)
{
	RTE_SET_USED(state);
	memory = loopback_dev_begin(&device, "unit-call", PAGE, 0, 64);
	loopback_dev_up(&device);
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
call(unsigned int nb)
{
	unsigned int i;

	for (i = 0; i < nb; i++)
		assert_int_equal(rte_vduse_vq_call(device.vqs[0]), 0);
}

static bool
is_called(void *arg)
{
	return vduse_loopback_calls(device.loop, 0) >= *(const uint64_t *)arg;
}

static void
slow_calls(void **state)
{
	uint64_t before = vduse_loopback_calls(device.loop, 0), wanted;

	RTE_SET_USED(state);
	unit_log_clear();
	vduse_loopback_call_takes(device.loop, 2 * VDUSE_SLOW_CALL_US);
	call(SLOW);
	assert_int_equal(vduse_loopback_calls(device.loop, 0), before + SLOW);
	assert_true(vduse_loopback_called_here(device.loop));
	assert_int_equal(unit_log_count("the control thread sends them now"), 1);
	/* From here on they are posted, and one stands for those before it is sent. */
	call(MANY);
	wanted = before + SLOW + 1;
	assert_true(unit_wait(is_called, &wanted));
	assert_false(vduse_loopback_called_here(device.loop));
	assert_int_equal(unit_log_count("the control thread sends them now"), 1);
	/* The last one is not lost. */
	loopback_dev_update(&device);
	wanted = vduse_loopback_calls(device.loop, 0) + 1;
	call(1);
	assert_true(unit_wait(is_called, &wanted));
}

static bool
is_held(void *arg)
{
	return vduse_loopback_call_held(arg);
}

/* A burst that fails makes an application drop packets, though the ring has room for them. */
static void
bursts_go_on(void **state)
{
	uint64_t wanted = vduse_loopback_calls(device.loop, 0) + SLOW + 1;
	bool held, entered;

	RTE_SET_USED(state);
	vduse_loopback_call_takes(device.loop, 2 * VDUSE_SLOW_CALL_US);
	call(SLOW);
	vduse_loopback_call_hold(device.loop, true);
	call(1);
	held = unit_wait(is_held, device.loop);
	entered = rte_vduse_vq_enter(device.vqs[0]);
	if (entered)
		rte_vduse_vq_leave(device.vqs[0]);
	/* Before anything fails: the teardown waits for the control thread. */
	vduse_loopback_call_hold(device.loop, false);
	assert_true(held);
	assert_true(entered);
	assert_true(unit_wait(is_called, &wanted));
}

/* The next driver of the device is not the one before. */
static void
until_a_reset(void **state)
{
	uint64_t before;

	RTE_SET_USED(state);
	vduse_loopback_call_takes(device.loop, 2 * VDUSE_SLOW_CALL_US);
	call(SLOW);
	vduse_loopback_call_takes(device.loop, 0);
	loopback_dev_set_status(&device, 0);
	loopback_dev_up(&device);
	before = vduse_loopback_calls(device.loop, 0);
	call(MANY);
	assert_int_equal(vduse_loopback_calls(device.loop, 0), before + MANY);
	assert_true(vduse_loopback_called_here(device.loop));
}

/* A machine that is busy now and then makes a call slow, too. */
static void
slow_now_and_then(void **state)
{
	uint64_t before = vduse_loopback_calls(device.loop, 0);
	unsigned int i;

	RTE_SET_USED(state);
	for (i = 0; i < 4 * SLOW; i++) {
		vduse_loopback_call_takes(device.loop, 2 * VDUSE_SLOW_CALL_US);
		call(1);
		vduse_loopback_call_takes(device.loop, 0);
		call(4);
	}
	assert_int_equal(vduse_loopback_calls(device.loop, 0), before + 4 * SLOW * 5);
	assert_true(vduse_loopback_called_here(device.loop));
}

/* The kernel may run the driver's handler on the poller's processor before the call returns. */
static void
slow_for_another_thread(void **state)
{
	uint64_t before = vduse_loopback_calls(device.loop, 0);

	RTE_SET_USED(state);
	vduse_loopback_call_sleeps(device.loop, 2 * VDUSE_SLOW_CALL_US);
	call(4 * SLOW);
	vduse_loopback_call_sleeps(device.loop, 0);
	assert_int_equal(vduse_loopback_calls(device.loop, 0), before + 4 * SLOW);
	assert_true(vduse_loopback_called_here(device.loop));
}

/* It may do the driver's work in the call. */
static void
slow_for_the_kernel(void **state)
{
	uint64_t before;

	RTE_SET_USED(state);
	loopback_dev_set_status(&device, 0);
	vduse_loopback_driver_is_kernel(device.loop, true);
	loopback_dev_up(&device);
	vduse_loopback_call_takes(device.loop, 2 * VDUSE_SLOW_CALL_US);
	before = vduse_loopback_calls(device.loop, 0);
	call(4 * SLOW);
	assert_int_equal(vduse_loopback_calls(device.loop, 0), before + 4 * SLOW);
	assert_true(vduse_loopback_called_here(device.loop));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(slow_calls, setup, teardown),
		cmocka_unit_test_setup_teardown(bursts_go_on, setup, teardown),
		cmocka_unit_test_setup_teardown(until_a_reset, setup, teardown),
		cmocka_unit_test_setup_teardown(slow_now_and_then, setup, teardown),
		cmocka_unit_test_setup_teardown(slow_for_another_thread, setup, teardown),
		cmocka_unit_test_setup_teardown(slow_for_the_kernel, setup, teardown),
	};

	if (unit_init() < 0)
		return 1;
	return unit_done(cmocka_run_group_tests(tests, NULL, NULL));
}
