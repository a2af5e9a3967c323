/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * The driver's side of a ring of either format, for tests: it lays rings and buffers out in
 * memory of its own, shown to the device as regions, and can write whatever a hostile driver
 * would. driver_packed.c has what is different in packed rings.
 */
#ifndef VRING_DRIVER_H
#define VRING_DRIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <vring/vring.h>

#define DRIVER_REGIONS 8
/* Where the first region begins in the driver's address space, and how far the next lies. */
#define DRIVER_IOVA UINT64_C(0x100000000)

struct driver_region {
	uint64_t first;
	uint64_t size;
	uint8_t *va;
	bool read_only;
	int fd; /* of a driver whose memory is shared */
};

/* A packed ring. Places are counted as in vring.h: below size under wrap counter 1. */
struct driver_packed {
	struct vring_packed_desc *desc;
	struct vring_packed_desc_event *driver_event;
	struct vring_packed_desc_event *device_event;
	uint32_t next;   /* place to make available next */
	uint32_t seen;   /* place that is used next */
	uint16_t *descs; /* of each id: descriptors of the chain that has it */
	uint16_t *order; /* ids as they were made available, a ring of size entries */
	uint32_t posted;
	uint32_t taken;
	uint32_t batch; /* with in-order: chains left of a batch that was used as one */
	uint32_t batch_len;
};

struct driver {
	struct vring_vq vq; /* the device's side */
	struct driver_region regions[DRIVER_REGIONS];
	unsigned int nb_regions;
	bool shared;      /* memory lies in files, as another process's */
	unsigned int nth; /* of several in one address space: each has regions of its own */
	unsigned int lookups;
	uint64_t features;
	uint32_t size;
	struct vring_desc *desc;
	struct vring_avail *avail;
	struct vring_used *used;
	uint64_t rings; /* iova of desc; avail and used follow in the same region */
	uint64_t data;  /* iova of room for buffers: 4096 bytes for each descriptor */
	uint16_t next;  /* avail index */
	uint16_t seen;  /* used index */
	uint32_t batch; /* with in-order: chains left of a batch that was used as one */
	uint32_t batch_len;
	struct driver_packed packed;
};

/* A descriptor's buffer. */
struct driver_part {
	uint64_t iova;
	uint32_t len;
	uint16_t flags;
};

/*
 * Rings of size descriptors in one region, their buffers in another; the ring starts at index,
 * which in a packed ring is a place.
 */
void
driver_init(struct driver *driver, uint32_t size, uint64_t features, uint16_t index);
/* The same in shared memory. */
void
driver_init_shared(struct driver *driver, uint32_t size, uint64_t features, uint16_t index);
/* The same for the nth driver, counted from 0, of one address space. */
void
driver_init_shared_nth(struct driver *driver, unsigned int nth, uint32_t size, uint64_t features,
		       uint16_t index);
void
driver_free(struct driver *driver);
/* Where its ring lies. */
struct vring_layout
driver_layout(const struct driver *driver);
int
driver_start(struct driver *driver);

/* Adds memory at the given iova (0: after the last region). */
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
static inline bool
driver_has(const struct driver *driver, unsigned int feature)
{
	return (driver->features >> feature & 1) != 0;
}

/*
 * Writes a chain of nb parts to the descriptors given and makes it available; in a packed ring
 * to the next ones, with the first given as its id. Returns whether the driver would kick.
 */
bool
driver_post_chain(struct driver *driver, const uint16_t *descs, const struct driver_part *parts,
		  uint16_t nb);
/* Takes a used entry. False: there is none. */
bool
driver_take(struct driver *driver, uint32_t *head, uint32_t *len);
void
driver_set_used_event(struct driver *driver, uint16_t event);

/* driver_packed.c: the same for a packed ring. */
void
driver_packed_init(struct driver *driver, uint32_t place);
void
driver_packed_layout(const struct driver *driver, struct vring_layout *layout);
bool
driver_packed_post(struct driver *driver, uint16_t id, const struct driver_part *parts,
		   uint16_t nb);
bool
driver_packed_take(struct driver *driver, uint32_t *id, uint32_t *len);
/* How many chains the driver could take. */
uint32_t
driver_packed_used(const struct driver *driver);
/* A place as an index and a wrap counter. */
uint16_t
driver_packed_index(const struct driver *driver, uint32_t place);
void
driver_packed_set_event(struct driver *driver, uint16_t flags, uint32_t place);

#endif /* VRING_DRIVER_H */
