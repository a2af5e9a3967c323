/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Two groups of virtqueues and two address spaces: each virtqueue finds the memory of the space that
 * its group is in, and a change of one space leaves the other alone.
 */
#include "create_over.h"
#include "loopback_dev.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_vduse_compat.h>

/* The virtqueues of group 0, and the one of group 1. */
#define FIRST 0
#define CTRL  (LOOPBACK_DEV_VQS - 1)

#define NAMES 2

static struct loopback_dev device;
static struct rte_vduse_dev_ops ops;
static unsigned int drains[LOOPBACK_DEV_VQS]; /* written by the control thread, atomic */
static int memory[NAMES];
static char dir[64];

static unsigned int
on_vq_drain(struct rte_vduse_vq *vq, bool stop, void *arg)
{
	RTE_SET_USED(stop);
	RTE_SET_USED(arg);
	rte_atomic_fetch_add_explicit(&drains[rte_vduse_vq_index(vq)], 1, rte_memory_order_relaxed);
	return 0;
}

static int
create(uint16_t ctrl_vqs, uint64_t limit)
{
	struct rte_vduse_dev_conf conf = loopback_dev_conf(&device);
	uint16_t i;
	int ret;

	ops = *conf.ops;
	ops.vq_drain = on_vq_drain;
	conf.ops = &ops;
	conf.ctrl_vqs = ctrl_vqs;
	conf.memory_limit = limit;
	ret = create_dev_over(&conf, &vduse_transport_loopback, device.loop, &device.dev);
	if (ret < 0)
		return ret;
	for (i = 0; i < LOOPBACK_DEV_VQS; i++)
		device.vqs[i] = rte_vduse_dev_vq(device.dev, i);
	assert_int_equal(rte_vduse_dev_start(device.dev, RTE_VDUSE_ATTACH_NONE), 0);
	return 0;
}

/* A page of each space at the same address, with another first byte. */
static void
share(void)
{
	uint32_t asid;

	for (asid = 0; asid < NAMES; asid++)
		assert_int_equal(vduse_loopback_region_add_to(device.loop, asid, 0, PAGE - 1, 0,
							      PERM_RW, memory[asid]),
				 0);
}

static void
begin(uint16_t ctrl_vqs, uint64_t limit)
{
	memset(&device, 0, sizeof(device));
	memset(drains, 0, sizeof(drains));
	device.loop = vduse_loopback_new();
	assert_non_null(device.loop);
	vduse_loopback_set_features(device.loop, LOOPBACK_DEV_FEATURES);
	loopback_dev_set_vq(&device, FIRST, 64, 256);
	loopback_dev_set_vq(&device, CTRL, 64, 256);
	share();
	assert_int_equal(create(ctrl_vqs, limit), 0);
	unit_log_clear();
}

static int
setup(void **state)
{
	static const char *const names[] = { "unit-space0", "unit-space1" };
	uint8_t mark;
	int i;

	RTE_SET_USED(state);
	strcpy(dir, "/tmp/unit-space-XXXXXX");
	assert_non_null(mkdtemp(dir));
	assert_int_equal(setenv("DPDK_VDUSE_RUN_DIR", dir, 1), 0);
	for (i = 0; i < NAMES; i++) {
		memory[i] = unit_memfd(names[i], 2 * PAGE);
		mark = (uint8_t)(0x50 + i);
		assert_int_equal(pwrite(memory[i], &mark, 1, 0), 1);
	}
	begin(1, 0);
	return 0;
}

static int
teardown(void **state)
{
	int i;

	RTE_SET_USED(state);
	loopback_dev_destroy(&device);
	for (i = 0; i < NAMES; i++)
		close(memory[i]);
	/* Destroying the device removed its state file. */
	assert_int_equal(rmdir(dir), 0);
	return 0;
}

static bool
ask(struct vduse_dev_request req)
{
	struct vduse_dev_response resp;

	assert_int_equal(vduse_loopback_ask(device.loop, &req, &resp, UNIT_PATIENCE_MS), 0);
	return resp.result == VDUSE_REQ_RESULT_OK;
}

static bool
move(uint32_t group, uint32_t asid)
{
	return ask((struct vduse_dev_request){
		.type = VDUSE_SET_VQ_GROUP_ASID,
		.vq_group_asid = { .group = group, .asid = asid },
	});
}

/* Comes up with the groups where they are; loopback_dev_up() would reset the device first. */
static void
up(void)
{
	assert_true(loopback_dev_set_status(&device, STATUS_FEATURES));
	assert_true(loopback_dev_set_status(&device, STATUS_UP));
	loopback_dev_wait(&device, FIRST, RTE_VDUSE_VQ_RUNNING);
	loopback_dev_wait(&device, CTRL, RTE_VDUSE_VQ_RUNNING);
}

/* The space whose memory a virtqueue finds at address 0. */
static int
space_of(uint16_t index)
{
	struct rte_vduse_region region;

	assert_true(loopback_dev_lookup(&device, index, 0, &region));
	return *(const uint8_t *)region.va - 0x50;
}

/* The answer to a message means that it was handled: the control thread is idle then. */
static const struct vduse_iotlb *
table(uint32_t asid)
{
	return device.dev->iotlb[asid];
}

static void
test_one_space(void **state)
{
	RTE_SET_USED(state);
	up();
	assert_int_equal(space_of(FIRST), 0);
	assert_int_equal(space_of(CTRL), 0);
}

static void
test_two_spaces(void **state)
{
	struct rte_vduse_dev_stats stats;

	RTE_SET_USED(state);
	assert_true(move(1, 1));
	up();
	assert_int_equal(space_of(FIRST), 0);
	assert_int_equal(space_of(CTRL), 1);
	rte_vduse_dev_stats(device.dev, &stats, sizeof(stats));
	assert_int_equal(stats.regions, 2);
}

/* Which group is in which space is the driver's choice. */
static void
test_spaces_swapped(void **state)
{
	RTE_SET_USED(state);
	assert_true(move(0, 1));
	up();
	assert_int_equal(space_of(FIRST), 1);
	assert_int_equal(space_of(CTRL), 0);
}

static void
test_update_one_space(void **state)
{
	const struct vduse_iotlb *kept;
	unsigned int remaps[2];

	RTE_SET_USED(state);
	assert_true(move(1, 1));
	up();
	kept = table(0);
	remaps[0] = device.remaps[FIRST];
	remaps[1] = device.remaps[CTRL];
	/* A second page in each space, of which only one is announced. */
	assert_int_equal(vduse_loopback_region_add_to(device.loop, 0, PAGE, 2 * PAGE - 1, PAGE,
						      PERM_RW, memory[0]),
			 0);
	assert_int_equal(vduse_loopback_region_add_to(device.loop, 1, PAGE, 2 * PAGE - 1, PAGE,
						      PERM_RW, memory[1]),
			 0);
	assert_true(ask(vduse_loopback_space_changed(1)));
	assert_ptr_equal(table(0), kept);
	assert_int_equal(table(0)->nb, 1);
	assert_int_equal(table(1)->nb, 2);
	assert_int_equal(device.remaps[FIRST], remaps[0]);
	assert_int_equal(device.remaps[CTRL], remaps[1] + 1);
	/* Requests of the other space were not waited for, and it is polled. */
	assert_int_equal(rte_atomic_load_explicit(&drains[FIRST], rte_memory_order_relaxed), 0);
	assert_int_equal(rte_atomic_load_explicit(&drains[CTRL], rte_memory_order_relaxed), 1);
	assert_int_equal(space_of(FIRST), 0);
	kept = table(1);
	assert_true(ask(vduse_loopback_space_changed(0)));
	assert_ptr_equal(table(1), kept);
	assert_int_equal(table(0)->nb, 2);
	assert_int_equal(space_of(CTRL), 1);
}

/* No group is in space 1: its change concerns nobody, and everything is polled after it. */
static void
test_update_of_no_group(void **state)
{
	RTE_SET_USED(state);
	up();
	assert_true(ask(vduse_loopback_space_changed(1)));
	assert_int_equal(rte_atomic_load_explicit(&drains[CTRL], rte_memory_order_relaxed), 0);
	assert_int_equal(space_of(FIRST), 0);
	assert_int_equal(space_of(CTRL), 0);
}

static void
test_move_while_up(void **state)
{
	RTE_SET_USED(state);
	up();
	assert_false(move(1, 1));
	assert_int_equal(unit_log_count("group 1 to be moved to address space 1 while its driver"),
			 1);
	assert_int_equal(space_of(CTRL), 0);
	assert_true(loopback_dev_set_status(&device, 0));
	assert_true(move(1, 1));
	up();
	assert_int_equal(space_of(CTRL), 1);
}

/* The kernel moves the groups back by a reset and sends no message for it. */
static void
test_reset_moves_back(void **state)
{
	RTE_SET_USED(state);
	assert_true(move(0, 1));
	assert_true(move(1, 1));
	up();
	assert_int_equal(space_of(FIRST), 1);
	assert_true(loopback_dev_set_status(&device, 0));
	assert_null(table(0));
	assert_null(table(1));
	up();
	assert_int_equal(space_of(FIRST), 0);
	assert_int_equal(space_of(CTRL), 0);
}

static void
test_out_of_range(void **state)
{
	static const uint32_t bad[] = { 2, 65536, UINT32_MAX };
	size_t i;

	RTE_SET_USED(state);
	for (i = 0; i < RTE_DIM(bad); i++) {
		unit_log_clear();
		assert_false(ask(vduse_loopback_space_changed(bad[i])));
		assert_int_equal(unit_log_count("unit0: memory of address space"), 1);
		assert_false(move(0, bad[i]));
		assert_false(move(bad[i], 0));
		assert_int_equal(unit_log_count("to be moved to address space"), 2);
	}
	up();
	for (i = 0; i < RTE_DIM(bad); i++)
		assert_false(ask(vduse_loopback_space_changed(bad[i])));
	assert_int_equal(space_of(FIRST), 0);
}

/* A device of one group has only space 0. */
static void
test_one_group(void **state)
{
	RTE_SET_USED(state);
	loopback_dev_destroy(&device);
	begin(0, 0);
	assert_true(move(0, 0));
	assert_false(move(0, 1));
	assert_false(move(1, 0));
	assert_false(ask(vduse_loopback_space_changed(1)));
	assert_int_equal(unit_log_count("unit0: "), 3);
	up();
	assert_int_equal(space_of(CTRL), 0);
}

/* The space that a virtqueue is in is searched, and only it. */
static void
test_miss(void **state)
{
	const struct vduse_iotlb *kept;
	struct rte_vduse_region region;

	RTE_SET_USED(state);
	assert_true(move(1, 1));
	up();
	kept = table(0);
	assert_int_equal(vduse_loopback_region_add_to(device.loop, 1, PAGE, 2 * PAGE - 1, PAGE,
						      PERM_RW, memory[1]),
			 0);
	assert_true(loopback_dev_burst(&device, CTRL, PAGE, true));
	loopback_dev_wait(&device, CTRL, RTE_VDUSE_VQ_RUNNING);
	assert_true(loopback_dev_lookup(&device, CTRL, PAGE, &region));
	assert_int_equal(region.first, PAGE);
	assert_ptr_equal(table(0), kept);
	assert_int_equal(space_of(FIRST), 0);
	assert_true(loopback_dev_burst(&device, FIRST, PAGE, true));
	loopback_dev_wait(&device, FIRST, RTE_VDUSE_VQ_ERROR);
	assert_int_equal(space_of(CTRL), 1);
}

/* The limit counts the memory of both spaces. */
static void
test_limit(void **state)
{
	RTE_SET_USED(state);
	loopback_dev_destroy(&device);
	begin(1, 2 * PAGE);
	assert_true(move(1, 1));
	up();
	assert_int_equal(vduse_loopback_region_add_to(device.loop, 1, PAGE, 2 * PAGE - 1, PAGE,
						      PERM_RW, memory[1]),
			 0);
	assert_true(ask(vduse_loopback_space_changed(1)));
	assert_int_equal(unit_log_count("shares more than the 8192 bytes of memory-limit"), 1);
	assert_null(table(1));
	assert_int_equal(space_of(FIRST), 0);
}

/* As the state file is when the process is killed: before the device is destroyed. */
static void
keep_state(void)
{
	char from[128], to[128];

	snprintf(from, sizeof(from), "%s/unit0.state", dir);
	snprintf(to, sizeof(to), "%s/kept", dir);
	assert_int_equal(link(from, to), 0);
	loopback_dev_destroy(&device);
	assert_int_equal(rename(to, from), 0);
}

/* The device of a process that was killed, in a loopback of its own. */
static void
leave(void)
{
	memset(&device, 0, sizeof(device));
	device.loop = vduse_loopback_new();
	assert_non_null(device.loop);
	vduse_loopback_leave(device.loop, NULL);
	vduse_loopback_set_features(device.loop, LOOPBACK_DEV_FEATURES);
	loopback_dev_set_vq(&device, FIRST, 64, 256);
	loopback_dev_set_vq(&device, CTRL, 64, 256);
	share();
}

static void
test_taken_over(void **state)
{
	RTE_SET_USED(state);
	assert_true(move(1, 1));
	up();
	keep_state();
	leave();
	assert_int_equal(create(1, 0), 0);
	loopback_dev_wait(&device, CTRL, RTE_VDUSE_VQ_RUNNING);
	assert_int_equal(space_of(FIRST), 0);
	assert_int_equal(space_of(CTRL), 1);
	/* The next process is told, too. */
	keep_state();
	leave();
	assert_int_equal(create(1, 0), 0);
	loopback_dev_wait(&device, CTRL, RTE_VDUSE_VQ_RUNNING);
	assert_int_equal(space_of(CTRL), 1);
}

/* Nothing tells where the control queue is: to guess would be to write to wrong memory. */
static void
test_taken_over_untold(void **state)
{
	RTE_SET_USED(state);
	loopback_dev_destroy(&device);
	leave();
	assert_int_equal(create(1, 0), -EEXIST);
	assert_null(device.dev);
	/* The file of a device with one group does not tell either. */
	assert_int_equal(create(0, 0), 0);
	assert_int_equal(rte_vduse_state_open(device.dev, false), 0);
	keep_state();
	leave();
	assert_int_equal(create(1, 0), -EEXIST);
	assert_int_equal(create(0, 0), 0);
	assert_int_equal(rte_vduse_state_open(device.dev, false), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_one_space, setup, teardown),
		cmocka_unit_test_setup_teardown(test_two_spaces, setup, teardown),
		cmocka_unit_test_setup_teardown(test_spaces_swapped, setup, teardown),
		cmocka_unit_test_setup_teardown(test_update_one_space, setup, teardown),
		cmocka_unit_test_setup_teardown(test_update_of_no_group, setup, teardown),
		cmocka_unit_test_setup_teardown(test_move_while_up, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reset_moves_back, setup, teardown),
		cmocka_unit_test_setup_teardown(test_out_of_range, setup, teardown),
		cmocka_unit_test_setup_teardown(test_one_group, setup, teardown),
		cmocka_unit_test_setup_teardown(test_miss, setup, teardown),
		cmocka_unit_test_setup_teardown(test_limit, setup, teardown),
		cmocka_unit_test_setup_teardown(test_taken_over, setup, teardown),
		cmocka_unit_test_setup_teardown(test_taken_over_untold, setup, teardown),
	};

	if (unit_init() < 0)
		return 1;
	return unit_done(cmocka_run_group_tests(tests, NULL, NULL));
}
