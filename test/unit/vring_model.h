/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * The driver's half of the random test: it posts chains of any layout with known bytes in
 * memory that lies in windows, and checks what comes back.
 */
#ifndef VRING_MODEL_H
#define VRING_MODEL_H

#include "vring_driver.h"

#define MODEL_SIZE_LIMIT 64
#define MODEL_WINDOWS    5
#define MODEL_SLOT       1536 /* memory of a chain: a table, then buffers */
#define MODEL_SEGS       6
#define MODEL_KEPT       (2 * MODEL_SIZE_LIMIT)

struct model_seg {
	uint64_t iova;
	uint32_t len;
	bool write;
};

/* What the driver knows of a chain that it posted. */
struct model_post {
	struct model_seg segs[MODEL_SEGS];
	uint32_t nb;
	uint32_t cookie;
	uint32_t out_len;
	uint32_t in_len;
	uint16_t descs[MODEL_SEGS + 1];
	uint16_t nb_descs;
};

/* Chains are numbered as posted; each counter is how many got that far. */
struct model {
	struct driver driver;
	uint64_t random;
	uint64_t arena;
	uint64_t window;
	uint16_t base; /* avail index, or place of a packed ring, at which it began */
	uint16_t free[MODEL_SIZE_LIMIT];
	uint32_t nb_free;
	uint32_t posted, taken, pushed, published, harvested;
	struct model_post posts[MODEL_KEPT];
	struct rte_vduse_chain chains[MODEL_KEPT];
};

extern struct model model;

/* A random number below the given one. */
uint32_t
model_roll(uint32_t below);

/* What stands at a position of the bytes that a chain carries. */
uint8_t
model_pattern(uint32_t cookie, uint32_t at);

/* How many bytes the device writes into a chain: the same if it takes the chain twice. */
uint32_t
model_written(const struct model_post *post);

/* Descriptors that nb chains take, from this one on. */
uint32_t
model_descs(uint32_t chain, uint32_t nb);
/* How many chains the driver could take as used, in all. */
uint32_t
model_shown(void);

void
model_init(uint32_t seed);
void
model_free(void);

/* Posts chains; the driver must never want to kick. */
void
model_driver_posts(void);
/* Takes used entries and checks them and the bytes written. */
void
model_driver_harvests(void);
/* Asks for calls, or not. */
void
model_driver_wishes(void);

#endif /* VRING_MODEL_H */
