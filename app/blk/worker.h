/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * A worker lcore of dpdk-vduse-blk, which polls queues of devices. poll.c gives it its queues.
 */
#ifndef BLK_WORKER_H
#define BLK_WORKER_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_vduse_blk.h>

/* A queue of a worker; also the data of its events. */
struct worker_queue {
	struct rte_vduse_blk *blk; /* constant */
	uint16_t index;            /* constant */
	bool worked;               /* since the last look at those that did not */
	unsigned int place;        /* in queues of its worker */
};

/*
 * The queues before nb_awake are polled; the driver of each of the others kicks, and an event of
 * epoll_fd tells it. The lcore has all of it; others change it between app_worker_hold() and
 * app_worker_release().
 */
struct worker {
	struct worker_queue **queues;
	unsigned int nb;
	unsigned int nb_awake;
	uint64_t idle;      /* TSC cycles without work before a sleep; 0: never sleep. Constant */
	uint64_t idle_from; /* TSC of the first sweep that found nothing; 0: the last one did */
	uint64_t look_at;   /* TSC of the next look at events, while the lcore has work */
	uint64_t park_at;   /* TSC of the next look at queues that did not work, likewise */
	int epoll_fd;       /* of all queues, and wake_fd; constant while the lcore runs */
	int wake_fd;        /* an eventfd of those who change the list or end the lcore; likewise */
	bool hold;          /* the lcore is to stand still; atomic */
	bool held;          /* it does; atomic, written by the lcore */
	bool quit;          /* atomic */
} __rte_cache_aligned;

/* Opens what a worker sleeps with, unless idle is 0. 0 or a negative errno. */
int
app_worker_open(struct worker *worker, uint64_t idle);
/* After it ended, or before it began. Its queues belong to the caller. */
void
app_worker_close(struct worker *worker);
/* Polls until app_worker_quit(). arg: the worker. Thread: its lcore. */
int
app_worker_run(void *arg);
/* Ends app_worker_run(), soon. */
void
app_worker_quit(struct worker *worker);
/* Returns when the lcore stands still. */
void
app_worker_hold(struct worker *worker);
/* Returns when the lcore polls again, so that the next app_worker_hold() does not see it held. */
void
app_worker_release(struct worker *worker);
/* Adds a queue, which is polled, while the lcore is held. 0 or a negative errno: it is not added. */
int
app_worker_add(struct worker *worker, struct worker_queue *queue);
/* Removes a queue while the lcore is held. */
void
app_worker_remove(struct worker *worker, struct worker_queue *queue);

#endif /* BLK_WORKER_H */
