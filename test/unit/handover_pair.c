/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* Hands a device over within this process: see handover_pair.h. */
#include <sys/socket.h>
#include <unistd.h>

#include <pthread.h>

#include <rte_vduse_compat.h>

#include "handover_pair.h"
#include "unit.h"

struct pair_run {
	const struct handover_pair *pair;
	int sockets[2];
	int given, taken;
	bool ended; /* atomic */
};

static void *
pair_give(void *arg)
{
	struct pair_run *run = arg;

	run->given = run->pair->give(run->sockets[0]);
	return NULL;
}

static void *
pair_take(void *arg)
{
	struct rte_vduse_handover *from;
	struct pair_run *run = arg;

	run->taken = rte_vduse_handover_open(run->sockets[1], UNIT_PATIENCE_MS, &from);
	if (run->taken == 0) {
		run->taken = run->pair->take(from);
		rte_vduse_handover_close(from);
	}
	/* Pairs with handover_pair_run(). */
	rte_atomic_store_explicit(&run->ended, true, rte_memory_order_release);
	return NULL;
}

void
handover_pair_run(const struct handover_pair *pair)
{
	struct pair_run run = { .pair = pair };
	pthread_t giver, taker;

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, run.sockets), 0);
	assert_int_equal(pthread_create(&giver, NULL, pair_give, &run), 0);
	assert_int_equal(pthread_create(&taker, NULL, pair_take, &run), 0);
	/* Pairs with pair_take(). */
	while (!rte_atomic_load_explicit(&run.ended, rte_memory_order_acquire))
		pair->load();
	pthread_join(giver, NULL);
	pthread_join(taker, NULL);
	close(run.sockets[0]);
	assert_int_equal(run.given, 0);
	assert_int_equal(run.taken, 0);
}
