/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * A port of a dead process, which a driver uses, and a start with other arguments: the port
 * continues as its driver has it, and logs that once.
 */
#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/virtio_ids.h>
#include <linux/virtio_net.h>

#include <rte_byteorder.h>

#include <vduse/core/device.h>
#include <virtio_net/net.h>
#include <vduse/loopback/loopback.h>

#include "create_over.h"
#include "unit.h"

#define BIT(nr) (UINT64_C(1) << (nr))
#define TAKEN                                                                                      \
	(BIT(VIRTIO_F_VERSION_1) | BIT(VIRTIO_F_ACCESS_PLATFORM) | BIT(VIRTIO_NET_F_MAC) |         \
	 BIT(VIRTIO_NET_F_MTU))
#define MTU 1500

static struct vduse_loopback *loop;
static struct rte_vduse_net *net;
static struct rte_vduse_net_conf conf;
static struct rte_vduse_left left;
static char dir[64];

static int
setup(void **state)
{
	struct virtio_net_config config = { .mtu = rte_cpu_to_le_16(MTU) };

	RTE_SET_USED(state);
	strcpy(dir, "/tmp/unit-over-XXXXXX");
	assert_non_null(mkdtemp(dir));
	assert_int_equal(setenv("DPDK_VDUSE_RUN_DIR", dir, 1), 0);
	conf = (struct rte_vduse_net_conf){
		.size = sizeof(struct rte_vduse_net_conf),
		.path = "/dev/vduse/unit0",
		.pairs = 1,
		.queue_size = 256,
		.mac = { { 2, 0, 0, 0, 0, 1 } },
		.mtu = MTU,
		.features_off = BIT(VIRTIO_F_RING_PACKED) | BIT(VIRTIO_F_IN_ORDER),
		.socket_id = SOCKET_ID_ANY,
	};
	left = (struct rte_vduse_left){
		.device_id = VIRTIO_ID_NET,
		.nb_vqs = 2,
		.vq_size = 256,
		.offered = TAKEN,
		.features = TAKEN,
		.config_size = sizeof(config),
		.has_parts = true,
	};
	memcpy(left.config, &config, sizeof(config));
	loop = vduse_loopback_new();
	assert_non_null(loop);
	net = NULL;
	unit_log_clear();
	return 0;
}

static int
teardown(void **state)
{
	char pattern[96];
	glob_t files;
	size_t i;

	RTE_SET_USED(state);
	rte_vduse_net_destroy(net);
	vduse_loopback_free(loop);
	/* What was taken over and never served stays. A socket's has a number in its name. */
	snprintf(pattern, sizeof(pattern), "%s/unit0*.state", dir);
	if (glob(pattern, 0, NULL, &files) == 0) {
		for (i = 0; i < files.gl_pathc; i++)
			(void)unlink(files.gl_pathv[i]);
		globfree(&files);
	}
	assert_int_equal(rmdir(dir), 0);
	return 0;
}

static void
expect_served(unsigned int lines)
{
	vduse_loopback_leave(loop, &left);
	assert_int_equal(create_net_over(&conf, &vduse_transport_loopback, loop, &net), 0);
	assert_int_equal(net->dev->vq_size, left.vq_size);
	assert_int_equal(left.features & ~net->dev->offered, 0);
	assert_int_equal(unit_log_count("goes on as its driver has it"), lines);
}

static void
expect_mtu(uint16_t mtu)
{
	assert_int_equal(rte_le_to_cpu_16(net->config.mtu), mtu);
	assert_int_equal(net->frame_max, mtu + VNET_FRAME_OVERHEAD);
}

static void
same_arguments(void **state)
{
	RTE_SET_USED(state);
	expect_served(0);
	expect_mtu(MTU);
}

static void
other_queue_size(void **state)
{
	RTE_SET_USED(state);
	left.vq_size = 1024;
	expect_served(1);
}

static void
smaller_queue_size(void **state)
{
	RTE_SET_USED(state);
	left.vq_size = 64;
	expect_served(1);
}

static void
other_rings(void **state)
{
	RTE_SET_USED(state);
	left.features |= BIT(VIRTIO_F_RING_PACKED) | BIT(VIRTIO_F_IN_ORDER);
	expect_served(1);
	assert_non_null(net->queues[0].position);
	assert_non_null(net->queues[1].position);
}

/* A driver in no order is served by a process that may use buffers in order. */
static void
in_order_now(void **state)
{
	RTE_SET_USED(state);
	conf.features_off = 0;
	expect_served(0);
}

/* A driver that leaves checksums out is served by a process that would not offer it. */
static void
no_csum_now(void **state)
{
	RTE_SET_USED(state);
	left.features |= BIT(VIRTIO_NET_F_CSUM) | BIT(VIRTIO_NET_F_GUEST_CSUM);
	expect_served(1);
	assert_true(net->offloads);
}

/* A driver that was told a speed keeps it. */
static void
no_speed_now(void **state)
{
	struct virtio_net_config config;

	RTE_SET_USED(state);
	left.features |= BIT(VIRTIO_NET_F_SPEED_DUPLEX);
	memcpy(&config, left.config, sizeof(config));
	config.speed = rte_cpu_to_le_32(25000);
	memcpy(left.config, &config, sizeof(config));
	expect_served(1);
	assert_int_equal(rte_le_to_cpu_32(net->config.speed), 25000);
}

/* Section 5.1.4.1: an MTU that a driver was told stays. */
static void
larger_mtu(void **state)
{
	RTE_SET_USED(state);
	conf.mtu = 9000;
	expect_served(1);
	expect_mtu(MTU);
}

static void
smaller_mtu(void **state)
{
	RTE_SET_USED(state);
	conf.mtu = 1280;
	expect_served(1);
	expect_mtu(MTU);
}

static void
no_mtu_now(void **state)
{
	RTE_SET_USED(state);
	conf.mtu = 0;
	expect_served(1);
	expect_mtu(MTU);
}

/* A driver that knows of no MTU is held to that of this start. */
static void
mtu_unknown_to_driver(void **state)
{
	RTE_SET_USED(state);
	left.features &= ~BIT(VIRTIO_NET_F_MTU);
	conf.mtu = 9000;
	expect_served(0);
	expect_mtu(9000);
}

/* A device of another version, whose configuration space was not saved. */
static void
mtu_not_noted(void **state)
{
	RTE_SET_USED(state);
	left.config_size = 0;
	conf.mtu = 9000;
	expect_served(0);
	expect_mtu(9000);
}

/* Several pairs are for sockets. */
static void
left_pairs(uint16_t known, uint16_t asked)
{
	struct virtio_net_config config = {
		.mtu = rte_cpu_to_le_16(MTU),
		.max_virtqueue_pairs = rte_cpu_to_le_16(known),
	};

	conf.path = "/tmp/unit0";
	conf.pairs = asked;
	left.nb_vqs = 2 * known;
	left.offered |= BIT(VIRTIO_NET_F_MQ) | BIT(VIRTIO_NET_F_CTRL_VQ);
	left.features |= BIT(VIRTIO_NET_F_MQ);
	memcpy(left.config, &config, sizeof(config));
}

static void
expect_pairs(uint16_t pairs, unsigned int lines)
{
	vduse_loopback_leave(loop, &left);
	assert_int_equal(create_net_over(&conf, &vduse_transport_loopback, loop, &net), 0);
	assert_int_equal(left.features & ~net->dev->offered, 0);
	assert_int_equal(unit_log_count("goes on as its driver has it"), lines);
	assert_int_equal(rte_vduse_net_pairs(net), pairs);
	assert_int_equal(rte_le_to_cpu_16(net->config.max_virtqueue_pairs), pairs);
}

static void
same_pairs(void **state)
{
	RTE_SET_USED(state);
	left_pairs(4, 4);
	expect_pairs(4, 0);
}

/* A driver keeps all of its pairs. */
static void
fewer_pairs(void **state)
{
	RTE_SET_USED(state);
	left_pairs(4, 1);
	expect_pairs(4, 1);
}

static void
fewer_pairs_not_noted(void **state)
{
	RTE_SET_USED(state);
	left_pairs(4, 2);
	left.config_size = 0;
	expect_pairs(4, 1);
}

/* It need not use those that it does not know. */
static void
more_pairs(void **state)
{
	RTE_SET_USED(state);
	left_pairs(2, 8);
	expect_pairs(8, 0);
}

/* A file that somebody damaged. */
static void
wrong_pairs(void **state)
{
	RTE_SET_USED(state);
	left_pairs(0x7fff, 2);
	vnet_take_over(&conf, "unit0", &left);
	assert_int_equal(conf.pairs, RTE_VDUSE_NET_PAIRS_MAX);
}

static void
no_port(void **state)
{
	struct rte_vduse_net_conf asked;

	RTE_SET_USED(state);
	left.device_id = VIRTIO_ID_BLOCK;
	left.vq_size = 64;
	conf.mtu = 9000;
	asked = conf;
	vnet_take_over(&conf, "unit0", &left);
	assert_memory_equal(&conf, &asked, sizeof(conf));
	assert_int_equal(unit_log_count("goes on as its driver has it"), 0);
}

/*
 * Its driver did not take the control queue: the device keeps it, and one without it gets none, from a
 * process that hands it over and from one that died.
 */
static void
ctrl_queue_kept(void **state)
{
	const struct rte_vduse_net_conf asked = {
		.size = sizeof(asked),
		.path = "/dev/vduse/unit0",
		.pairs = 1,
	};
	struct rte_vduse_left has = { .device_id = VIRTIO_ID_NET, .features = TAKEN };
	struct rte_vduse_net_conf next = asked;
	unsigned int i;

	RTE_SET_USED(state);
	for (i = 0; i < 2; i++) {
		next.from = i == 0 ? NULL : (void *)1;
		next.ctrl_queue = false;
		has.nb_vqs = 3;
		vnet_take_over(&next, "unit0", &has);
		assert_true(next.ctrl_queue);
		has.nb_vqs = 2;
		vnet_take_over(&next, "unit0", &has);
		assert_false(next.ctrl_queue);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(same_arguments, setup, teardown),
		cmocka_unit_test_setup_teardown(other_queue_size, setup, teardown),
		cmocka_unit_test_setup_teardown(smaller_queue_size, setup, teardown),
		cmocka_unit_test_setup_teardown(other_rings, setup, teardown),
		cmocka_unit_test_setup_teardown(in_order_now, setup, teardown),
		cmocka_unit_test_setup_teardown(no_csum_now, setup, teardown),
		cmocka_unit_test_setup_teardown(no_speed_now, setup, teardown),
		cmocka_unit_test_setup_teardown(larger_mtu, setup, teardown),
		cmocka_unit_test_setup_teardown(smaller_mtu, setup, teardown),
		cmocka_unit_test_setup_teardown(no_mtu_now, setup, teardown),
		cmocka_unit_test_setup_teardown(mtu_unknown_to_driver, setup, teardown),
		cmocka_unit_test_setup_teardown(mtu_not_noted, setup, teardown),
		cmocka_unit_test_setup_teardown(same_pairs, setup, teardown),
		cmocka_unit_test_setup_teardown(fewer_pairs, setup, teardown),
		cmocka_unit_test_setup_teardown(fewer_pairs_not_noted, setup, teardown),
		cmocka_unit_test_setup_teardown(more_pairs, setup, teardown),
		cmocka_unit_test_setup_teardown(wrong_pairs, setup, teardown),
		cmocka_unit_test_setup_teardown(no_port, setup, teardown),
		cmocka_unit_test(ctrl_queue_kept),
	};

	if (unit_init() < 0)
		return 1;
	return unit_done(cmocka_run_group_tests(tests, NULL, NULL));
}
