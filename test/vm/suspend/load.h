/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * A ring that is kept as full as it can be, by a thread that does nothing else, until the device is
 * suspended. disk.c and net.c build the chains and check them.
 */
#ifndef SUSPEND_LOAD_H
#define SUSPEND_LOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "ring.h"

/* Memory of an id, for its chain. */
#define LOAD_ROOM  2048
#define LOAD_PARTS 3

struct load;

struct load_ops {
	/* Builds the chain of an id. Returns the number of parts; 0: the id is not used any more. */
	uint16_t (*fill)(struct load *load, uint16_t id, struct ring_part *parts);
	/* The chain was used. Fails the test if it was not done. */
	void (*done)(struct load *load, uint16_t id, uint32_t len);
	/* Whether the device has written to the memory of a chain that is out. */
	bool (*written)(const struct load *load, uint16_t id);
};

struct load {
	struct ring ring;
	const struct load_ops *ops;
	uint8_t *room;
	uint64_t iova;
	int kick;
	int call;
	uint16_t free[RING_SIZE];
	uint16_t nb_free;
	_Atomic uint64_t chains;  /* used so far; read by main, too */
	uint64_t left;            /* chains left to the next start, added up */
	bool called;              /* by the time that SUSPEND returned */
	uint8_t copy[RING_BYTES]; /* of the ring, made when SUSPEND returned */
};

/* Its memory is RING_BYTES for the ring, then LOAD_ROOM for each of nb ids. */
void
load_init(struct load *load, const struct load_ops *ops, uint8_t *memory, uint64_t iova,
	  bool packed, uint16_t nb);
uint8_t *
load_room(const struct load *load, uint16_t id);
uint64_t
load_iova(const struct load *load, uint16_t id);

/* Takes all that is used and asks for a call for what follows. Returns the number of chains. */
unsigned int
load_receive(struct load *load);
/* Makes chains available, at most so many, and kicks if the device wants that. */
void
load_send(struct load *load, unsigned int max);

/* SUSPEND has returned: notes what there is, for load_check_suspended(). */
void
load_note(struct load *load);
/*
 * Keeps all rings full until *suspended. Then takes what was used, makes more available, watches
 * that the device does nothing for so many milliseconds, and checks that it has done what was
 * before its position, and nothing of the rest.
 */
void
load_run(struct load *loads, unsigned int nb, const _Atomic bool *suspended, unsigned int watch_ms);

#endif
