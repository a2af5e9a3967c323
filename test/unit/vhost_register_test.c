/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Which paths are VDUSE devices, which are forwarded to librte_vhost, and that nothing is leaked.
 */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/virtio_config.h>
#include <linux/virtio_net.h>

#include <rte_ether.h>
#include <rte_vhost.h>

#include <vhost/vhost.h>

#define OURS "/dev/vduse/unit-register"

static char socket_path[64];

static bool
is_socket(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0 && S_ISSOCK(status.st_mode);
}

static void
test_all_found(void **state)
{
	RTE_SET_USED(state);
	assert_non_null(vhost_forward.driver_register);
	assert_non_null(vhost_forward.enqueue_burst);
	assert_ptr_not_equal(vhost_forward.driver_register, rte_vhost_driver_register);
}

static void
test_socket(void **state)
{
	uint64_t ours, theirs;
	uint32_t queues;

	RTE_SET_USED(state);
	assert_int_equal(rte_vhost_driver_register(socket_path, 0), 0);
	assert_int_equal(rte_vhost_driver_get_features(socket_path, &ours), 0);
	assert_int_equal(vhost_forward.driver_get_features(socket_path, &theirs), 0);
	assert_int_equal(ours, theirs);
	/* librte_vhost offers many more queues than we do. */
	assert_int_equal(rte_vhost_driver_get_queue_num(socket_path, &queues), 0);
	assert_true(queues > 1);
	assert_int_equal(rte_vhost_driver_start(socket_path), 0);
	assert_true(is_socket(socket_path));
	assert_int_equal(rte_vhost_driver_unregister(socket_path), 0);
	assert_false(is_socket(socket_path));
}

static void
test_id_not_ours(void **state)
{
	char name[32];

	RTE_SET_USED(state);
	assert_int_equal(rte_vhost_get_vring_num(RTE_MAX_VHOST_DEVICE - 1), 0);
	assert_int_equal(rte_vhost_get_ifname(0, name, sizeof(name)), -1);
	assert_int_equal(rte_vhost_get_ifname(-1, name, sizeof(name)),
			 vhost_forward.get_ifname(-1, name, sizeof(name)));
}

static void
test_bad_names(void **state)
{
	static const char *const bad[] = { "/dev/vduse/", "/dev/vduse/control", "/dev/vduse/a/b",
					   "/dev/vduse/..", "/dev/vduse/a b" };
	size_t i;

	RTE_SET_USED(state);
	for (i = 0; i < RTE_DIM(bad); i++) {
		unit_log_clear();
		assert_int_equal(rte_vhost_driver_register(bad[i], 0), -1);
		assert_int_equal(unit_log_count("not the path of a VDUSE device"), 1);
		assert_int_equal(rte_vhost_driver_start(bad[i]), -1);
		assert_int_equal(rte_vhost_driver_unregister(bad[i]), -1);
		/* Nor does librte_vhost know it. */
		assert_int_equal(vhost_forward.driver_unregister(bad[i]), -1);
	}
}

static void
test_twice(void **state)
{
	RTE_SET_USED(state);
	assert_int_equal(rte_vhost_driver_register(OURS, 0), 0);
	assert_int_equal(rte_vhost_driver_register(OURS, 0), -1);
	assert_int_equal(rte_vhost_driver_unregister(OURS), 0);
	assert_int_equal(rte_vhost_driver_unregister(OURS), -1);
	assert_int_equal(rte_vhost_driver_callback_register(OURS, NULL), -1);
}

static void
test_features(void **state)
{
	uint64_t must = VHOST_BIT(VIRTIO_F_VERSION_1) | VHOST_BIT(VIRTIO_F_ACCESS_PLATFORM);
	uint64_t all, features, merge = VHOST_BIT(VIRTIO_NET_F_MRG_RXBUF);
	struct rte_vduse_vhost_conf conf = { .queue_size = 512 };
	uint32_t queues;

	RTE_SET_USED(state);
	assert_int_equal(rte_vhost_driver_register(OURS, 0), 0);
	assert_int_equal(rte_vhost_driver_get_features(OURS, &all), 0);
	assert_int_equal(all & (must | merge), must | merge);
	assert_int_equal(rte_vhost_driver_disable_features(OURS, merge | must), 0);
	assert_int_equal(rte_vhost_driver_get_features(OURS, &features), 0);
	assert_int_equal(features, all & ~merge);
	/* What the application disabled stays disabled when it configures the device. */
	assert_int_equal(rte_vduse_vhost_configure(OURS, &conf), 0);
	assert_int_equal(rte_vhost_driver_get_features(OURS, &features), 0);
	assert_int_equal(features, all & ~merge);
	assert_int_equal(rte_vhost_driver_enable_features(OURS, merge), 0);
	assert_int_equal(rte_vhost_driver_enable_features(OURS, UINT64_C(1) << 63), -1);
	assert_int_equal(rte_vhost_driver_get_features(OURS, &features), 0);
	assert_int_equal(features, all);
	assert_int_equal(rte_vhost_driver_set_features(OURS, merge), 0);
	assert_int_equal(rte_vhost_driver_get_features(OURS, &features), 0);
	assert_int_equal(features, must | merge | VHOST_BIT(VIRTIO_NET_F_MAC));
	assert_int_equal(rte_vhost_driver_get_queue_num(OURS, &queues), 0);
	assert_int_equal(queues, 1);
	assert_int_equal(rte_vhost_driver_set_max_queue_num(OURS, 4), 0);
	assert_int_equal(rte_vhost_driver_set_max_queue_num(OURS, 0), -1);
	assert_int_equal(rte_vhost_driver_get_queue_num(OURS, &queues), 0);
	assert_int_equal(queues, 4);
	assert_int_equal(rte_vhost_driver_unregister(OURS), 0);
}

/* A machine without VDUSE: an error, and nothing that stays. */
static void
test_no_vduse(void **state)
{
	unsigned int fds;
	int i;

	RTE_SET_USED(state);
	if (access("/dev/vduse/control", F_OK) == 0)
		skip();
	for (i = 0; i < 2; i++) {
		/* The events thread of the first time stays. */
		fds = unit_fds();
		unit_log_clear();
		assert_int_equal(rte_vhost_driver_register(OURS, 0), 0);
		assert_int_equal(rte_vhost_driver_start(OURS), -1);
		assert_int_equal(unit_log_count("unit-register"), 1);
		assert_int_equal(rte_vhost_get_vring_num(RTE_MAX_VHOST_DEVICE - 1), 0);
		/* It may be tried again, or given up. */
		assert_int_equal(rte_vhost_driver_start(OURS), -1);
		assert_int_equal(rte_vhost_driver_unregister(OURS), 0);
		assert_int_equal(unit_fds(), fds);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_found),   cmocka_unit_test(test_socket),
		cmocka_unit_test(test_id_not_ours), cmocka_unit_test(test_bad_names),
		cmocka_unit_test(test_twice),       cmocka_unit_test(test_features),
		cmocka_unit_test(test_no_vduse),
	};

	snprintf(socket_path, sizeof(socket_path), "/tmp/vhost-register-%d.sock", (int)getpid());
	if (unit_init() < 0)
		return 1;
	return unit_done(cmocka_run_group_tests(tests, NULL, NULL));
}
