/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* The control thread: it serves several devices, survives a broken one, and sleeps when idle. */
#include "loopback_dev.h"

#include <vduse/core/ctrl_thread.h>

#include <errno.h>
#include <unistd.h>

#include <rte_vduse_compat.h>

#define CTRL_THREAD "vduse-ctrl"
/* A thread that spins takes all of this; one that sleeps next to nothing. */
#define WATCH_MS 400
#define IDLE_MS  100

static struct loopback_dev device, other;
static int memory = -1;

static void
start(struct loopback_dev *dev)
{
	loopback_dev_start(dev);
	loopback_dev_region(dev, 0, PAGE, 0, PERM_RW, memory);
	loopback_dev_set_vq(dev, 0, 0, 256);
	loopback_dev_up(dev);
}

static int
setup(void **state)
{
	RTE_SET_USED(state);
	memory = unit_memfd("unit-ctrl", PAGE);
	start(&device);
	start(&other);
	unit_log_clear();
	return 0;
}

static int
teardown(void **state)
{
	RTE_SET_USED(state);
	loopback_dev_destroy(&device);
	loopback_dev_destroy(&other);
	close(memory);
	return 0;
}

static uint64_t
watch(void)
{
	uint64_t before = unit_thread_ms(CTRL_THREAD);

	unit_sleep_ms(WATCH_MS);
	return unit_thread_ms(CTRL_THREAD) - before;
}

static int
spin(struct rte_vduse_dev *dev)
{
	uint64_t before = unit_thread_ms(CTRL_THREAD);

	RTE_SET_USED(dev);
	while (unit_thread_ms(CTRL_THREAD) - before < WATCH_MS)
		;
	return 7;
}

/* That the watch below would see it: a control thread that does spin. Also what run returns. */
static void
test_watch(void **state)
{
	uint64_t before = unit_thread_ms(CTRL_THREAD);

	RTE_SET_USED(state);
	assert_int_equal(vduse_ctrl_run(spin, device.dev), 7);
	assert_true(unit_thread_ms(CTRL_THREAD) - before >= WATCH_MS);
}

/* Unready virtqueues (there are two of each device) are looked at, but not all the time. */
static void
test_idle(void **state)
{
	RTE_SET_USED(state);
	assert_true(watch() < IDLE_MS);
}

static bool
is_broken(void *arg)
{
	struct rte_vduse_dev_stats stats;
	struct loopback_dev *dev = arg;

	rte_vduse_dev_stats(dev->dev, &stats, sizeof(stats));
	return stats.broken && loopback_dev_state(dev, 0) == RTE_VDUSE_VQ_IDLE;
}

/* B18: noticed once, and the process goes on. */
static void
test_broken(void **state)
{
	struct rte_vduse_dev_stats stats;

	RTE_SET_USED(state);
	vduse_loopback_break(device.loop);
	assert_true(unit_wait(is_broken, &device));
	assert_true(watch() < IDLE_MS);
	assert_int_equal(unit_log_count("unit0: the kernel gave the device up"), 1);
	assert_int_equal(unit_log_count(""), 1);
	assert_int_equal(rte_vduse_dev_status(device.dev), VIRTIO_CONFIG_S_NEEDS_RESET);
	assert_int_equal(rte_atomic_load_explicit(&device.status, rte_memory_order_relaxed),
			 VIRTIO_CONFIG_S_NEEDS_RESET);
	assert_int_equal(device.stops[0], 1);
	assert_false(rte_vduse_vq_enter(device.vqs[0]));
	rte_vduse_dev_stats(device.dev, &stats, sizeof(stats));
	assert_int_equal(stats.regions, 0);
	assert_int_equal(unit_maps("unit-ctrl"), 1); /* the other device's */
	assert_true(loopback_dev_burst(&other, 0, 0, true));
	assert_true(loopback_dev_set_status(&other, 0));
	loopback_dev_up(&other);
	assert_true(loopback_dev_burst(&other, 0, 0, true));
}

/* A broken device that still has messages in the queue, and a driver half-way up. */
static void
test_broken_early(void **state)
{
	struct vduse_dev_request req = { .type = VDUSE_SET_STATUS, .s.status = 1 };

	RTE_SET_USED(state);
	assert_true(loopback_dev_set_status(&device, 0));
	unit_log_clear();
	assert_int_equal(vduse_loopback_send(device.loop, &req), 0);
	vduse_loopback_break(device.loop);
	assert_true(unit_wait(is_broken, &device));
	assert_true(watch() < IDLE_MS);
	assert_int_equal(unit_log_count("the kernel gave the device up"), 1);
}

/* The regions of one device are not those of another. */
static void
test_apart(void **state)
{
	RTE_SET_USED(state);
	assert_true(loopback_dev_set_status(&other, 0));
	assert_true(loopback_dev_burst(&device, 0, 0, true));
	assert_int_equal(device.stops[0], 0);
	assert_true(loopback_dev_burst(&device, 0, PAGE, false));
	loopback_dev_wait(&device, 0, RTE_VDUSE_VQ_ERROR);
	loopback_dev_up(&other);
	assert_int_equal(loopback_dev_state(&device, 0), RTE_VDUSE_VQ_ERROR);
	assert_true(loopback_dev_burst(&other, 0, 0, true));
}

/* A device that cannot be listened to does not start; it can still be destroyed. */
static void
test_start_twice(void **state)
{
	RTE_SET_USED(state);
	assert_int_equal(rte_vduse_dev_start(device.dev, RTE_VDUSE_ATTACH_NONE), -EEXIST);
	assert_int_equal(unit_log_count("unit0: "), 1);
	assert_true(loopback_dev_burst(&device, 0, 0, true));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_watch, setup, teardown),
		cmocka_unit_test_setup_teardown(test_idle, setup, teardown),
		cmocka_unit_test_setup_teardown(test_broken, setup, teardown),
		cmocka_unit_test_setup_teardown(test_broken_early, setup, teardown),
		cmocka_unit_test_setup_teardown(test_apart, setup, teardown),
		cmocka_unit_test_setup_teardown(test_start_twice, setup, teardown),
	};

	if (unit_init() < 0)
		return 1;
	return unit_done(cmocka_run_group_tests(tests, NULL, NULL));
}
