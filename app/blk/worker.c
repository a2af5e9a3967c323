/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * The poll loop of a worker lcore. A queue that had nothing to do for a while is parked: it is not
 * polled until an event says that its driver kicked, so that a sweep takes as long as the queues that
 * work, however many there are beside them. An lcore without work sleeps until there is an event.
 * Thread: app_worker_run(): the lcore; others: one at a time.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <rte_branch_prediction.h>
#include <rte_common.h>
#include <rte_cycles.h>
#include <rte_pause.h>
#include <rte_vduse_compat.h>

#include "worker.h"

/* Events taken at a time; others are there at the next look. */
#define WORKER_EVENTS 64
/* How long the first request of a parked queue waits at most, while others work. */
#define WORKER_LOOK_US 20

static void
worker_stand_still(struct worker *worker)
{
	/* Release: the list is not read any more. Pairs with app_worker_hold(). */
	rte_atomic_store_explicit(&worker->held, true, rte_memory_order_release);
	/* Pairs with app_worker_release(). */
	while (rte_atomic_load_explicit(&worker->hold, rte_memory_order_acquire))
		rte_pause();
	rte_atomic_store_explicit(&worker->held, false, rte_memory_order_release);
}

static void
worker_place(struct worker *worker, struct worker_queue *queue, unsigned int place)
{
	worker->queues[place] = queue;
	queue->place = place;
}

static void
worker_swap(struct worker *worker, struct worker_queue *queue, unsigned int place)
{
	worker_place(worker, worker->queues[place], queue->place);
	worker_place(worker, queue, place);
}

/* Parks the queues that did not work since the last look, or all, as far as they can be parked. */
static void
worker_park(struct worker *worker, bool all)
{
	struct worker_queue *queue;
	unsigned int i = 0;

	while (i < worker->nb_awake) {
		queue = worker->queues[i];
		if ((all || !queue->worked) && rte_vduse_blk_park(queue->blk, queue->index))
			worker_swap(worker, queue, --worker->nb_awake);
		else
			i++;
		queue->worked = false;
	}
}

/*
 * Takes events, for which it waits for some milliseconds; -1: until there is one. Returns whether there
 * was one: then hold, quit and the queues have to be looked at before the next one is waited for.
 */
static bool
worker_look(struct worker *worker, int ms)
{
	struct epoll_event events[WORKER_EVENTS];
	struct worker_queue *queue;
	int i, nb = epoll_wait(worker->epoll_fd, events, WORKER_EVENTS, ms);

	/* Edge-triggered: nothing is read, and each signal is an event. */
	for (i = 0; i < nb; i++) {
		queue = events[i].data.ptr;
		if (queue != NULL && queue->place >= worker->nb_awake)
			worker_swap(worker, queue, worker->nb_awake++);
	}
	return nb > 0;
}

/* Milliseconds until a time in TSC cycles, rounded down so as not to be late; for epoll_wait(). */
static int
worker_timeout(uint64_t until)
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
worker_sleep(struct worker *worker)
{
	uint64_t until = RTE_VDUSE_BLK_SIGNALLED;
	unsigned int i;

	worker_park(worker, true);
	/* Those with requests in flight, or that limits hold back. */
	for (i = 0; i < worker->nb_awake && until != RTE_VDUSE_BLK_AWAKE; i++)
		until = RTE_MIN(until, rte_vduse_blk_sleep(worker->queues[i]->blk,
							   worker->queues[i]->index));
	if (until != RTE_VDUSE_BLK_AWAKE)
		(void)worker_look(worker, worker_timeout(until));
}

/* After a sweep over the queues that are awake. work: what it found. */
static void
worker_rest(struct worker *worker, unsigned int work)
{
	uint64_t now = rte_get_tsc_cycles();

	if (worker->nb_awake < worker->nb && now >= worker->look_at) {
		worker->look_at = now + WORKER_LOOK_US * rte_get_tsc_hz() / US_PER_S;
		if (worker_look(worker, 0)) {
			worker->idle_from = 0;
			return;
		}
	}
	if (now >= worker->park_at) {
		worker->park_at = now + worker->idle;
		worker_park(worker, false);
	}
	if (work > 0) {
		worker->idle_from = 0;
	} else if (worker->idle_from == 0) {
		worker->idle_from = now;
	} else if (now - worker->idle_from >= worker->idle) {
		worker_sleep(worker);
		worker->idle_from = 0;
	}
}

int
app_worker_run(void *arg)
{
	struct worker *worker = arg;
	struct worker_queue *queue;
	unsigned int i, n, work;

	/* Relaxed: no other data depends on either. */
	while (!rte_atomic_load_explicit(&worker->quit, rte_memory_order_relaxed)) {
		if (unlikely(rte_atomic_load_explicit(&worker->hold, rte_memory_order_relaxed)))
			worker_stand_still(worker);
		work = 0;
		for (i = 0; i < worker->nb_awake; i++) {
			queue = worker->queues[i];
			n = rte_vduse_blk_poll(queue->blk, queue->index);
			if (n > 0)
				queue->worked = true;
			work += n;
		}
		if (work == 0)
			rte_pause();
		if (worker->idle > 0)
			worker_rest(worker, work);
	}
	return 0;
}

/* Ends the sleep of an lcore, or its next one. */
static void
worker_wake(struct worker *worker)
{
	if (worker->wake_fd >= 0)
		(void)eventfd_write(worker->wake_fd, 1);
}

void
app_worker_quit(struct worker *worker)
{
	/* Relaxed: no other data depends on it. The lcore reads it after its eventfd. */
	rte_atomic_store_explicit(&worker->quit, true, rte_memory_order_relaxed);
	worker_wake(worker);
}

void
app_worker_hold(struct worker *worker)
{
	rte_atomic_store_explicit(&worker->hold, true, rte_memory_order_relaxed);
	worker_wake(worker);
	/* Pairs with worker_stand_still(). */
	while (!rte_atomic_load_explicit(&worker->held, rte_memory_order_acquire))
		rte_pause();
}

void
app_worker_release(struct worker *worker)
{
	/* Release: the list is written. Pairs with worker_stand_still(). */
	rte_atomic_store_explicit(&worker->hold, false, rte_memory_order_release);
	while (rte_atomic_load_explicit(&worker->held, rte_memory_order_acquire))
		rte_pause();
}

int
app_worker_add(struct worker *worker, struct worker_queue *queue)
{
	struct worker_queue **queues =
		realloc(worker->queues, (worker->nb + 1) * sizeof(struct worker_queue *));
	int ret = 0;

	if (queues == NULL)
		return -ENOMEM;
	worker->queues = queues;
	if (worker->idle > 0)
		ret = rte_vduse_blk_wake_epoll(queue->blk, queue->index, worker->epoll_fd, queue);
	if (ret < 0)
		return ret;
	worker_place(worker, queue, worker->nb++);
	worker_swap(worker, queue, worker->nb_awake++);
	return 0;
}

void
app_worker_remove(struct worker *worker, struct worker_queue *queue)
{
	if (worker->idle > 0)
		(void)rte_vduse_blk_wake_epoll(queue->blk, queue->index, -1, NULL);
	/* The last one that is awake takes its place, and the last of all takes that one's. */
	if (queue->place < worker->nb_awake)
		worker_swap(worker, queue, --worker->nb_awake);
	worker_swap(worker, queue, --worker->nb);
}

int
app_worker_open(struct worker *worker, uint64_t idle)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLET, .data.ptr = NULL };

	worker->idle = idle;
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

void
app_worker_close(struct worker *worker)
{
	if (worker->wake_fd >= 0)
		close(worker->wake_fd);
	if (worker->epoll_fd >= 0)
		close(worker->epoll_fd);
	worker->wake_fd = -1;
	worker->epoll_fd = -1;
	free(worker->queues);
	worker->queues = NULL;
	worker->nb = 0;
	worker->nb_awake = 0;
}
