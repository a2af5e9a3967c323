/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * A device of no type that moves from one owner to another in this process, while a vhost-user
 * client uses it; vduse_handover_fail_test.c has the handovers that fail.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "handover_dev.h"

#define TIMES 50

static void
test_goes_on(void **state)
{
	struct vhost_user_msg slot =
		vhost_client_slot(MSG_ADD_MEM_REG, 8 * HANDOVER_MEMORY, HANDOVER_MEMORY);
	struct rte_vduse_region region;
	unsigned int i;

	RTE_SET_USED(state);
	handover_client_up();
	for (i = 0; i < TIMES; i++) {
		handover_do();
		handover_check();
	}
	assert_int_equal(loopback_dev_counted(&over.now->starts[0]), 1);
	assert_true(loopback_dev_lookup(over.now, 0, 4 * HANDOVER_MEMORY, &region));
	vhost_client_send(over.client, &slot, 1, over.memory);
	assert_int_equal(vhost_client_answer(over.client, MSG_ADD_MEM_REG), 0);
	assert_int_equal(handover_base(0), handover_base_of(HANDOVER_POSITION));
	assert_int_equal(handover_base(1), handover_base_of(HANDOVER_POSITION - 1));
	assert_int_equal(handover_base(2), handover_base_of(5));
	close(over.client);
	over.client = vhost_client_connect(over.path);
	handover_client_up();
	handover_check();
}

static bool
has_byte(void *arg)
{
	uint8_t bytes[64];

	return recv(*(int *)arg, bytes, sizeof(bytes), MSG_DONTWAIT) > 0;
}

/* The back-end channel and the inflight buffer go along. */
static void
test_channel(void **state)
{
	struct vhost_user_msg msg = vhost_client_msg(MSG_GET_INFLIGHT_FD, 0, 0, false);
	int channel[2];
	uint8_t byte = 9;
	ssize_t n;

	RTE_SET_USED(state);
	msg.size = sizeof(msg.payload.inflight);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, channel), 0);
	handover_client_up();
	handover_send_fd(MSG_SET_BACKEND_CHANNEL, 0, channel[1]);
	close(channel[1]);
	vhost_client_send(over.client, &msg, 0, -1);
	do {
		n = recv(over.client, &msg, VHOST_USER_MSG_HEAD + msg.size, MSG_WAITALL);
	} while (n < 0 && errno == EINTR);
	assert_int_equal(n, VHOST_USER_MSG_HEAD + sizeof(msg.payload.inflight));
	handover_do();
	assert_true(((struct vhost_user *)over.now->dev->transport_priv)->inflight >= 0);
	handover_do();
	handover_check();
	assert_int_equal(rte_vduse_dev_config_set(over.now->dev, 1, &byte, 1), 0);
	assert_true(unit_wait(has_byte, &channel[0]));
	close(channel[0]);
}

/* A driver that was never there, and one that comes to the second owner. */
static void
test_no_client(void **state)
{
	RTE_SET_USED(state);
	close(over.client);
	over.client = -1;
	unit_ctrl_turn();
	handover_do();
	over.client = vhost_client_connect(over.path);
	handover_client_up();
	handover_check();
}

/* The client hangs up meanwhile: the other owner finds that out and serves the next one. */
static void
test_client_leaves(void **state)
{
	struct handover_taker taker;
	pthread_t thread;
	struct loopback_dev *old = over.now;
	int other[2];

	RTE_SET_USED(state);
	handover_client_up();
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, other), 0);
	taker.socket = other[1];
	handover_give(UNIT_PATIENCE_MS);
	assert_int_equal(pthread_create(&thread, NULL, handover_take_main, &taker), 0);
	assert_int_equal(handover_relay(over.pair[1], other[0], -1), VDUSE_RECORD_PREPARED);
	close(over.client);
	assert_int_equal(handover_relay(other[0], over.pair[1], 1), VDUSE_RECORD_READY);
	assert_int_equal(handover_relay(over.pair[1], other[0], -1), VDUSE_RECORD_YOURS);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(taker.result, 0);
	assert_int_equal(handover_given(), 0);
	close(other[0]);
	over.now = handover_next_dev();
	rte_vduse_dev_destroy(old->dev);
	over.client = vhost_client_connect(over.path);
	handover_client_up();
	handover_check();
}

/* A device that was handed over cannot be handed over again. */
static void
test_twice(void **state)
{
	struct loopback_dev *old = over.now;

	RTE_SET_USED(state);
	handover_client_up();
	handover_give(UNIT_PATIENCE_MS);
	assert_int_equal(handover_take(over.pair[1], handover_next_dev()), 0);
	over.pair[1] = -1;
	assert_int_equal(handover_given(), 0);
	handover_new_pair();
	handover_give(HANDOVER_SHORT_MS);
	assert_int_equal(handover_given(), -ENOTSUP);
	over.now = handover_next_dev();
	rte_vduse_dev_destroy(old->dev);
	handover_check();
}

/* While the other one prepares itself, the driver's kicks still wake threads that sleep. */
static void
test_kick_meanwhile(void **state)
{
	int wake;

	RTE_SET_USED(state);
	handover_client_up();
	wake = rte_vduse_vq_wake_fd(over.now->vqs[0]);
	handover_give(UNIT_PATIENCE_MS);
	handover_await_prepared();
	unit_ctrl_turn();
	(void)unit_signalled(&wake);
	assert_int_equal(eventfd_write(over.kick, 1), 0);
	assert_true(unit_wait(unit_signalled, &wake));
	close(over.pair[1]);
	over.pair[1] = -1;
	assert_int_equal(handover_given(), -ECONNRESET);
	handover_check();
}

static uint64_t
offered(void)
{
	return vhost_client_ask(over.client, MSG_GET_FEATURES, 0, 8, false);
}

/* A newer owner offers what it has besides to the next client only. The way back changes nothing. */
static void
test_newer(void **state)
{
	uint64_t before, iommu = VHOST_USER_BIT(VIRTIO_F_ACCESS_PLATFORM);

	RTE_SET_USED(state);
	handover_client_up();
	before = offered();
	assert_false(before & (HANDOVER_NEWER | iommu));
	over.newer = HANDOVER_NEWER | iommu;
	handover_do();
	handover_check();
	assert_true(offered() == before);
	handover_do();
	assert_true(offered() == before);
	over.newer = 0;
	handover_do();
	handover_check();
	assert_true(offered() == before);
	over.newer = HANDOVER_NEWER | iommu;
	handover_do();
	handover_check();
	assert_true(offered() == before);
	close(over.client);
	over.client = vhost_client_connect(over.path);
	assert_true(offered() == (before | HANDOVER_NEWER));
	over.features |= HANDOVER_NEWER;
	handover_client_up();
	handover_check();
}

/* An older owner does not take a device whose driver has more, and the newer one serves on. */
static void
refused(uint64_t features)
{
	char text[128];

	snprintf(text, sizeof(text),
		 "its driver uses features 0x%" PRIx64 ", which are not offered", features);
	handover_new_pair();
	handover_give(UNIT_PATIENCE_MS);
	assert_int_equal(handover_take(over.pair[1], handover_next_dev()), -EEXIST);
	over.pair[1] = -1;
	assert_int_equal(handover_given(), -ECONNRESET);
	assert_int_equal(unit_log_count(text), 1);
	unit_log_clear();
}

static void
test_older(void **state)
{
	uint64_t before;

	RTE_SET_USED(state);
	before = offered();
	assert_true(before & HANDOVER_NEWER);
	over.features |= HANDOVER_NEWER;
	handover_client_up();
	over.newer = 0;
	refused(HANDOVER_NEWER);
	handover_check();
	assert_true(offered() == before);
	over.newer = HANDOVER_NEWER;
	handover_do();
	handover_check();
	assert_true(offered() == before);
}

/* The driver did not take what the older owner does not have: it goes on. */
static void
test_older_can(void **state)
{
	uint64_t before;

	RTE_SET_USED(state);
	handover_client_up();
	before = offered();
	over.newer = 0;
	handover_do();
	handover_check();
	assert_true(offered() == (before & ~HANDOVER_NEWER));
}

/* The driver is about to set up the device, and has no status yet. */
static void
test_older_early(void **state)
{
	uint64_t iommu = VHOST_USER_BIT(VIRTIO_F_ACCESS_PLATFORM);

	RTE_SET_USED(state);
	over.newer = iommu;
	over.iommu = true;
	handover_do();
	close(over.client);
	over.client = vhost_client_connect(over.path);
	assert_true(offered() & iommu);
	assert_int_equal(handover_ask(MSG_SET_FEATURES, over.features | iommu), 0);
	over.iommu = false;
	refused(iommu);
	over.iommu = true;
	handover_do();
	assert_true(offered() & iommu);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_goes_on, handover_setup_split,
						handover_teardown),
		cmocka_unit_test_setup_teardown(test_goes_on, handover_setup_packed,
						handover_teardown),
		cmocka_unit_test_setup_teardown(test_channel, handover_setup_split,
						handover_teardown),
		cmocka_unit_test_setup_teardown(test_no_client, handover_setup_split,
						handover_teardown),
		cmocka_unit_test_setup_teardown(test_kick_meanwhile, handover_setup_split,
						handover_teardown),
		cmocka_unit_test_setup_teardown(test_client_leaves, handover_setup_split,
						handover_teardown),
		cmocka_unit_test_setup_teardown(test_twice, handover_setup_split,
						handover_teardown),
		cmocka_unit_test_setup_teardown(test_newer, handover_setup_split,
						handover_teardown),
		cmocka_unit_test_setup_teardown(test_newer, handover_setup_packed,
						handover_teardown),
		cmocka_unit_test_setup_teardown(test_older, handover_setup_newer_split,
						handover_teardown),
		cmocka_unit_test_setup_teardown(test_older, handover_setup_newer_packed,
						handover_teardown),
		cmocka_unit_test_setup_teardown(test_older_can, handover_setup_newer_split,
						handover_teardown),
		cmocka_unit_test_setup_teardown(test_older_can, handover_setup_newer_packed,
						handover_teardown),
		cmocka_unit_test_setup_teardown(test_older_early, handover_setup_split,
						handover_teardown),
	};

	if (unit_init() < 0)
		return 1;
	return unit_done(cmocka_run_group_tests(tests, NULL, NULL));
}
