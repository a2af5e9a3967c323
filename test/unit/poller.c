/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* See poller.h. */
#include "poller.h"

#include <rte_vduse_compat.h>

/* For unit_wait(). */
struct poller_until {
	struct poller *poller;
	unsigned int nb_polls;
};

static void *
poller_main(void *arg)
{
	struct poller *self = arg;

	while (!rte_atomic_load_explicit(&self->stop, rte_memory_order_relaxed)) {
		self->poll();
		rte_atomic_fetch_add_explicit(&self->nb_polls, 1, rte_memory_order_relaxed);
	}
	return NULL;
}

void
poller_start(struct poller *self, void (*poll)(void))
{
	self->poll = poll;
	self->nb_polls = 0;
	rte_atomic_store_explicit(&self->stop, false, rte_memory_order_relaxed);
	assert_int_equal(pthread_create(&self->thread, NULL, poller_main, self), 0);
}

/* Relaxed: it orders nothing, so that a thread sanitizer still sees who writes at the same time. */
static bool
has_polled(void *arg)
{
	const struct poller_until *until = arg;

	return (int)(rte_atomic_load_explicit(&until->poller->nb_polls, rte_memory_order_relaxed) -
		     until->nb_polls) >= 0;
}

void
poller_wait(struct poller *self, unsigned int nb)
{
	struct poller_until until = { .poller = self };

	until.nb_polls =
		rte_atomic_load_explicit(&self->nb_polls, rte_memory_order_relaxed) + 1 + nb;
	assert_true(unit_wait(has_polled, &until));
	unit_ctrl_turn();
}

void
poller_end(struct poller *self)
{
	rte_atomic_store_explicit(&self->stop, true, rte_memory_order_relaxed);
	pthread_join(self->thread, NULL);
}
