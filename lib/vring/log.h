/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * The dirty log of a live migration: a bit for each page of the driver's memory that the device
 * wrote to since the front end last cleared it.
 * Input: what was written. Output: bits. Thread: the one that holds the virtqueue; several
 * virtqueues may mark one log at the same time.
 */
#ifndef VRING_LOG_H
#define VRING_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_vduse_chain.h>

#define VRING_LOG_PAGE UINT64_C(4096)

struct vring_vq;

/* Constant while a virtqueue has it. */
struct vring_log {
	uint8_t *bits;     /* page n: bit n % 8 of byte n / 8; atomic, shared with the front end */
	uint64_t nb_pages; /* pages after these have no bit */
	bool by_va; /* the driver's addresses are not those of the bits: mark_va knows them */
	/* Marks memory at an address of this process, with vring_log_mark(). arg: of vring_mem. */
	void (*mark_va)(const struct vring_log *log, void *arg, const uint8_t *va, uint64_t len);
};

/* Marks the pages of a range of the driver's address space, after the bytes were written. */
void
vring_log_mark(const struct vring_log *log, uint64_t iova, uint64_t len);

/* The same for an address of this process. Does nothing if the virtqueue has no log. */
void
vring_log_va(const struct vring_vq *vq, const void *va, uint64_t len);

/* What push, publish and notify of vring.h do in addition while there is a log. */
void
vring_log_chains(const struct vring_vq *vq, const struct rte_vduse_chain *chains, uint16_t nb);
bool
vring_log_publish(struct vring_vq *vq);
void
vring_log_notify(const struct vring_vq *vq);

#endif /* VRING_LOG_H */
