/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * The control thread sends an interrupt that was held back, and the driver makes that take long:
 * bursts of the virtqueue go on meanwhile, and none of their interrupts is lost.
 */
#include "loopback_ctrl.h"

#include <rte_byteorder.h>
#include <rte_vduse_compat.h>

#define PAIRS 4
#define LEN   64u
/* More than any test takes, us. */
#define LONG UINT32_MAX

static struct loopback_ctrl dev;
static struct rte_mbuf *packet;

static int
setup(void **state)
{
	RTE_SET_USED(state);
	packet = loopback_ctrl_packet("call", LEN);
	loopback_ctrl_create(&dev, PAIRS);
	loopback_ctrl_up(&dev, CTRL_ALL | CTRL_COAL, 0);
	return 0;
}

static int
teardown(void **state)
{
	RTE_SET_USED(state);
	loopback_ctrl_destroy(&dev);
	loopback_ctrl_packet_free(packet);
	return 0;
}

/* A command that sets the time of virtqueue 0. */
struct __rte_packed_begin set_vq {
	uint8_t class, command;
	uint16_t index, reserved;
	uint32_t max_packets, max_usecs;
} __rte_packed_end;

static uint16_t
post_set_vq(uint32_t max_usecs)
{
	struct set_vq bytes = {
		.class = VIRTIO_NET_CTRL_NOTF_COAL,
		.command = VIRTIO_NET_CTRL_NOTF_COAL_VQ_SET,
		.max_packets = rte_cpu_to_le_32(100),
		.max_usecs = rte_cpu_to_le_32(max_usecs),
	};
	const struct ctrl_request request = { .bytes = &bytes, .len = sizeof(bytes), .ack = 1 };

	return loopback_ctrl_post(&dev, &request);
}

static bool
is_held(void *arg)
{
	RTE_SET_USED(arg);
	return vduse_loopback_call_held(dev.loop);
}

static bool
is_called(void *arg)
{
	return vduse_loopback_calls(dev.loop, 0) >= *(const uint64_t *)arg;
}

/* An interrupt of virtqueue 0 is held back, for longer than the test takes. */
static void
hold_back(void)
{
	uint32_t len;

	(void)post_set_vq(LONG);
	assert_int_equal(loopback_ctrl_take(&dev, &len), VIRTIO_NET_OK);
	assert_true(loopback_ctrl_receives(&dev, 0, packet));
	assert_true(dev.net->queues[0].coal.at != 0);
}

/* The control thread is sending it, and does not come back. Then it does. called: interrupts before. */
static void
check_bursts(uint64_t called)
{
	struct rte_vduse_vq *vq = dev.net->queues[0].vq;
	bool held = unit_wait(is_held, NULL), entered, received = false;
	uint64_t wanted = called + 2;
	unsigned int i;

	entered = vduse_vq_enter(vq);
	if (entered) {
		/* One interrupt stands for those that are wanted before it is sent. */
		for (i = 0; i < 100; i++)
			(void)rte_vduse_vq_call(vq);
		vduse_vq_leave(vq);
		received = loopback_ctrl_receives(&dev, 0, packet);
	}
	/* Before anything fails: the teardown waits for the control thread. */
	vduse_loopback_call_hold(dev.loop, false);
	assert_true(held);
	assert_true(entered);
	assert_true(received);
	assert_true(unit_wait(is_called, &wanted));
	unit_ctrl_turn();
	unit_ctrl_turn();
	assert_int_equal(vduse_loopback_calls(dev.loop, 0), wanted);
	assert_false(vduse_loopback_called_here(dev.loop));
	/* Polling threads send their own again. */
	assert_true(vduse_vq_enter(vq));
	assert_int_equal(rte_vduse_vq_call(vq), 0);
	vduse_vq_leave(vq);
	assert_int_equal(vduse_loopback_calls(dev.loop, 0), wanted + 1);
	assert_true(vduse_loopback_called_here(dev.loop));
}

/* Nobody polls the virtqueue when it is due. */
static void
due(void **state)
{
	uint64_t called;

	RTE_SET_USED(state);
	hold_back();
	called = vduse_loopback_calls(dev.loop, 0);
	vduse_loopback_call_hold(dev.loop, true);
	rte_atomic_store_explicit(&dev.net->queues[0].coal.at, 1, rte_memory_order_relaxed);
	vduse_dev_look_now(dev.net->dev);
	check_bursts(called);
}

/* The driver shortens the time. */
static void
command(void **state)
{
	uint64_t called;
	uint32_t len;

	RTE_SET_USED(state);
	hold_back();
	called = vduse_loopback_calls(dev.loop, 0);
	vduse_loopback_call_hold(dev.loop, true);
	(void)post_set_vq(0);
	check_bursts(called);
	assert_int_equal(loopback_ctrl_take(&dev, &len), VIRTIO_NET_OK);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(due, setup, teardown),
		cmocka_unit_test_setup_teardown(command, setup, teardown),
	};

	if (unit_init() < 0)
		return 1;
	return unit_done(cmocka_run_group_tests(tests, NULL, NULL));
}
