/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The driver's side of a split ring, for tests: it lays rings and buffers out in memory of
 * its own, shown to the device as regions, and can write whatever a hostile driver would.
 */
#ifndef VRING_DRIVER_H
#define VRING_DRIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vring.h"

#define DRIVER_REGIONS 8
/* Where the first region begins in the driver's address space, and how far the next lies. */
#define DRIVER_IOVA    UINT64_C(0x100000000)

struct driver_region {
	uint64_t first;
	uint64_t size;
	uint8_t *va;
	bool read_only;
};

struct driver {
	struct vring_vq vq; /* the device's side */
	struct driver_region regions[DRIVER_REGIONS];
	unsigned int nb_regions;
	unsigned int lookups;
	uint64_t features;
	uint32_t size;
	struct vring_desc *desc;
	struct vring_avail *avail;
	struct vring_used *used;
	uint64_t rings;   /* iova of desc; avail and used follow in the same region */
	uint64_t data;    /* iova of room for buffers: 4096 bytes for each descriptor */
	uint16_t next;    /* avail index */
	uint16_t seen;    /* used index */
};

/* Rings of size descriptors and their buffers in one region; the ring starts at index. */
void
driver_init(struct driver *driver, uint32_t size, uint64_t features, uint16_t index);
void
driver_free(struct driver *driver);
int
driver_start(struct driver *driver);

/* More memory, at an iova of its own or where iova says (0: behind the last). */
struct driver_region *
driver_region(struct driver *driver, uint64_t iova, uint64_t size);
void *
driver_va(struct driver *driver, uint64_t iova);

void
driver_desc(struct driver *driver, uint16_t index, uint64_t iova, uint32_t len, uint16_t flags,
	    uint16_t next);
/* Makes the chain at head available. Returns whether the driver would kick. */
bool
driver_post(struct driver *driver, uint16_t head);
/* Takes a used entry. False: there is none. */
bool
driver_take(struct driver *driver, uint32_t *head, uint32_t *len);
void
driver_set_used_event(struct driver *driver, uint16_t event);

#endif /* VRING_DRIVER_H */
