/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * A process leaves a network device to the next one, which continues where it stopped: each packet
 * is passed on once, in order.
 * Input: both directions, split and packed rings. Output: the state file and a device that goes on.
 */
#include <rte_vduse_handover.h>

#include "loopback_world.h"

#include <stdlib.h>
#include <unistd.h>

#include <linux/virtio_net.h>

#define ROUNDS 4u

#define BIT(nr) (UINT64_C(1) << (nr))
#define SPLIT                                                                                      \
	(BIT(VIRTIO_F_VERSION_1) | BIT(VIRTIO_F_ACCESS_PLATFORM) |                                 \
	 BIT(VIRTIO_RING_F_INDIRECT_DESC) | BIT(VIRTIO_NET_F_MRG_RXBUF))
#define PACKED (SPLIT | BIT(VIRTIO_F_RING_PACKED))

static char run_dir[] = "/tmp/vduse-unit-XXXXXX";

static void
serve(void)
{
	unsigned int i;

	for (i = 0; i < 3 * RING; i++) {
		world_send(UINT32_MAX);
		world_poll(BURST / 2);
		world_receive();
	}
}

static void
leave_often(uint16_t queue, uint64_t features, uint16_t index)
{
	uint32_t polled;
	unsigned int i;

	world_begin(queue, features, index);
	for (i = 0; i < ROUNDS; i++) {
		polled = world->polled;
		serve();
		assert_true(world->polled > polled);
		unit_log_clear();
		rte_vduse_dev_leave(rte_vduse_net_dev(world_net));
		assert_int_equal(world_device_state(), RTE_VDUSE_VQ_IDLE);
		assert_int_equal(unit_log_count("driver reset"), 0);
		world_device_destroy();
		world_send(UINT32_MAX);
		world_device_create(true);
		world_device_set_vq(index);
		assert_int_equal(rte_vduse_net_start(world_net, RTE_VDUSE_ATTACH_NONE), 0);
		world_device_ask(vduse_loopback_memory_changed());
		assert_int_equal(world_device_state(), RTE_VDUSE_VQ_RUNNING);
	}
	polled = world->polled;
	serve();
	assert_true(world->polled > polled);
	world_device_destroy();
	world_end();
}

static void
leave_split(void **state)
{
	RTE_SET_USED(state);
	leave_often(RX, SPLIT, 65530);
	leave_often(TX, SPLIT, 65530);
}

static void
leave_packed(void **state)
{
	RTE_SET_USED(state);
	leave_often(RX, PACKED, 2 * RING - 7);
	leave_often(TX, PACKED, RING - 5);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(leave_split),
		cmocka_unit_test(leave_packed),
	};
	int failed;

	if (unit_init() < 0 || mkdtemp(run_dir) == NULL)
		return EXIT_FAILURE;
	setenv("DPDK_VDUSE_RUN_DIR", run_dir, 1);
	world_pool = rte_pktmbuf_pool_create("leave", 255, 0, 0, RTE_PKTMBUF_HEADROOM + LEN_MAX,
					     SOCKET_ID_ANY);
	failed = world_pool == NULL || cmocka_run_group_tests(tests, NULL, NULL) != 0;
	(void)rmdir(run_dir);
	return unit_done(failed);
}
