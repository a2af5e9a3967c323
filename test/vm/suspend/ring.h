/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * The driver's side of a split or packed ring, with a model of it: the place of each chain in the
 * order in which chains were made available, counted since the ring's first start. The unit is what
 * the position counts: chains in a split ring, descriptors in a packed one.
 */
#ifndef SUSPEND_RING_H
#define SUSPEND_RING_H

#include <stdbool.h>
#include <stdint.h>

#define RING_SIZE  256
#define RING_BYTES 0x4000
/* Where in the memory of a ring its areas lie, in both formats. */
#define RING_DRIVER 0x1000
#define RING_DEVICE 0x2000

struct ring_part {
	uint64_t iova;
	uint32_t len;
	uint16_t flags; /* VRING_DESC_F_WRITE, VRING_DESC_F_INDIRECT */
};

struct ring_chain {
	uint64_t begin;
	uint16_t units;
	bool out; /* available and not used */
};

struct ring {
	uint8_t *memory;
	uint64_t iova;
	bool packed;
	bool event_idx;
	uint16_t room;   /* descriptors of each id in a split ring */
	uint64_t posted; /* units that were made available */
	uint64_t used;   /* units that were used */
	uint64_t kicked; /* posted, when the device was asked last whether it wants a kick */
	struct ring_chain chain[RING_SIZE];
};

void
ring_init(struct ring *ring, uint8_t *memory, uint64_t iova, bool packed, uint16_t room);
/* Before each start of the device. */
void
ring_set_event_idx(struct ring *ring, bool event_idx);

/* Makes a chain available. The id has no other one, and is below RING_SIZE / room. */
void
ring_post(struct ring *ring, uint16_t id, const struct ring_part *parts, uint16_t nb);
/* Whether the device wants a kick for what was posted since the last call. */
bool
ring_wants_kick(struct ring *ring);

bool
ring_has_used(const struct ring *ring);
/* Takes a used chain that ring_has_used() found. Fails the test if that chain is not out. */
uint16_t
ring_take(struct ring *ring, uint32_t *len);
/* Asks for a call for the next chain that is used; ring_has_used() must be asked again then. */
void
ring_ask_call(struct ring *ring);

/* The model's VHOST_GET_VRING_BASE for a device that has no chain in flight. */
uint32_t
ring_base(const struct ring *ring);
/* No chain that is out lies before one that was used. */
void
ring_check_order(const struct ring *ring);
/* Fails the test if the device has written since the copy of the ring's memory was made. */
void
ring_check_quiet(const struct ring *ring, const uint8_t *copy);

#endif
