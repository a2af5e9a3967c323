/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Handovers of a device of no type that fail at any step, after which the first owner serves on; and
 * records that are malformed.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rte_vduse_compat.h>

#include <vduse/handover/handover.h>

#include "handover_dev.h"

/*
 * Both lose each other after so many records. Neither changes anything that is the first owner's.
 * Returns whether all was prepared before that.
 */
static bool
lose_after(int nb)
{
	struct handover_taker taker;
	pthread_t thread;
	int other[2];
	bool prepared;

	handover_new_pair();
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, other), 0);
	taker.socket = other[1];
	handover_give(UNIT_PATIENCE_MS);
	assert_int_equal(pthread_create(&thread, NULL, handover_take_main, &taker), 0);
	prepared = handover_relay(over.pair[1], other[0], nb) == VDUSE_RECORD_PREPARED;
	close(over.pair[1]);
	over.pair[1] = -1;
	close(other[0]);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(taker.result, -ECONNRESET);
	assert_int_equal(handover_given(), -ECONNRESET);
	handover_check();
	return prepared;
}

static void
test_lost(void **state)
{
	unsigned int fds;
	int nb = 0;

	RTE_SET_USED(state);
	handover_client_up();
	handover_check();
	handover_new_pair();
	fds = unit_fds() - 1;
	while (!lose_after(nb))
		nb++;
	assert_true(nb > 10);
	unit_fds_back(fds);
	assert_int_equal(handover_base(0), handover_base_of(HANDOVER_POSITION));
	assert_int_equal(handover_base(1), handover_base_of(HANDOVER_POSITION - 1));
}

static bool
is_draining(void *arg)
{
	RTE_SET_USED(arg);
	if (!rte_vduse_vq_enter(over.now->vqs[0]))
		return true;
	rte_vduse_vq_leave(over.now->vqs[0]);
	return false;
}

/* The other one dies after READY, while requests are in flight. */
static void
test_lost_at_rest(void **state)
{
	const struct vduse_record ready = { .type = VDUSE_RECORD_READY };

	RTE_SET_USED(state);
	handover_client_up();
	rte_atomic_store_explicit(&over.in_flight, 1, rte_memory_order_relaxed);
	handover_give(UNIT_PATIENCE_MS);
	handover_await_prepared();
	assert_int_equal(vduse_record_send(over.pair[1], &ready), 0);
	assert_true(unit_wait(is_draining, NULL));
	close(over.pair[1]);
	over.pair[1] = -1;
	rte_atomic_store_explicit(&over.in_flight, 0, rte_memory_order_relaxed);
	assert_int_equal(handover_given(), -ECONNRESET);
	handover_check();
	handover_do();
	handover_check();
}

/* Nothing is in flight too late. */
static void
test_never_rests(void **state)
{
	const struct vduse_record ready = { .type = VDUSE_RECORD_READY };

	RTE_SET_USED(state);
	handover_client_up();
	rte_atomic_store_explicit(&over.in_flight, 1, rte_memory_order_relaxed);
	handover_give(HANDOVER_SHORT_MS);
	handover_await_prepared();
	assert_int_equal(vduse_record_send(over.pair[1], &ready), 0);
	assert_int_equal(handover_given(), -ETIMEDOUT);
	handover_check();
}

static void
test_silent(void **state)
{
	struct rte_vduse_handover *from;

	RTE_SET_USED(state);
	handover_client_up();
	handover_give(HANDOVER_SHORT_MS);
	assert_int_equal(handover_given(), -ETIMEDOUT);
	handover_check();
	handover_new_pair();
	assert_int_equal(rte_vduse_handover_open(over.pair[1], HANDOVER_SHORT_MS, &from),
			 -ETIMEDOUT);
	over.pair[1] = -1;
}

/* Half a message of the client. The rest comes in time; then it does not. */
static void
test_half_message(void **state)
{
	struct vhost_user_msg msg = vhost_client_msg(MSG_GET_FEATURES, 0, 0, false);

	RTE_SET_USED(state);
	handover_client_up();
	assert_int_equal(send(over.client, &msg, 5, 0), 5);
	unit_ctrl_turn();
	handover_give(HANDOVER_SHORT_MS);
	assert_int_equal(handover_given(), -ETIMEDOUT);
	assert_int_equal(send(over.client, (uint8_t *)&msg + 5, 7, 0), 7);
	(void)vhost_client_answer(over.client, MSG_GET_FEATURES);
	handover_check();
	/* A whole one that is sent meanwhile is answered by the other owner. */
	handover_new_pair();
	handover_give(UNIT_PATIENCE_MS);
	handover_await_prepared();
	vhost_client_send(over.client, &msg, 0, -1);
	close(over.pair[1]);
	over.pair[1] = -1;
	assert_int_equal(handover_given(), -ECONNRESET);
	(void)vhost_client_answer(over.client, MSG_GET_FEATURES);
	handover_check();
}

static void
test_not_now(void **state)
{
	RTE_SET_USED(state);
	handover_client_up();
	assert_int_equal(
		handover_ask(MSG_SET_FEATURES, over.features | VHOST_USER_BIT(MSG_F_LOG_ALL)), 0);
	handover_give(HANDOVER_SHORT_MS);
	assert_int_equal(handover_given(), -EBUSY);
	assert_int_equal(handover_ask(MSG_SET_FEATURES, over.features), 0);
	handover_check();
}

static struct vduse_record_hello
good_hello(void)
{
	struct vduse_record_hello hello = {
		.version = VDUSE_RECORD_VERSION,
		.left = { .device_id = 1, .nb_vqs = LOOPBACK_DEV_VQS, .vq_size = 256 },
	};

	strcpy(hello.path, over.path);
	return hello;
}

/* A HELLO with so many files; what comes of it. */
static int
say_hello(const struct vduse_record_hello *hello, uint32_t type, uint32_t size, uint32_t nb_fds)
{
	struct vduse_record record = { .type = type, .size = size };
	int ret;

	handover_new_pair();
	while (nb_fds-- > 0)
		vduse_record_file(&record, over.memory);
	memcpy(record.data, hello, sizeof(*hello));
	assert_int_equal(vduse_record_send(over.pair[0], &record), 0);
	close(over.pair[0]);
	over.pair[0] = -1;
	ret = handover_take(over.pair[1], handover_next_dev());
	over.pair[1] = -1;
	return ret;
}

static void
test_malformed(void **state)
{
	struct vduse_record_hello good = good_hello(), bad;
	unsigned int fds;

	RTE_SET_USED(state);
	(void)vhost_client_ask(over.client, MSG_GET_FEATURES, 0, 0, false);
	handover_new_pair();
	fds = unit_fds() - 2;
	assert_int_equal(say_hello(&good, VDUSE_RECORD_READY, sizeof(good), 0), -EPROTO);
	assert_int_equal(say_hello(&good, VDUSE_RECORD_HELLO, sizeof(good) - 1, 0), -EPROTO);
	assert_int_equal(say_hello(&good, VDUSE_RECORD_HELLO, sizeof(good), 8), -EPROTO);
	bad = good;
	bad.files = 1;
	assert_int_equal(say_hello(&bad, VDUSE_RECORD_HELLO, sizeof(bad), 0), -EPROTO);
	bad = good;
	bad.files = 4;
	assert_int_equal(say_hello(&bad, VDUSE_RECORD_HELLO, sizeof(bad), 1), -EPROTO);
	bad = good;
	bad.version++;
	assert_int_equal(say_hello(&bad, VDUSE_RECORD_HELLO, sizeof(bad), 0), -EPROTO);
	bad = good;
	bad.left.config_size = sizeof(bad.left.config) + 1;
	assert_int_equal(say_hello(&bad, VDUSE_RECORD_HELLO, sizeof(bad), 0), -EPROTO);
	bad = good;
	bad.left.nb_vqs++;
	assert_int_equal(say_hello(&bad, VDUSE_RECORD_HELLO, sizeof(bad), 0), -EEXIST);
	bad = good;
	bad.path[1]++;
	assert_int_equal(say_hello(&bad, VDUSE_RECORD_HELLO, sizeof(bad), 0), -EEXIST);
	assert_int_equal(say_hello(&good, VDUSE_RECORD_HELLO, sizeof(good), 0), -ECONNRESET);
	unit_fds_back(fds);
	handover_client_up();
	handover_check();
}

/* What the taker gets after HELLO. The giver's device and its client stay as they are. */
static int
say_next(struct vduse_record *next, uint32_t nb_fds)
{
	const struct vduse_record_hello hello = good_hello();
	struct vduse_record record = { .type = VDUSE_RECORD_HELLO, .size = sizeof(hello) };
	int ret;

	handover_new_pair();
	memcpy(record.data, &hello, sizeof(hello));
	assert_int_equal(vduse_record_send(over.pair[0], &record), 0);
	while (nb_fds-- > 0)
		vduse_record_file(next, over.memory);
	assert_int_equal(vduse_record_send(over.pair[0], next), 0);
	ret = handover_take(over.pair[1], handover_next_dev());
	over.pair[1] = -1;
	return ret;
}

static void
test_malformed_next(void **state)
{
	struct vduse_record client = { .type = VDUSE_RECORD_CLIENT, .size = 1, .data = { 3 } };
	struct vduse_record message = { .type = MSG_SET_FEATURES, .size = 4 };
	struct vduse_record unknown = { .type = 0x20000 };
	unsigned int fds;

	RTE_SET_USED(state);
	handover_client_up();
	handover_new_pair();
	fds = unit_fds() - 1;
	assert_true(say_next(&client, 1) < 0);
	assert_true(say_next(&message, 0) < 0);
	assert_true(say_next(&unknown, 0) < 0);
	client.nb_fds = 0;
	client.data[0] = 4;
	assert_true(say_next(&client, 1) < 0);
	client.nb_fds = 0;
	client.size = 0;
	assert_true(say_next(&client, 1) < 0);
	message.nb_fds = 0;
	message.size = 8;
	assert_true(say_next(&message, 1) < 0);
	unit_fds_back(fds);
	handover_check();
}

/* 0 would be no end. */
static void
test_no_time(void **state)
{
	struct rte_vduse_handover *from;

	RTE_SET_USED(state);
	handover_client_up();
	handover_give(0);
	assert_int_equal(handover_given(), -EINVAL);
	handover_give(VDUSE_HANDOVER_MS_MAX + 1);
	assert_int_equal(handover_given(), -EINVAL);
	assert_int_equal(rte_vduse_handover_open(over.pair[1], 0, &from), -EINVAL);
	over.pair[1] = -1;
	handover_check();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_lost, handover_setup_split, handover_teardown),
		cmocka_unit_test_setup_teardown(test_lost, handover_setup_packed,
						handover_teardown),
		cmocka_unit_test_setup_teardown(test_lost_at_rest, handover_setup_packed,
						handover_teardown),
		cmocka_unit_test_setup_teardown(test_never_rests, handover_setup_split,
						handover_teardown),
		cmocka_unit_test_setup_teardown(test_silent, handover_setup_split,
						handover_teardown),
		cmocka_unit_test_setup_teardown(test_half_message, handover_setup_split,
						handover_teardown),
		cmocka_unit_test_setup_teardown(test_not_now, handover_setup_split,
						handover_teardown),
		cmocka_unit_test_setup_teardown(test_malformed, handover_setup_split,
						handover_teardown),
		cmocka_unit_test_setup_teardown(test_malformed_next, handover_setup_split,
						handover_teardown),
		cmocka_unit_test_setup_teardown(test_no_time, handover_setup_split,
						handover_teardown),
	};

	if (unit_init() < 0)
		return 1;
	return unit_done(cmocka_run_group_tests(tests, NULL, NULL));
}
