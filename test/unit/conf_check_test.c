/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Configurations that no device can have: each is refused before anything is created, with one line
 * that names the value. The same configuration with a valid value is accepted.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <rte_lcore.h>

#include <virtio_blk/blk.h>
#include <virtio_net/net.h>
#include <vduse/conf.h>
#include <vduse/core/device.h>
#include <vduse/loopback/loopback.h>

#include "unit.h"

static struct vduse_loopback *loop;
static char dir[64];

static struct rte_vduse_net_conf net_good = {
	.size = sizeof(struct rte_vduse_net_conf),
	.path = "/dev/vduse/check",
	.mac = { { 0x02, 0, 0, 0, 0, 1 } },
	.pairs = 1,
	.queue_size = 256,
	.mtu = 1500,
	.socket_id = SOCKET_ID_ANY,
	.transport = &vduse_transport_loopback,
};

static struct rte_vduse_blk_conf blk_good = {
	.size = sizeof(struct rte_vduse_blk_conf),
	.path = "/dev/vduse/check",
	.queues = 1,
	.queue_size = 64,
	.backend = "ram",
	.backend_args = "size=1M",
	.socket_id = SOCKET_ID_ANY,
	.transport = &vduse_transport_loopback,
};

static const struct rte_vduse_dev_ops no_ops;

static struct rte_vduse_dev_conf dev_good = {
	.size = sizeof(struct rte_vduse_dev_conf),
	.path = "/dev/vduse/check",
	.device_id = 42,
	.nb_vqs = 1,
	.vq_size = 64,
	.socket_id = SOCKET_ID_ANY,
	.ops = &no_ops,
	.transport = &vduse_transport_loopback,
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
	net_good.transport_priv = blk_good.transport_priv = dev_good.transport_priv = loop;
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
	int ret = rte_vduse_net_create(conf, &net);

	rte_vduse_net_destroy(net);
	return ret;
}

static int
try_blk(const struct rte_vduse_blk_conf *conf)
{
	struct rte_vduse_blk *blk = NULL;
	int ret = rte_vduse_blk_create(conf, &blk);

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
	REFUSED(net, speed, 0x80000000, "check: speed 2147483648");
	REFUSED(net, mac, group, "check: the MAC address");
	REFUSED(net, mac, zero, "check: the MAC address");
}

/* A conf of another release, and what this one makes of it. */
struct old_conf {
	size_t size;
	const char *path;
	uint64_t first;
};

struct new_conf {
	struct old_conf old;
	uint64_t later;
	const char *latest;
};

/* An application of the first release: what follows its structure is something else. */
static void
test_older(void **state)
{
	struct {
		struct old_conf conf;
		uint64_t others[2];
	} asked = { { sizeof(asked.conf), "old", 7 }, { 8, 9 } };
	const size_t first = sizeof(asked.conf);
	struct new_conf conf;

	RTE_SET_USED(state);
	memset(&conf, 0xff, sizeof(conf));
	unit_log_clear();
	assert_int_equal(vduse_conf_take(&conf, sizeof(conf), first, &asked), 0);
	assert_int_equal(conf.old.size, sizeof(conf));
	assert_string_equal(conf.old.path, "old");
	assert_int_equal(conf.old.first, 7);
	assert_int_equal(conf.later, 0);
	assert_null(conf.latest);
	assert_int_equal(unit_log_count(""), 0);
	/* What the first release has, nobody may leave out. */
	asked.conf.size = first - 1;
	assert_int_equal(vduse_conf_take(&conf, sizeof(conf), first, &asked), -EINVAL);
	assert_int_equal(unit_log_count("old: its configuration has size 23, at least 24"), 1);
}

/* Counters for a caller that knows fewer of them, and for one that knows more. */
static void
test_counters(void **state)
{
	const uint64_t known[2] = { 11, 12 };
	uint64_t room[4] = { 1, 2, 3, 4 };

	RTE_SET_USED(state);
	vduse_conf_give(room, sizeof(room[0]), known, sizeof(known));
	assert_int_equal(room[0], 11);
	assert_int_equal(room[1], 2);
	vduse_conf_give(room, 3 * sizeof(room[0]), known, sizeof(known));
	assert_int_equal(room[1], 12);
	assert_int_equal(room[2], 0);
	assert_int_equal(room[3], 4);
}

/* COUNTED(call, bytes): as many as the caller has room for are written; those are not left as is. */
#define COUNTED(call, bytes)                                                                       \
	do {                                                                                       \
		uint8_t room[1024];                                                                \
		memset(room, 0xa5, sizeof(room));                                                  \
		call;                                                                              \
		assert_true(room[(bytes)-1] != 0xa5 && room[bytes] == 0xa5);                       \
	} while (0)

static void
test_stats(void **state)
{
	struct rte_vduse_net *net = NULL;
	struct rte_vduse_blk *blk = NULL;
	struct rte_vduse_vq *vq;
	size_t size;

	RTE_SET_USED(state);
	assert_int_equal(rte_vduse_net_create(&net_good, &net), 0);
	vq = rte_vduse_dev_vq(rte_vduse_net_dev(net), 0);
	for (size = 8; size <= 512; size += 8) {
		COUNTED(rte_vduse_dev_stats(rte_vduse_net_dev(net), (void *)room, size), size);
		COUNTED(rte_vduse_vq_stats(vq, (void *)room, size), size);
		COUNTED(rte_vduse_net_stats(net, 0, true, (void *)room, size), size);
	}
	rte_vduse_net_destroy(net);
	assert_int_equal(rte_vduse_blk_create(&blk_good, &blk), 0);
	for (size = 8; size <= 512; size += 8)
		COUNTED(rte_vduse_blk_stats(blk, 0, (void *)room, size), size);
	rte_vduse_blk_destroy(blk);
}

/* NEWER(device type, function that creates it): an application of a later release. */
#define NEWER(type, try)                                                                           \
	do {                                                                                       \
		struct {                                                                           \
			struct rte_vduse_##type##_conf conf;                                       \
			uint64_t later[2];                                                         \
		} asked = { .conf = type##_good };                                                 \
                                                                                                   \
		asked.conf.size = sizeof(asked);                                                   \
		assert_int_equal(try(&asked.conf), 0);                                             \
		asked.later[1] = UINT64_C(1) << 63;                                                \
		unit_log_clear();                                                                  \
		assert_int_equal(try(&asked.conf), -E2BIG);                                        \
		assert_int_equal(unit_log_count("check: its configuration has size"), 1);          \
		assert_int_equal(unit_log_count(""), 1);                                           \
	} while (0)

static int
try_dev(const struct rte_vduse_dev_conf *conf)
{
	struct rte_vduse_dev *dev = NULL;
	int ret = rte_vduse_dev_create(conf, &dev);

	rte_vduse_dev_destroy(dev);
	return ret;
}

static void
test_newer(void **state)
{
	RTE_SET_USED(state);
	NEWER(dev, try_dev);
	NEWER(net, try_net);
	NEWER(blk, try_blk);
}

/* No structure is that large: what lies after a page of it is not read. */
static void
test_huge(void **state)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	struct rte_vduse_dev_conf *asked =
		mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	RTE_SET_USED(state);
	assert_ptr_not_equal(asked, MAP_FAILED);
	assert_int_equal(mprotect((uint8_t *)asked + page, page, PROT_NONE), 0);
	*asked = dev_good;
	asked->size = SIZE_MAX;
	unit_log_clear();
	assert_int_equal(try_dev(asked), -E2BIG);
	assert_int_equal(unit_log_count("(no path): its configuration has size 1844674407"), 1);
	assert_int_equal(munmap(asked, 2 * page), 0);
}

static void
test_size(void **state)
{
	struct rte_vduse_net_conf sizeless = net_good;

	RTE_SET_USED(state);
	assert_int_equal(try_dev(&dev_good), 0);
	REFUSED(dev, size, 0, "check: its configuration has size 0, at least");
	REFUSED(net, size, 0, "check: its configuration has size 0, at least");
	REFUSED(blk, size, 0, "check: its configuration has size 0, at least");
	REFUSED(dev, size, sizeof(struct rte_vduse_dev_conf) - 1, "set size to sizeof()");
	REFUSED(net, size, offsetof(struct rte_vduse_net_conf, ctrl_queue) - 1,
		"set size to sizeof()");
	REFUSED(blk, size, sizeof(struct rte_vduse_blk_conf) - 1, "set size to sizeof()");
	REFUSED(net, size, 1, "(no path): its configuration has size 1");
	assert_int_not_equal(rte_vduse_net_features(&sizeless), 0);
	sizeless.size = 0;
	assert_int_equal(rte_vduse_net_features(&sizeless), 0);
}

static void
test_groups(void **state)
{
	struct rte_vduse_dev_conf two = dev_good;

	RTE_SET_USED(state);
	two.nb_vqs = 2;
	two.ctrl_vqs = 1;
	assert_int_equal(try_dev(&two), 0);
	REFUSED(dev, ctrl_vqs, 1, "check: 1 of 1 virtqueues in a group of their own");
	REFUSED(dev, ctrl_vqs, 65535, "check: 65535 of 1 virtqueues in a group of their own");
}

/* An application of the first release does not have what came later, and no part of it is read. */
static void
test_first_size(void **state)
{
	struct rte_vduse_net_conf conf = net_good;

	RTE_SET_USED(state);
	conf.size = offsetof(struct rte_vduse_net_conf, ctrl_queue);
	conf.ctrl_queue = true;
	conf.reserved[0] = 1;
	assert_int_equal(try_net(&conf), 0);
	assert_int_equal(rte_vduse_net_features(&conf), rte_vduse_net_features(&net_good));
	conf.size = sizeof(conf);
	unit_log_clear();
	assert_int_equal(try_net(&conf), -E2BIG);
	assert_int_equal(unit_log_count("check: "), 1);
}

/* Several pairs without a control queue. */
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
		cmocka_unit_test(test_older),
		cmocka_unit_test(test_counters),
		cmocka_unit_test_setup_teardown(test_stats, setup, teardown),
		cmocka_unit_test_setup_teardown(test_newer, setup, teardown),
		cmocka_unit_test_setup_teardown(test_huge, setup, teardown),
		cmocka_unit_test_setup_teardown(test_size, setup, teardown),
		cmocka_unit_test_setup_teardown(test_groups, setup, teardown),
		cmocka_unit_test_setup_teardown(test_first_size, setup, teardown),
		cmocka_unit_test_setup_teardown(test_net_pairs, setup, teardown),
		cmocka_unit_test_setup_teardown(test_blk, setup, teardown),
		cmocka_unit_test_setup_teardown(test_backend, setup, teardown),
		cmocka_unit_test_setup_teardown(test_backend_fault, setup, teardown),
	};

	if (unit_init() < 0)
		return 1;
	return unit_done(cmocka_run_group_tests(tests, NULL, NULL));
}
