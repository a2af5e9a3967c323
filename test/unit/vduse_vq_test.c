/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * A virtqueue between its poller, which this thread acts as, and the control thread: operations
 * that wait for the end of a burst, work that a burst leaves to the control thread, and state
 * changes.
 */
#include "loopback_dev.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <rte_vduse_compat.h>

#define FAR (16 * PAGE) /* a second region, which tests add late */

static struct loopback_dev device;
static int memory = -1;

/* All virtqueues run, with their rings in the one region that there is. */
static int
setup(void **state)
{
	uint16_t i;

	RTE_SET_USED(state);
	memory = loopback_dev_begin(&device, "unit-vq", 2 * PAGE, 0, 256);
	for (i = 1; i < LOOPBACK_DEV_VQS; i++)
		loopback_dev_set_vq(&device, i, 64u * i, 256);
	loopback_dev_up(&device);
	unit_log_clear();
	return 0;
}

static int
teardown(void **state)
{
	RTE_SET_USED(state);
	loopback_dev_end(&device, memory);
	return 0;
}

/* The control thread has come to the virtqueue, and waits for the end of its burst. */
static bool
is_locked_out(void *arg)
{
	const struct rte_vduse_vq *vq = arg;

	return !rte_atomic_load_explicit(&vq->enabled, rte_memory_order_relaxed);
}

/* The answer to a message comes only when the poller has left its burst. */
static void
answered_behind_leave(struct vduse_dev_request *req)
{
	const struct rte_vduse_region *region;
	struct vduse_dev_response resp;

	assert_true(rte_vduse_vq_enter(device.vqs[1]));
	region = rte_vduse_vq_lookup(device.vqs[1], 0);
	assert_non_null(region);
	assert_int_equal(vduse_loopback_send(device.loop, req), 0);
	assert_true(unit_wait(is_locked_out, device.vqs[1]));
	assert_int_equal(vduse_loopback_answer(device.loop, &resp, 0), -ETIMEDOUT);
	assert_int_equal(unit_maps("unit-vq"), 1);
	region->va[PAGE - 1] = 5;
	assert_int_equal(region->last, PAGE - 1);
	rte_vduse_vq_leave(device.vqs[1]);
	assert_int_equal(vduse_loopback_answer(device.loop, &resp, UNIT_PATIENCE_MS), 0);
	assert_int_equal(resp.result, VDUSE_REQ_RESULT_OK);
	assert_int_equal(unit_maps("unit-vq"), 0);
}

/* B13 */
static void
test_reset_waits(void **state)
{
	struct vduse_dev_request req = { .type = VDUSE_SET_STATUS };

	RTE_SET_USED(state);
	answered_behind_leave(&req);
	assert_int_equal(loopback_dev_state(&device, 1), RTE_VDUSE_VQ_IDLE);
}

/* B1 and B2: the whole range is unmapped, and rings are found again when memory is back. */
static void
test_update_waits(void **state)
{
	struct vduse_dev_request req = vduse_loopback_memory_changed();

	RTE_SET_USED(state);
	vduse_loopback_regions_clear(device.loop);
	answered_behind_leave(&req);
	assert_int_equal(loopback_dev_state(&device, 1), RTE_VDUSE_VQ_SUSPENDED);
	assert_false(rte_vduse_vq_enter(device.vqs[1]));
	loopback_dev_region(&device, 0, PAGE, PAGE, PERM_RW, memory);
	loopback_dev_update(&device);
	assert_int_equal(loopback_dev_state(&device, 1), RTE_VDUSE_VQ_RUNNING);
	assert_int_equal(device.remaps[1], 2);
	assert_int_equal(device.starts[1], 1);
}

static void
test_broken_waits(void **state)
{
	RTE_SET_USED(state);
	assert_true(rte_vduse_vq_enter(device.vqs[1]));
	vduse_loopback_break(device.loop);
	assert_true(unit_wait(is_locked_out, device.vqs[1]));
	assert_int_equal(device.stops[1], 0);
	assert_int_equal(unit_maps("unit-vq"), 1);
	rte_vduse_vq_leave(device.vqs[1]);
	loopback_dev_wait(&device, 2, RTE_VDUSE_VQ_IDLE);
}

/* A poller that does nothing else must not keep the control thread out. */
static bool poll_on;

static void *
poll_greedily(void *arg)
{
	struct rte_vduse_vq *vq = arg;

	while (rte_atomic_load_explicit(&poll_on, rte_memory_order_relaxed)) {
		unsigned int i;

		if (!rte_vduse_vq_enter(vq))
			continue;
		for (i = 0; i < 1000; i++)
			rte_vduse_vq_lookup(vq, i);
		rte_vduse_vq_leave(vq);
	}
	return NULL;
}

static void
test_greedy_poller(void **state)
{
	struct vduse_dev_request req = { .type = VDUSE_GET_VQ_STATE };
	struct vduse_dev_response resp;
	pthread_t thread;
	unsigned int i;

	RTE_SET_USED(state);
	poll_on = true;
	assert_int_equal(pthread_create(&thread, NULL, poll_greedily, device.vqs[0]), 0);
	for (i = 0; i < 50; i++) {
		assert_int_equal(vduse_loopback_ask(device.loop, &req, &resp, UNIT_PATIENCE_MS), 0);
		loopback_dev_update(&device);
	}
	assert_true(loopback_dev_set_status(&device, 0));
	rte_atomic_store_explicit(&poll_on, false, rte_memory_order_relaxed);
	pthread_join(thread, NULL);
}

/* A message that nothing changes: once it is answered, all that was posted before it is done. */
static void
control_thread_idle(void)
{
	struct vduse_dev_request req = { .type = VDUSE_GET_VQ_STATE };
	struct vduse_dev_response resp;
	unsigned int i;

	/* Twice, for what the first turn posts. */
	for (i = 0; i < 2; i++)
		assert_int_equal(vduse_loopback_ask(device.loop, &req, &resp, UNIT_PATIENCE_MS), 0);
}

/* A region that the kernel has had for a while: one walk finds it, other queues go on. */
static void
test_miss_solved(void **state)
{
	uint64_t walks = vduse_loopback_walks(device.loop);

	RTE_SET_USED(state);
	loopback_dev_region(&device, FAR, PAGE, PAGE, PERM_RW, memory);
	assert_true(loopback_dev_burst(&device, 0, FAR + 5, true));
	loopback_dev_wait(&device, 0, RTE_VDUSE_VQ_RUNNING);
	/* The state is seen before the lock is free. */
	control_thread_idle();
	assert_true(loopback_dev_burst(&device, 0, FAR + 5, true));
	assert_true(loopback_dev_burst(&device, 1, FAR + 6, true));
	control_thread_idle();
	assert_int_equal(vduse_loopback_walks(device.loop), walks + 1);
	assert_int_equal(loopback_dev_state(&device, 0), RTE_VDUSE_VQ_RUNNING);
	assert_int_equal(loopback_dev_state(&device, 1), RTE_VDUSE_VQ_RUNNING);
	assert_int_equal(device.vqs[0]->misses, 1);
	assert_int_equal(device.vqs[0]->faults, 0);
	assert_int_equal(device.vqs[1]->misses, 0);
}

/* While the control thread looks, the virtqueue that missed is not polled. */
static void
test_miss_waits(void **state)
{
	RTE_SET_USED(state);
	loopback_dev_region(&device, FAR, PAGE, PAGE, PERM_RW, memory);
	assert_true(rte_vduse_vq_enter(device.vqs[2])); /* holds the control thread up */
	assert_true(loopback_dev_burst(&device, 0, FAR, false));
	assert_true(unit_wait(is_locked_out, device.vqs[2]));
	assert_int_equal(loopback_dev_state(&device, 0), RTE_VDUSE_VQ_WAITING);
	assert_false(rte_vduse_vq_enter(device.vqs[0]));
	assert_true(rte_vduse_vq_enter(device.vqs[1]));
	rte_vduse_vq_leave(device.vqs[1]);
	rte_vduse_vq_leave(device.vqs[2]);
	loopback_dev_wait(&device, 0, RTE_VDUSE_VQ_RUNNING);
}

/* A miss during a walk may be of a region that the walk was too early for. */
static void
test_miss_during_walk(void **state)
{
	RTE_SET_USED(state);
	loopback_dev_region(&device, FAR, PAGE, PAGE, PERM_RW, memory);
	assert_true(rte_vduse_vq_enter(device.vqs[2]));
	assert_true(loopback_dev_burst(&device, 0, FAR, false));
	assert_true(unit_wait(is_locked_out, device.vqs[2]));
	loopback_dev_region(&device, 2 * FAR, PAGE, PAGE, PERM_RW, memory);
	assert_true(loopback_dev_burst(&device, 1, 2 * FAR, false));
	rte_vduse_vq_leave(device.vqs[2]);
	loopback_dev_wait(&device, 0, RTE_VDUSE_VQ_RUNNING);
	loopback_dev_wait(&device, 1, RTE_VDUSE_VQ_RUNNING);
	assert_int_equal(device.vqs[1]->faults, 0);
}

/* An address that is nowhere: this virtqueue is out until a reset, the others go on. */
static void
test_miss_stays(void **state)
{
	uint64_t walks = vduse_loopback_walks(device.loop);

	RTE_SET_USED(state);
	assert_true(loopback_dev_burst(&device, 0, FAR, false));
	loopback_dev_wait(&device, 0, RTE_VDUSE_VQ_ERROR);
	assert_false(loopback_dev_burst(&device, 0, 0, false));
	assert_true(loopback_dev_burst(&device, 1, 0, true));
	loopback_dev_update(&device);
	assert_int_equal(loopback_dev_state(&device, 0), RTE_VDUSE_VQ_ERROR);
	assert_int_equal(vduse_loopback_walks(device.loop), walks + 2);
	assert_int_equal(unit_log_count("unit0: virtqueue 0 stopped"), 1);
	assert_int_equal(unit_log_count("0x10000"), 1);
	assert_int_equal(device.vqs[0]->faults, 1);
	loopback_dev_up(&device);
	assert_int_equal(loopback_dev_state(&device, 0), RTE_VDUSE_VQ_RUNNING);
	assert_true(loopback_dev_burst(&device, 0, 0, false));
}

/* Every walk finds a region that must not be written: the walks must end. */
static void
test_miss_permission(void **state)
{
	uint64_t walks = vduse_loopback_walks(device.loop);

	RTE_SET_USED(state);
	loopback_dev_region(&device, FAR, PAGE, PAGE, VDUSE_ACCESS_RO, memory);
	loopback_dev_update(&device);
	assert_true(loopback_dev_burst(&device, 0, FAR, false));
	assert_int_equal(loopback_dev_state(&device, 0), RTE_VDUSE_VQ_RUNNING);
	assert_true(loopback_dev_burst(&device, 0, FAR, true));
	loopback_dev_wait(&device, 0, RTE_VDUSE_VQ_ERROR);
	control_thread_idle();
	assert_int_equal(vduse_loopback_walks(device.loop), walks + 2);
	assert_int_equal(device.vqs[0]->misses, 1);
}

/* Rings in memory that comes later: the virtqueue then runs as any other does. */
static void
test_suspended_start(void **state)
{
	RTE_SET_USED(state);
	loopback_dev_set_vq(&device, 0, FAR, 256);
	loopback_dev_up(&device);
	assert_int_equal(loopback_dev_state(&device, 0), RTE_VDUSE_VQ_SUSPENDED);
	assert_int_equal(loopback_dev_state(&device, 1), RTE_VDUSE_VQ_RUNNING);
	loopback_dev_update(&device);
	assert_int_equal(loopback_dev_state(&device, 0), RTE_VDUSE_VQ_SUSPENDED);
	loopback_dev_region(&device, FAR, PAGE, PAGE, PERM_RW, memory);
	loopback_dev_update(&device);
	assert_int_equal(loopback_dev_state(&device, 0), RTE_VDUSE_VQ_RUNNING);
	assert_true(device.vqs[0]->kick_fd >= 0);
	assert_int_equal(vduse_loopback_kick_fd(device.loop, 0), device.vqs[0]->kick_fd);
}

/* A start that fails half-way leaves nothing with the device type. */
static void
test_kick_refused(void **state)
{
	unsigned int fds;

	RTE_SET_USED(state);
	assert_true(loopback_dev_set_status(&device, 0));
	fds = unit_fds();
	vduse_loopback_refuse(device.loop, VDUSE_LOOPBACK_KICK_FD, -ENOSPC);
	loopback_dev_up(&device);
	assert_int_equal(loopback_dev_state(&device, 0), RTE_VDUSE_VQ_ERROR);
	assert_int_equal(unit_log_count("unit0: virtqueue 0 (size 256) cannot start: No space"), 1);
	assert_int_equal(unit_fds(), fds);
	assert_int_equal(device.starts[0], device.stops[0]);
	vduse_loopback_refuse(device.loop, VDUSE_LOOPBACK_KICK_FD, 0);
	loopback_dev_up(&device);
	assert_int_equal(loopback_dev_state(&device, 0), RTE_VDUSE_VQ_RUNNING);
	assert_true(loopback_dev_set_status(&device, 0));
	assert_int_equal(device.starts[0], device.stops[0]);
}

/* B19: a virtqueue that the device type refuses says so; a reset gives it another try. */
static void
test_start_refused(void **state)
{
	RTE_SET_USED(state);
	assert_true(loopback_dev_set_status(&device, 0));
	device.start_result = -EINVAL;
	loopback_dev_up(&device);
	assert_int_equal(loopback_dev_state(&device, 0), RTE_VDUSE_VQ_ERROR);
	assert_int_equal(loopback_dev_state(&device, 2), RTE_VDUSE_VQ_ERROR);
	assert_int_equal(unit_log_count("cannot start: Invalid argument"), LOOPBACK_DEV_VQS);
	assert_int_equal(device.vqs[0]->faults, 1);
	loopback_dev_update(&device);
	assert_int_equal(loopback_dev_state(&device, 0), RTE_VDUSE_VQ_ERROR);
	assert_true(loopback_dev_set_status(&device, 0));
	device.start_result = 0;
	loopback_dev_up(&device);
	assert_int_equal(loopback_dev_state(&device, 0), RTE_VDUSE_VQ_RUNNING);
}

static void
test_kick_and_call(void **state)
{
	int kick = vduse_loopback_kick_fd(device.loop, 1);

	RTE_SET_USED(state);
	assert_int_equal(kick, device.vqs[1]->kick_fd);
	assert_int_equal(rte_vduse_vq_call(device.vqs[1]), 0);
	assert_int_equal(vduse_loopback_calls(device.loop, 1), 1);
	assert_int_equal(vduse_loopback_calls(device.loop, 0), 0);
	assert_true(loopback_dev_set_status(&device, 0));
	assert_int_equal(vduse_loopback_kick_fd(device.loop, 1), -1);
	assert_int_equal(fcntl(kick, F_GETFD), -1);
}

static void
check_runs(uint16_t index, unsigned int runs, unsigned int rests)
{
	assert_int_equal(loopback_dev_counted(&device.runs[index]), runs);
	assert_int_equal(loopback_dev_counted(&device.rests[index]), rests);
}

/* Told once of each change, and not of memory that moves or is looked for. */
static void
test_runs(void **state)
{
	RTE_SET_USED(state);
	check_runs(0, 1, 0);
	loopback_dev_update(&device);
	loopback_dev_region(&device, FAR, PAGE, PAGE, PERM_RW, memory);
	assert_true(loopback_dev_burst(&device, 0, FAR + 5, true));
	loopback_dev_wait(&device, 0, RTE_VDUSE_VQ_RUNNING);
	control_thread_idle();
	check_runs(0, 1, 0);
	assert_true(loopback_dev_set_status(&device, 0));
	check_runs(0, 1, 1);
	/* Without its rings it starts, but does not run. */
	loopback_dev_set_vq(&device, 1, 2 * FAR, 256);
	loopback_dev_up(&device);
	check_runs(0, 2, 1);
	check_runs(1, 1, 1);
	loopback_dev_region(&device, 2 * FAR, PAGE, PAGE, PERM_RW, memory);
	loopback_dev_update(&device);
	check_runs(1, 2, 1);
	/* An error is told with the reset. */
	assert_true(loopback_dev_burst(&device, 0, 4 * FAR, true));
	loopback_dev_wait(&device, 0, RTE_VDUSE_VQ_ERROR);
	assert_true(loopback_dev_set_status(&device, 0));
	check_runs(0, 2, 2);
	check_runs(1, 2, 2);
}

/* The eventfd of a thread that sleeps stays, while the driver's kicks get another one at each start. */
static void
test_wake(void **state)
{
	unsigned int fds = unit_fds();
	int wake = rte_vduse_vq_wake_fd(device.vqs[1]);

	RTE_SET_USED(state);
	assert_true(wake >= 0);
	assert_int_equal(rte_vduse_vq_wake_fd(device.vqs[1]), wake);
	assert_int_equal(unit_fds(), fds + 1);
	assert_false(unit_signalled(&wake));
	assert_int_equal(eventfd_write(vduse_loopback_kick_fd(device.loop, 1), 1), 0);
	assert_true(unit_signalled(&wake));
	assert_true(loopback_dev_set_status(&device, 0));
	assert_int_equal(vduse_loopback_kick_fd(device.loop, 1), -1);
	assert_false(unit_signalled(&wake));
	loopback_dev_up(&device);
	assert_int_equal(rte_vduse_vq_wake_fd(device.vqs[1]), wake);
	assert_true(unit_signalled(&wake));
	assert_int_equal(eventfd_write(vduse_loopback_kick_fd(device.loop, 1), 1), 0);
	assert_true(unit_signalled(&wake));
	assert_int_equal(eventfd_write(vduse_loopback_kick_fd(device.loop, 0), 1), 0);
	assert_false(unit_signalled(&wake));
	loopback_dev_destroy(&device);
	assert_int_equal(fcntl(wake, F_GETFD), -1);
	loopback_dev_start(&device);
}

/* Opened before a driver comes; then a start, and the end of each stall, wakes the thread. */
static void
test_wake_runs(void **state)
{
	int wake;

	RTE_SET_USED(state);
	assert_true(loopback_dev_set_status(&device, 0));
	wake = rte_vduse_vq_wake_fd(device.vqs[0]);
	assert_true(wake >= 0);
	assert_false(unit_signalled(&wake));
	loopback_dev_set_vq(&device, 0, FAR, 256);
	loopback_dev_up(&device);
	assert_int_equal(loopback_dev_state(&device, 0), RTE_VDUSE_VQ_SUSPENDED);
	assert_false(unit_signalled(&wake));
	loopback_dev_region(&device, FAR, PAGE, PAGE, PERM_RW, memory);
	loopback_dev_update(&device);
	assert_true(unit_signalled(&wake));
	loopback_dev_region(&device, 2 * FAR, PAGE, PAGE, PERM_RW, memory);
	assert_true(loopback_dev_burst(&device, 0, 2 * FAR, true));
	assert_true(unit_wait(unit_signalled, &wake));
	assert_int_equal(loopback_dev_state(&device, 0), RTE_VDUSE_VQ_RUNNING);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_reset_waits, setup, teardown),
		cmocka_unit_test_setup_teardown(test_update_waits, setup, teardown),
		cmocka_unit_test_setup_teardown(test_broken_waits, setup, teardown),
		cmocka_unit_test_setup_teardown(test_greedy_poller, setup, teardown),
		cmocka_unit_test_setup_teardown(test_miss_solved, setup, teardown),
		cmocka_unit_test_setup_teardown(test_miss_waits, setup, teardown),
		cmocka_unit_test_setup_teardown(test_miss_during_walk, setup, teardown),
		cmocka_unit_test_setup_teardown(test_miss_stays, setup, teardown),
		cmocka_unit_test_setup_teardown(test_miss_permission, setup, teardown),
		cmocka_unit_test_setup_teardown(test_suspended_start, setup, teardown),
		cmocka_unit_test_setup_teardown(test_kick_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_start_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_kick_and_call, setup, teardown),
		cmocka_unit_test_setup_teardown(test_runs, setup, teardown),
		cmocka_unit_test_setup_teardown(test_wake, setup, teardown),
		cmocka_unit_test_setup_teardown(test_wake_runs, setup, teardown),
	};

	if (unit_init() < 0)
		return 1;
	return unit_done(cmocka_run_group_tests(tests, NULL, NULL));
}
