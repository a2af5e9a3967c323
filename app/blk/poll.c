/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Distributes the queues of all devices equally among the worker lcores and runs their poll loops.
 * Thread: main; poll_run() on the worker lcores.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include <rte_launch.h>
#include <rte_lcore.h>
#include <rte_pause.h>
#include <rte_vduse_compat.h>

#include "app.h"

struct poll_queue {
	struct rte_vduse_blk *blk;
	uint16_t index;
};

/* The queues that an lcore polls. Written before the lcore starts. */
struct poll_share {
	struct poll_queue *queues;
	unsigned int nb;
};

static struct poll_share shares[RTE_MAX_LCORE];
static bool quit; /* written by the main thread, read by lcores */

static int
poll_run(void *arg)
{
	const struct poll_share *share = arg;
	unsigned int i, work;

	/* Relaxed: no other data depends on it. */
	while (!rte_atomic_load_explicit(&quit, rte_memory_order_relaxed)) {
		work = 0;
		for (i = 0; i < share->nb; i++)
			work += rte_vduse_blk_poll(share->queues[i].blk, share->queues[i].index);
		if (work == 0)
			rte_pause();
	}
	return 0;
}

static int
poll_add(struct poll_share *share, struct rte_vduse_blk *blk, uint16_t index)
{
	struct poll_queue *queues;

	queues = realloc(share->queues, (share->nb + 1) * sizeof(*queues));
	if (queues == NULL)
		return -ENOMEM;
	queues[share->nb++] = (struct poll_queue){ .blk = blk, .index = index };
	share->queues = queues;
	return 0;
}

/* Round robin, so that the queues of one device are spread over all lcores. */
static int
poll_share_out(const struct app_devices *devices)
{
	unsigned int lcore = rte_get_next_lcore(-1, 1, 0), i;
	uint16_t queue;
	int ret = 0;

	for (i = 0; i < devices->nb; i++) {
		const struct app_device *device = devices->all[i];

		for (queue = 0; queue < rte_vduse_blk_queues(device->blk) && ret == 0; queue++) {
			ret = poll_add(&shares[lcore], device->blk, queue);
			lcore = rte_get_next_lcore(lcore, 1, 1);
		}
	}
	return ret;
}

int
app_poll_start(const struct app_devices *devices)
{
	unsigned int lcore;
	int ret;

	if (rte_lcore_count() < 2) {
		fprintf(stderr, "dpdk-vduse-blk: only one lcore: add one that polls, "
				"such as -l 0,1\n");
		return -EINVAL;
	}
	ret = poll_share_out(devices);
	RTE_LCORE_FOREACH_WORKER(lcore) {
		if (ret == 0 && shares[lcore].nb > 0)
			ret = rte_eal_remote_launch(poll_run, &shares[lcore], lcore);
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
		free(shares[lcore].queues);
		shares[lcore].queues = NULL;
		shares[lcore].nb = 0;
	}
}
