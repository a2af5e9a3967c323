/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Our memory as the kernel's bounce buffer: registered once for each driver, and not again after a
 * refusal. The kernel's side is here; the rest of the device is a loopback one.
 */
#include "loopback_dev.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <vduse/core/transport.h>

#define SIZE (2u << 20)

static struct rte_vduse_dev *device;
static struct loopback_dev calls; /* of the device type */
static struct vduse_loopback *loop;
static struct vduse_transport_ops ops;

static struct {
	void *va; /* NULL: none is registered */
	unsigned int added, removed;
	int refuse; /* what adding returns */
} kernel;

static int
kernel_umem(struct rte_vduse_dev *dev, bool add, void *va, uint64_t iova, uint64_t size)
{
	RTE_SET_USED(dev);
	assert_int_equal(iova, 0);
	assert_int_equal(size, SIZE);
	if (add && kernel.refuse != 0)
		return kernel.refuse;
	/* As the kernel has it: EEXIST and ENOENT. */
	if (add == (kernel.va != NULL))
		return add ? -EEXIST : -ENOENT;
	if (!add)
		assert_ptr_equal(va, kernel.va);
	kernel.va = add ? va : NULL;
	kernel.added += add;
	kernel.removed += !add;
	return 0;
}

/* It is not started: what the control thread would do, this one does. */
static int
setup(void **state)
{
	struct rte_vduse_dev_conf conf = loopback_dev_conf(&calls);

	RTE_SET_USED(state);
	memset(&kernel, 0, sizeof(kernel));
	memset(&calls, 0, sizeof(calls));
	ops = vduse_transport_loopback;
	ops.umem = kernel_umem;
	loop = vduse_loopback_new();
	assert_non_null(loop);
	conf.umem = true;
	conf.transport = &ops;
	conf.transport_priv = loop;
	assert_int_equal(rte_vduse_dev_create(&conf, &device), 0);
	unit_log_clear();
	return 0;
}

static int
teardown(void **state)
{
	RTE_SET_USED(state);
	rte_vduse_dev_destroy(device);
	vduse_loopback_free(loop);
	return 0;
}

/* The driver's bounce buffer is looked up. Returns the memory in its place, or NULL. */
static void *
look_up(void)
{
	struct vduse_mapping *mapping = vduse_umem_add(device, 0, SIZE);
	void *va = mapping != NULL ? mapping->va : NULL;

	free(mapping);
	return va;
}

static void
test_each_driver(void **state)
{
	void *va;
	int i;

	RTE_SET_USED(state);
	for (i = 1; i <= 3; i++) {
		va = look_up();
		assert_non_null(va);
		assert_ptr_equal(va, kernel.va);
		assert_ptr_equal(look_up(), va);
		assert_int_equal(kernel.added, i);
		assert_int_equal(kernel.removed, i - 1);
		vduse_status_reset(device);
	}
}

/* A device that was attached again has a bounce buffer without our memory. */
static void
test_forgotten(void **state)
{
	RTE_SET_USED(state);
	assert_non_null(look_up());
	kernel.va = NULL;
	vduse_status_reset(device);
	assert_non_null(look_up());
	assert_non_null(kernel.va);
	assert_int_equal(kernel.added, 2);
}

static void
test_refused(void **state)
{
	RTE_SET_USED(state);
	kernel.refuse = -ENOMEM;
	assert_null(look_up());
	assert_int_equal(unit_log_count("raise the locked memory limit by 2097152 bytes"), 1);
	kernel.refuse = 0;
	vduse_status_reset(device);
	assert_null(look_up());
	assert_int_equal(kernel.added, 0);
	assert_int_equal(unit_log_count("raise the locked memory limit"), 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_each_driver, setup, teardown),
		cmocka_unit_test_setup_teardown(test_forgotten, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
	};

	if (unit_init() < 0)
		return 1;
	return unit_done(cmocka_run_group_tests(tests, NULL, NULL));
}
