/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Distributes the queues of devices among the worker lcores and runs their poll loops. Devices come
 * and go while the lcores poll: an lcore stands still for as long as its list of queues changes. An
 * lcore that found nothing to do for a while sleeps until one of its queues is signalled.
 * Thread: one at a time; poll_run() on the worker lcores.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <rte_branch_prediction.h>
#include <rte_cycles.h>
#include <rte_launch.h>
#include <rte_lcore.h>
#include <rte_pause.h>
#include <rte_vduse_compat.h>

#include "app.h"

/* Events taken at a time; others are there at the next sleep. */
#define POLL_EVENTS 64

struct poll_queue {
	struct rte_vduse_blk *blk;
	uint16_t index;
};

/* A worker lcore. The lcore reads the list; others change it between poll_hold() and poll_release(). */
struct poll_worker {
	struct poll_queue *queues;
	unsigned int nb;
	int epoll_fd; /* of all queues, and wake_fd; constant while the lcore runs */
	int wake_fd;  /* an eventfd of those who change the list or end the lcore; likewise */
	bool hold;    /* the lcore is to stand still; atomic */
	bool held;    /* it does; atomic, written by the lcore */
} __rte_cache_aligned;

static struct poll_worker workers[RTE_MAX_LCORE];
static uint64_t idle; /* TSC cycles to poll before a sleep; 0: never sleep. Constant */
static bool started;  /* there are lcores to stop; the main thread only */
static bool quit;     /* atomic */

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

/* Milliseconds until a time in TSC cycles, rounded down so as not to be late; for epoll_wait(). */
static int
poll_timeout(uint64_t until)
{
	uint64_t now, ms;

	if (until == RTE_VDUSE_BLK_SIGNALLED)
		return -1;
	now = rte_get_tsc_cycles();
	if (until <= now)
		return 0;
	ms = (until - now) / (rte_get_tsc_hz() / MS_PER_S);
	return (int)RTE_MIN(ms, (uint64_t)MS_PER_S);
}

/* Returns when something is signalled; at once if a queue has to be polled. */
static void
poll_sleep(struct poll_worker *worker)
{
	struct epoll_event events[POLL_EVENTS];
	uint64_t until = RTE_VDUSE_BLK_SIGNALLED;
	unsigned int i;

	for (i = 0; i < worker->nb && until != RTE_VDUSE_BLK_AWAKE; i++)
		until = RTE_MIN(
			until, rte_vduse_blk_sleep(worker->queues[i].blk, worker->queues[i].index));
	if (until == RTE_VDUSE_BLK_AWAKE)
		return;
	/* Edge-triggered: what is signalled from here on ends the next sleep. */
	(void)epoll_wait(worker->epoll_fd, events, POLL_EVENTS, poll_timeout(until));
}

static int
poll_run(void *arg)
{
	struct poll_worker *worker = arg;
	/* When the first sweep found nothing; 0: the last one found something. */
	uint64_t since = 0;
	unsigned int i, work;

	/* Relaxed: no other data depends on either. */
	while (!rte_atomic_load_explicit(&quit, rte_memory_order_relaxed)) {
		if (unlikely(rte_atomic_load_explicit(&worker->hold, rte_memory_order_relaxed)))
			poll_stand_still(worker);
		work = 0;
		for (i = 0; i < worker->nb; i++)
			work += rte_vduse_blk_poll(worker->queues[i].blk, worker->queues[i].index);
		if (work > 0) {
			since = 0;
			continue;
		}
		rte_pause();
		if (idle == 0)
			continue;
		if (since == 0) {
			since = rte_get_tsc_cycles();
		} else if (rte_get_tsc_cycles() - since >= idle) {
			poll_sleep(worker);
			since = 0;
		}
	}
	return 0;
}

/* Ends the sleep of an lcore, or its next one. */
static void
poll_wake(struct poll_worker *worker)
{
	if (worker->wake_fd >= 0)
		(void)eventfd_write(worker->wake_fd, 1);
}

/* Returns when the lcore stands still. */
static void
poll_hold(struct poll_worker *worker)
{
	rte_atomic_store_explicit(&worker->hold, true, rte_memory_order_relaxed);
	poll_wake(worker);
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

/* What wakes the lcore for a queue is an event of its epoll, or of none. */
static int
poll_watch(struct rte_vduse_blk *blk, uint16_t index, int epoll_fd)
{
	return idle == 0 ? 0 : rte_vduse_blk_wake_epoll(blk, index, epoll_fd);
}

static int
poll_add_queue(struct poll_worker *worker, struct rte_vduse_blk *blk, uint16_t index)
{
	struct poll_queue *queues;
	int ret = poll_watch(blk, index, worker->epoll_fd);

	if (ret < 0)
		return ret;
	poll_hold(worker);
	queues = realloc(worker->queues, (worker->nb + 1) * sizeof(*queues));
	if (queues != NULL) {
		queues[worker->nb++] = (struct poll_queue){ .blk = blk, .index = index };
		worker->queues = queues;
	}
	poll_release(worker);
	if (queues != NULL)
		return 0;
	(void)poll_watch(blk, index, -1);
	return -ENOMEM;
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
		for (i = 0, nb = 0; i < worker->nb; i++) {
			if (worker->queues[i].blk != blk)
				worker->queues[nb++] = worker->queues[i];
			else
				(void)poll_watch(blk, worker->queues[i].index, -1);
		}
		worker->nb = nb;
		poll_release(worker);
	}
}

/* Returns 0 or a negative errno. */
static int
poll_open_worker(struct poll_worker *worker)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLET };

	worker->epoll_fd = -1;
	worker->wake_fd = -1;
	if (idle == 0)
		return 0;
	worker->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (worker->epoll_fd >= 0)
		worker->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	return worker->wake_fd < 0 || epoll_ctl(worker->epoll_fd, EPOLL_CTL_ADD, worker->wake_fd,
						&event) < 0
		       ? -errno
		       : 0;
}

static void
poll_close_worker(struct poll_worker *worker)
{
	unsigned int i;

	for (i = 0; i < worker->nb; i++)
		(void)poll_watch(worker->queues[i].blk, worker->queues[i].index, -1);
	if (worker->wake_fd >= 0)
		close(worker->wake_fd);
	if (worker->epoll_fd >= 0)
		close(worker->epoll_fd);
	worker->wake_fd = -1;
	worker->epoll_fd = -1;
	free(worker->queues);
	worker->queues = NULL;
	worker->nb = 0;
}

static int
poll_open_workers(void)
{
	unsigned int lcore;
	int ret = 0;

	RTE_LCORE_FOREACH_WORKER(lcore) {
		int opened = poll_open_worker(&workers[lcore]);

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
	idle = idle_us * rte_get_tsc_hz() / US_PER_S;
	started = true;
	ret = poll_open_workers();
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

	if (!started)
		return;
	/* Relaxed: no other data depends on it. An lcore reads it after its eventfd. */
	rte_atomic_store_explicit(&quit, true, rte_memory_order_relaxed);
	RTE_LCORE_FOREACH_WORKER(lcore)
		poll_wake(&workers[lcore]);
	rte_eal_mp_wait_lcore();
	RTE_LCORE_FOREACH_WORKER(lcore)
		poll_close_worker(&workers[lcore]);
}
