/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* See load.h. Thread: one of its own for load_run() and what that calls; main for the rest. */
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#include "check.h"
#include "load.h"

void
load_init(struct load *load, const struct load_ops *ops, uint8_t *memory, uint64_t iova,
	  bool packed, uint16_t nb)
{
	memset(load, 0, sizeof(*load));
	ring_init(&load->ring, memory, iova, packed, RING_SIZE / nb);
	load->ops = ops;
	load->room = memory + RING_BYTES;
	load->iova = iova + RING_BYTES;
	load->kick = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	load->call = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	check(load->kick >= 0 && load->call >= 0, "no eventfd");
	while (nb-- > 0)
		load->free[load->nb_free++] = nb;
}

uint8_t *
load_room(const struct load *load, uint16_t id)
{
	return load->room + id * LOAD_ROOM;
}

uint64_t
load_iova(const struct load *load, uint16_t id)
{
	return load->iova + id * LOAD_ROOM;
}

static bool
load_was_called(const struct load *load)
{
	eventfd_t count;

	return eventfd_read(load->call, &count) == 0;
}

unsigned int
load_receive(struct load *load)
{
	unsigned int nb = 0;
	uint32_t len;

	do {
		while (ring_has_used(&load->ring)) {
			uint16_t id = ring_take(&load->ring, &len);

			load->ops->done(load, id, len);
			load->free[load->nb_free++] = id;
			nb++;
		}
		ring_ask_call(&load->ring);
	} while (ring_has_used(&load->ring));
	atomic_fetch_add_explicit(&load->chains, nb, memory_order_relaxed);
	return nb;
}

void
load_send(struct load *load, unsigned int max)
{
	struct ring_part parts[LOAD_PARTS];

	while (load->nb_free > 0 && max-- > 0) {
		uint16_t id = load->free[--load->nb_free];
		uint16_t nb = load->ops->fill(load, id, parts);

		if (nb > 0)
			ring_post(&load->ring, id, parts, nb);
	}
	if (ring_wants_kick(&load->ring))
		(void)eventfd_write(load->kick, 1);
}

void
load_note(struct load *load)
{
	memcpy(load->copy, load->ring.memory, RING_BYTES);
	load->called = load_was_called(load);
}

/* Calls are taken before used entries: an entry that is not taken yet has its call still to come. */
static void
load_turn(struct load *load)
{
	(void)load_was_called(load);
	(void)load_receive(load);
	load_send(load, 1 + (unsigned int)random() % 64);
}

static void
load_watch(struct load *load, int ms)
{
	struct pollfd call = { .fd = load->call, .events = POLLIN };

	check(poll(&call, 1, ms) == 0, "the driver was called after SUSPEND");
	check(!ring_has_used(&load->ring), "a chain was used after SUSPEND");
	ring_check_quiet(&load->ring, load->copy);
}

static void
load_check_suspended(struct load *load)
{
	unsigned int id;

	ring_check_order(&load->ring);
	for (id = 0; id < RING_SIZE; id++) {
		if (!load->ring.chain[id].out)
			continue;
		load->left++;
		check(!load->ops->written(load, (uint16_t)id),
		      "the device wrote for id %u, which it did not use", id);
	}
}

void
load_run(struct load *loads, unsigned int nb, const _Atomic bool *suspended, unsigned int watch_ms)
{
	unsigned int i, found;

	while (!atomic_load_explicit(suspended, memory_order_acquire))
		for (i = 0; i < nb; i++)
			load_turn(&loads[i]);
	for (i = 0; i < nb; i++) {
		found = load_receive(&loads[i]);
		check(found == 0 || loads[i].called, "%u chains were used without a call", found);
		load_send(&loads[i], RING_SIZE);
	}
	for (i = 0; i < nb; i++)
		load_watch(&loads[i], (int)watch_ms);
	for (i = 0; i < nb; i++)
		load_check_suspended(&loads[i]);
}
