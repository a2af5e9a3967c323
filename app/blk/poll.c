/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Distributes the queues of devices among the worker lcores. Devices come and go while the lcores
 * poll: an lcore stands still for as long as its list of queues changes.
 * Thread: one at a time.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_cycles.h>
#include <rte_launch.h>
#include <rte_lcore.h>

#include "app.h"
#include "worker.h"

static struct worker workers[RTE_MAX_LCORE];
static bool started; /* there are lcores to stop; the main thread only */

static int
poll_add_queue(struct worker *worker, struct rte_vduse_blk *blk, uint16_t index)
{
	struct worker_queue *queue = malloc(sizeof(*queue));
	int ret;

	if (queue == NULL)
		return -ENOMEM;
	*queue = (struct worker_queue){ .blk = blk, .index = index };
	app_worker_hold(worker);
	ret = app_worker_add(worker, queue);
	app_worker_release(worker);
	if (ret < 0)
		free(queue);
	return ret;
}

/* The lcore with the fewest queues; of several, the first. */
static struct worker *
poll_least(void)
{
	struct worker *least = NULL;
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

/* blk: NULL: of all devices. The lcore is held, or does not run. */
static void
poll_remove_queues(struct worker *worker, const struct rte_vduse_blk *blk)
{
	struct worker_queue *queue;
	unsigned int i;

	/* From the end: only queues that were looked at take the place of a removed one. */
	for (i = worker->nb; i-- > 0;) {
		queue = worker->queues[i];
		if (blk != NULL && queue->blk != blk)
			continue;
		app_worker_remove(worker, queue);
		free(queue);
	}
}

void
app_poll_remove(struct rte_vduse_blk *blk)
{
	unsigned int lcore;

	RTE_LCORE_FOREACH_WORKER(lcore) {
		app_worker_hold(&workers[lcore]);
		poll_remove_queues(&workers[lcore], blk);
		app_worker_release(&workers[lcore]);
	}
}

static int
poll_open_workers(uint64_t idle)
{
	unsigned int lcore;
	int ret = 0;

	RTE_LCORE_FOREACH_WORKER(lcore) {
		int opened = app_worker_open(&workers[lcore], idle);

		if (opened < 0)
			ret = opened;
	}
	if (ret < 0)
		fprintf(stderr,
			"dpdk-vduse-blk: no files for lcores that sleep: %s: raise the limit "
			"of open files, or use --idle 0\n",
			strerror(-ret));
	return ret;
}

int
app_poll_start(unsigned int idle_us)
{
	unsigned int lcore;
	int ret;

	if (rte_lcore_count() < 2) {
		fprintf(stderr, "dpdk-vduse-blk: only one lcore: add one that polls, "
				"such as -l 0,1\n");
		return -EINVAL;
	}
	started = true;
	ret = poll_open_workers(idle_us * rte_get_tsc_hz() / US_PER_S);
	RTE_LCORE_FOREACH_WORKER(lcore) {
		if (ret == 0)
			ret = rte_eal_remote_launch(app_worker_run, &workers[lcore], lcore);
	}
	if (ret < 0)
		app_poll_stop();
	return ret;
}

void
app_poll_stop(void)
{
	unsigned int lcore;

	if (!started)
		return;
	RTE_LCORE_FOREACH_WORKER(lcore)
		app_worker_quit(&workers[lcore]);
	rte_eal_mp_wait_lcore();
	RTE_LCORE_FOREACH_WORKER(lcore) {
		poll_remove_queues(&workers[lcore], NULL);
		app_worker_close(&workers[lcore]);
	}
}
