/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* A control queue of a hostile driver: random commands, and commands that change while they are read. */
#include "loopback_ctrl.h"

#include <pthread.h>

#include <rte_vduse_compat.h>

#define PAIRS 4
/* Commands of test_random(), with a fixed seed; per round as many as the ring takes. */
#define RANDOM_COMMANDS 100000u
#define RANDOM_ROUND    25u
#define RANDOM_BYTES    64u
#define FLIPS           2000u

static struct loopback_ctrl dev;

static int
setup(void **state)
{
	RTE_SET_USED(state);
	loopback_ctrl_create(&dev, PAIRS);
	unit_log_clear();
	return 0;
}

static int
teardown(void **state)
{
	RTE_SET_USED(state);
	loopback_ctrl_destroy(&dev);
	return 0;
}

static uint32_t
next_random(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

/* A command that is near a right one, or just bytes. */
static void
random_request(uint32_t *seed, uint8_t *bytes, struct ctrl_request *request)
{
	static const uint8_t lens[] = { 1, 8, 2, 0, 2, 8 };
	uint32_t i;

	for (i = 0; i < RANDOM_BYTES; i++)
		bytes[i] = (uint8_t)next_random(seed);
	bytes[0] %= 8;
	bytes[1] %= 8;
	/* Small numbers, counts too. */
	for (i = 3; i < RANDOM_BYTES && next_random(seed) % 4 != 0; i++)
		bytes[i] = 0;
	*request = (struct ctrl_request){
		.bytes = bytes,
		.len = next_random(seed) % 3 == 0 ? next_random(seed) % RANDOM_BYTES
						  : 2u + lens[bytes[0] % RTE_DIM(lens)],
		.step = next_random(seed) % 2 == 0 ? 0 : 16 + next_random(seed) % 8,
		.ack = next_random(seed) % 8 == 0 ? next_random(seed) % 3 : 1,
		.no_ack_desc = next_random(seed) % 16 == 0,
		.ack_out = next_random(seed) % 16 == 0,
		.indirect = next_random(seed) % 2 == 0,
	};
}

/* Returns how many were accepted. */
static unsigned int
check_random(uint64_t features, uint32_t seed)
{
	struct ctrl_request requests[RANDOM_ROUND];
	uint8_t bytes[RANDOM_BYTES], ack;
	unsigned int ok = 0, done, i;
	uint32_t used;
	bool room;

	loopback_ctrl_up(&dev, features, 0);
	for (done = 0; done < RANDOM_COMMANDS; done += RANDOM_ROUND) {
		for (i = 0; i < RANDOM_ROUND; i++) {
			random_request(&seed, bytes, &requests[i]);
			(void)loopback_ctrl_post(&dev, &requests[i]);
		}
		for (i = 0; i < RANDOM_ROUND; i++) {
			room = requests[i].ack > 0 && !requests[i].ack_out &&
			       (!requests[i].no_ack_desc || requests[i].len == 0);
			ack = loopback_ctrl_take(&dev, &used);
			assert_int_equal(used, room);
			if (room)
				assert_in_range(ack, VIRTIO_NET_OK, VIRTIO_NET_ERR);
			else
				assert_int_equal(ack, CTRL_NO_ANSWER);
			ok += ack == VIRTIO_NET_OK;
		}
	}
	return ok;
}

static void
test_random(void **state)
{
	unsigned int ok;

	RTE_SET_USED(state);
	ok = check_random(CTRL_MQ, 1);
	/* Enough of both kinds. */
	assert_in_range(ok, RANDOM_COMMANDS / 100, RANDOM_COMMANDS / 2);
	/* Nothing but the commands counts. */
	assert_int_equal(check_random(CTRL_MQ | CTRL_PACKED | BIT(VIRTIO_RING_F_EVENT_IDX), 1), ok);
	/* The log has its limit. */
	assert_in_range(unit_log_count("control command"), 1, 1000);
}

static bool flip_stop;

static void *
flip_main(void *arg)
{
	uint8_t *bytes = arg;
	uint32_t seed = 7;

	while (!rte_atomic_load_explicit(&flip_stop, rte_memory_order_relaxed)) {
		uint32_t at = next_random(&seed) % 6;

		rte_atomic_store_explicit(&bytes[at], (uint8_t)next_random(&seed),
					  rte_memory_order_relaxed);
		rte_atomic_store_explicit(&bytes[at], at == 2 ? 64 : 0, rte_memory_order_relaxed);
	}
	return NULL;
}

/* Another thread of the driver changes class, command and count while they are read. */
static void __rte_unused
test_flip(void **state)
{
	uint8_t command[2 + 8 + 6 * VNET_MACS_MAX] = { VIRTIO_NET_CTRL_MAC };
	struct ctrl_request request = { .bytes = command, .len = sizeof(command), .ack = 1 };
	struct ctrl_state now;
	pthread_t thread;
	uint32_t used, i;
	uint8_t ack;

	RTE_SET_USED(state);
	loopback_ctrl_up(&dev, CTRL_MQ, 0);
	command[2] = VNET_MACS_MAX;
	for (i = 0; i < VNET_MACS_MAX; i++)
		command[6 + 6 * i] = 2;
	flip_stop = false;
	/* Each command lies at the head of its chain, and this is the first one's. */
	assert_int_equal(pthread_create(&thread, NULL, flip_main, loopback_ctrl_room(&dev, 0)), 0);
	for (i = 0; i < FLIPS; i++) {
		dev.next_desc[CTRL_VQ] = 0;
		(void)loopback_ctrl_post(&dev, &request);
		ack = loopback_ctrl_take(&dev, &used);
		assert_in_range(ack, VIRTIO_NET_OK, VIRTIO_NET_ERR);
		assert_int_equal(used, 1);
	}
	rte_atomic_store_explicit(&flip_stop, true, rte_memory_order_relaxed);
	pthread_join(thread, NULL);
	now = loopback_ctrl_state(&dev);
	assert_in_range(now.filter.lists[0].nb, 0, VNET_MACS_MAX);
	assert_in_range(now.filter.lists[1].nb, 0, VNET_MACS_MAX);
	assert_in_range(now.pairs_used, 1, PAIRS);
	assert_int_equal(loopback_ctrl_command(&dev, VIRTIO_NET_CTRL_RX,
					       VIRTIO_NET_CTRL_RX_ALLMULTI, "\1", 1),
			 VIRTIO_NET_OK);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_random, setup, teardown),
#ifndef __SANITIZE_THREAD__ /* a driver that changes its memory while it is read */
		cmocka_unit_test_setup_teardown(test_flip, setup, teardown),
#endif
	};

	if (unit_init() < 0)
		return 1;
	return unit_done(cmocka_run_group_tests(tests, NULL, NULL));
}
