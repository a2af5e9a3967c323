/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* A thread that polls a device continuously, as the test tells it, until the test ends it. */
#ifndef POLLER_H
#define POLLER_H

#include <pthread.h>

#include "unit.h"

struct poller {
	pthread_t thread;
	void (*poll)(void);    /* polls once, on that thread */
	bool stop;             /* the test writes, the thread reads */
	unsigned int nb_polls; /* the thread writes, the test reads */
};

void
poller_start(struct poller *self, void (*poll)(void));
/*
 * Waits until the thread has ended the poll that it is in, and has made so many whole ones, and the
 * control thread has looked at all that it has to do.
 */
void
poller_wait(struct poller *self, unsigned int nb);
void
poller_end(struct poller *self);

#endif /* POLLER_H */
