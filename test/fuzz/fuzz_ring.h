/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * A driver's memory and its rings, in both formats. Helpers create valid chains, so that a short
 * input produces long consistent rings; writes of any kind damage them. No helper trusts the
 * content of memory, which the input may have written.
 * Thread: libFuzzer's.
 */
#ifndef FUZZ_RING_H
#define FUZZ_RING_H

#include <vduse/loopback/loopback.h>
#include <vring/vring.h>

#include "fuzz.h"

#define FUZZ_BIT(nr) (UINT64_C(1) << (nr))

/* Addresses of the driver. The rings lie first, data after them. */
#define FUZZ_IOVA      UINT64_C(0x100000000)
#define FUZZ_RINGS     (UINT64_C(1) << 20)
#define FUZZ_DATA      (UINT64_C(1) << 20)
#define FUZZ_ALL       (FUZZ_RINGS + FUZZ_DATA)
#define FUZZ_DATA_IOVA (FUZZ_IOVA + FUZZ_RINGS)
/* The end of the data, where tables lie. */
#define FUZZ_TABLE UINT64_C(0x10000)

/* Memory in a file, as another process's. */
struct fuzz_memory {
	int fd;
	uint8_t *va;
	uint64_t size; /* of the file now: what lies after it is not to be touched */
};

/* A piece of a chain. */
struct fuzz_piece {
	uint64_t iova;
	uint32_t len;
	bool write; /* for the device to write */
};

#define FUZZ_PIECES 16

struct fuzz_ring {
	struct fuzz_memory *memory;
	uint64_t at;   /* where it begins in memory */
	uint32_t size; /* as the device is told */
	uint32_t room; /* descriptors that the helpers use: size, if that is a size */
	uint64_t features;
	bool packed;
	uint16_t begin; /* of a split ring: the index at which it starts */
	/* Free descriptors, or ids of a packed ring. */
	uint16_t *free;
	uint32_t nb_free;
	uint16_t *next;     /* of a descriptor in its chain */
	uint16_t *nb_descs; /* of a chain, by its head or id */
	uint16_t *order;    /* heads in the order in which they were posted: a ring of room */
	uint32_t posted;
	uint32_t taken;
	uint32_t in_ring; /* of a packed ring: descriptors that are not used */
	uint16_t avail;   /* index, or place of a packed ring */
	uint16_t used;
	uint32_t table; /* where the next indirect table goes */
};

void
fuzz_memory_open(struct fuzz_memory *memory);
void
fuzz_memory_close(struct fuzz_memory *memory);
/* Cuts the file, or makes it whole again with zeroes. */
void
fuzz_memory_truncate(struct fuzz_memory *memory, uint64_t size);
/* NULL: not in the file. */
void *
fuzz_memory_at(const struct fuzz_memory *memory, uint64_t iova, uint64_t len);
/* Shows the device regions in one of several ways. */
void
fuzz_memory_show(const struct fuzz_memory *memory, struct vduse_loopback *loop, uint8_t how);

/* A new ring at that offset of memory, empty. The device starts a split one at that index. */
void
fuzz_ring_open(struct fuzz_ring *ring, struct fuzz_memory *memory, uint64_t at, uint32_t size,
	       uint64_t features, uint16_t index);
void
fuzz_ring_close(struct fuzz_ring *ring);
/* Where the device finds it. */
struct vduse_vq_info
fuzz_ring_info(const struct fuzz_ring *ring, uint16_t index, bool ready);

/* Makes pieces of step bytes of len bytes, one of all if step is 0, at most nb. Returns how many. */
unsigned int
fuzz_ring_split(struct fuzz_piece *pieces, unsigned int nb, uint64_t at, uint32_t len,
		uint32_t step, bool write);

/* Posts a chain of at most FUZZ_PIECES pieces. False: there is no room. */
bool
fuzz_ring_post(struct fuzz_ring *ring, const struct fuzz_piece *pieces, unsigned int nb,
	       bool indirect);
/* Takes back the next used entry: with in-order, all chains up to it. Its length is the device's. */
enum fuzz_taken {
	FUZZ_TAKEN_NONE,  /* no used entry is left */
	FUZZ_TAKEN_WRONG, /* it names no chain that was posted and is not used yet */
	FUZZ_TAKEN,
};
enum fuzz_taken
fuzz_ring_take(struct fuzz_ring *ring, uint32_t *head, uint32_t *len);
/* Takes back what is used. */
void
fuzz_ring_reap(struct fuzz_ring *ring);

/* What the input writes: a descriptor, the index or flags by which chains become available, the
 * areas by which the driver asks for notifications, or any bytes.
 */
void
fuzz_ring_write_desc(struct fuzz_ring *ring, struct fuzz_input *in);
void
fuzz_ring_write_avail(struct fuzz_ring *ring, struct fuzz_input *in);
void
fuzz_ring_write_event(struct fuzz_ring *ring, struct fuzz_input *in);
void
fuzz_ring_write_bytes(struct fuzz_ring *ring, struct fuzz_input *in);

#endif /* FUZZ_RING_H */
