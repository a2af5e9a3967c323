/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Distributes the queues of devices among the worker lcores and runs their poll loops. Devices come
 * and go while the lcores poll: an lcore stands still for as long as its list of queues changes.
 * Thread: one at a time; poll_run() on the worker lcores.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include <rte_branch_prediction.h>
#include <rte_launch.h>
#include <rte_lcore.h>
#include <rte_pause.h>
#include <rte_vduse_compat.h>

#include "app.h"

struct poll_queue {
	struct rte_vduse_blk *blk;
	uint16_t index;
};

/* A worker lcore. The lcore reads the list; others change it between poll_hold() and poll_release(). */
struct poll_worker {
	struct poll_queue *queues;
	unsigned int nb;
	bool hold; /* the lcore is to stand still; atomic */
	bool held; /* it does; atomic, written by the lcore */
} __rte_cache_aligned;

static struct poll_worker workers[RTE_MAX_LCORE];
static bool quit; /* atomic */

static void
poll_stand_still(struct poll_worker *worker)
{
	/* Release: the list is not read any more. Pairs with poll_hold(). */
	rte_atomic_store_explicit(&worker->held, true, rte_memory_order_release);
	/* Pairs with poll_release(). */
	while (rte_atomic_load_explicit(&worker->hold, rte_memory_order_acquire))
		rte_pause();
	rte_atomic_store_explicit(&worker->held, false, rte_memory_order_release);
}

static int
poll_run(void *arg)
{
	struct poll_worker *worker = arg;
	unsigned int i, work;

	/* Relaxed: no other data depends on either. */
	while (!rte_atomic_load_explicit(&quit, rte_memory_order_relaxed)) {
		if (unlikely(rte_atomic_load_explicit(&worker->hold, rte_memory_order_relaxed)))
			poll_stand_still(worker);
		work = 0;
		for (i = 0; i < worker->nb; i++)
			work += rte_vduse_blk_poll(worker->queues[i].blk, worker->queues[i].index);
		if (work == 0)
			rte_pause();
	}
	return 0;
}

/* Returns when the lcore stands still. */
static void
poll_hold(struct poll_worker *worker)
{
	rte_atomic_store_explicit(&worker->hold, true, rte_memory_order_relaxed);
	/* Pairs with poll_stand_still(). */
	while (!rte_atomic_load_explicit(&worker->held, rte_memory_order_acquire))
		rte_pause();
}

/* Returns when the lcore polls again, so that the next poll_hold() does not see it held. */
static void
poll_release(struct poll_worker *worker)
{
	/* Release: the list is written. Pairs with poll_stand_still(). */
	rte_atomic_store_explicit(&worker->hold, false, rte_memory_order_release);
	while (rte_atomic_load_explicit(&worker->held, rte_memory_order_acquire))
		rte_pause();
}

static int
poll_add_queue(struct poll_worker *worker, struct rte_vduse_blk *blk, uint16_t index)
{
	struct poll_queue *queues;

	poll_hold(worker);
	queues = realloc(worker->queues, (worker->nb + 1) * sizeof(*queues));
	if (queues != NULL) {
		queues[worker->nb++] = (struct poll_queue){ .blk = blk, .index = index };
		worker->queues = queues;
	}
	poll_release(worker);
	return queues != NULL ? 0 : -ENOMEM;
}

/* The lcore with the fewest queues; of several, the first. */
static struct poll_worker *
poll_least(void)
{
	struct poll_worker *least = NULL;
	unsigned int lcore;

	RTE_LCORE_FOREACH_WORKER(lcore) {
		if (least == NULL || workers[lcore].nb < least->nb)
			least = &workers[lcore];
	}
	return least;
}

int
app_poll_add(struct rte_vduse_blk *blk)
{
	uint16_t queue;
	int ret = 0;

	for (queue = 0; queue < rte_vduse_blk_queues(blk) && ret == 0; queue++)
		ret = poll_add_queue(poll_least(), blk, queue);
	if (ret < 0)
		app_poll_remove(blk);
	return ret;
}

void
app_poll_remove(struct rte_vduse_blk *blk)
{
	unsigned int lcore, i, nb;

	RTE_LCORE_FOREACH_WORKER(lcore) {
		struct poll_worker *worker = &workers[lcore];

		poll_hold(worker);
		for (i = 0, nb = 0; i < worker->nb; i++)
			if (worker->queues[i].blk != blk)
				worker->queues[nb++] = worker->queues[i];
		worker->nb = nb;
		poll_release(worker);
	}
}

int
app_poll_start(void)
{
	unsigned int lcore;
	int ret = 0;

	if (rte_lcore_count() < 2) {
		fprintf(stderr, "dpdk-vduse-blk: only one lcore: add one that polls, "
				"such as -l 0,1\n");
		return -EINVAL;
	}
	RTE_LCORE_FOREACH_WORKER(lcore) {
		if (ret == 0)
			ret = rte_eal_remote_launch(poll_run, &workers[lcore], lcore);
	}
	if (ret < 0)
		app_poll_stop();
	return ret;
}

void
app_poll_stop(void)
{
	unsigned int lcore;

	rte_atomic_store_explicit(&quit, true, rte_memory_order_relaxed);
	rte_eal_mp_wait_lcore();
	RTE_LCORE_FOREACH_WORKER(lcore) {
		free(workers[lcore].queues);
		workers[lcore].queues = NULL;
		workers[lcore].nb = 0;
	}
}
