/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Configurations that no device can have: each is refused before anything is created, with one line
 * that names the value. The same configuration with a valid value is accepted.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_lcore.h>

#include <virtio_blk/blk.h>
#include <virtio_net/net.h>
#include <vduse/loopback/loopback.h>

#include "create_over.h"
#include "unit.h"

static struct vduse_loopback *loop;
static char dir[64];

static const struct rte_vduse_net_conf net_good = {
	.path = "/dev/vduse/check",
	.mac = { { 0x02, 0, 0, 0, 0, 1 } },
	.pairs = 1,
	.queue_size = 256,
	.mtu = 1500,
	.socket_id = SOCKET_ID_ANY,
};

static const struct rte_vduse_blk_conf blk_good = {
	.path = "/dev/vduse/check",
	.queues = 1,
	.queue_size = 64,
	.backend = "ram",
	.backend_args = "size=1M",
	.socket_id = SOCKET_ID_ANY,
};

static int
setup(void **state)
{
	RTE_SET_USED(state);
	strcpy(dir, "/tmp/unit-check-XXXXXX");
	assert_non_null(mkdtemp(dir));
	assert_int_equal(setenv("DPDK_VDUSE_RUN_DIR", dir, 1), 0);
	loop = vduse_loopback_new();
	assert_non_null(loop);
	return 0;
}

static int
teardown(void **state)
{
	RTE_SET_USED(state);
	vduse_loopback_free(loop);
	assert_int_equal(rmdir(dir), 0);
	return 0;
}

static int
try_net(const struct rte_vduse_net_conf *conf)
{
	struct rte_vduse_net *net = NULL;
	int ret = create_net_over(conf, &vduse_transport_loopback, loop, &net);

	rte_vduse_net_destroy(net);
	return ret;
}

static int
try_blk(const struct rte_vduse_blk_conf *conf)
{
	struct rte_vduse_blk *blk = NULL;
	int ret = create_blk_over(conf, &vduse_transport_loopback, loop, &blk);

	rte_vduse_blk_destroy(blk);
	return ret;
}

/* REFUSED(device type, member, wrong value, what the log says of it) */
#define REFUSED(type, member, value, line)                                                         \
	do {                                                                                       \
		struct rte_vduse_##type##_conf conf = type##_good;                                 \
		unsigned int fds = unit_fds();                                                     \
		conf.member = value;                                                               \
		unit_log_clear();                                                                  \
		assert_int_equal(try_##type(&conf), -EINVAL);                                      \
		assert_int_equal(unit_log_count(line), 1);                                         \
		assert_int_equal(unit_log_count(""), 1);                                           \
		assert_int_equal(unit_fds(), fds);                                                 \
	} while (0)

static void
test_net(void **state)
{
	static const struct rte_ether_addr group = { { 0x03, 0, 0, 0, 0, 1 } };
	static const struct rte_ether_addr zero;

	RTE_SET_USED(state);
	assert_int_equal(try_net(&net_good), 0);
	REFUSED(net, path, NULL, "(no path)");
	REFUSED(net, path, "check", "not the path of a device");
	REFUSED(net, pairs, 0, "check: 0 queue pairs");
	REFUSED(net, pairs, RTE_VDUSE_NET_PAIRS_MAX + 1, "queue pairs: use 1 to");
	REFUSED(net, mtu, RTE_VDUSE_NET_MTU_MIN - 1, "check: MTU 67");
	REFUSED(net, mac, group, "check: the MAC address");
	REFUSED(net, mac, zero, "check: the MAC address");
}

/* The loopback takes a control queue, which nothing serves. */
static void
test_net_pairs(void **state)
{
	struct rte_vduse_net_conf conf = net_good;

	RTE_SET_USED(state);
	conf.pairs = 2;
	unit_log_clear();
	assert_int_equal(try_net(&conf), -ENOTSUP);
	assert_true(unit_log_count("queues=2: ") >= 1);
}

static void
test_blk(void **state)
{
	RTE_SET_USED(state);
	assert_int_equal(try_blk(&blk_good), 0);
	REFUSED(blk, path, NULL, "(no path)");
	REFUSED(blk, path, "check", "not the path of a device");
	REFUSED(blk, queues, 0, "check: 0 queues");
	REFUSED(blk, queues, RTE_VDUSE_BLK_QUEUES_MAX + 1, "queues: use 1 to");
	REFUSED(blk, queue_size, 2, "check: queue size 2");
	REFUSED(blk, block_size, 256, "check: block size 256");
	REFUSED(blk, block_size, 768, "check: block size 768");
	REFUSED(blk, block_size, 1 << 30, "check: block size 1073741824");
	REFUSED(blk, serial, "123456789012345678901", "check: serial number 123456789012345678901");
}

static void
test_backend(void **state)
{
	RTE_SET_USED(state);
	REFUSED(blk, backend, "tape", "check: backend=tape: use null");
	REFUSED(blk, backend, NULL, "check: backend=(none): use null");
	REFUSED(blk, backend_args, "size=much", "check: size=much: use bytes");
	REFUSED(blk, backend_args, "size", "check: size=: use bytes");
	REFUSED(blk, backend_args, "colour=red", "check: colour=red: the backend knows no such");
	REFUSED(blk, backend_args, "colour", "check: colour=: the backend knows no such");
}

/* The argument is the other backend's: it refuses it. */
static void
test_backend_fault(void **state)
{
	struct rte_vduse_blk_conf conf = blk_good;

	RTE_SET_USED(state);
	conf.backend = "fault";
	conf.backend_args = "late=2,size=1M";
	unit_log_clear();
	assert_int_equal(try_blk(&conf), -EINVAL);
	assert_int_equal(unit_log_count("check: late=2: use 0 or 1"), 1);
	conf.backend_args = "under=,size=1M";
	assert_int_equal(try_blk(&conf), -EINVAL);
	assert_int_equal(unit_log_count("check: under=: use a text"), 1);
	conf.backend_args = "under=ram,late=1,colour=red";
	assert_int_equal(try_blk(&conf), -EINVAL);
	assert_int_equal(unit_log_count("check: colour=red: the backend knows no such"), 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_net, setup, teardown),
		cmocka_unit_test_setup_teardown(test_net_pairs, setup, teardown),
		cmocka_unit_test_setup_teardown(test_blk, setup, teardown),
		cmocka_unit_test_setup_teardown(test_backend, setup, teardown),
		cmocka_unit_test_setup_teardown(test_backend_fault, setup, teardown),
	};

	if (unit_init() < 0)
		return 1;
	return unit_done(cmocka_run_group_tests(tests, NULL, NULL));
}
