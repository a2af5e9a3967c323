/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * A block device over the loopback whose backend fails, is slow, or finishes in another order,
 * as a test orders: what tests of such backends share.
 */
#ifndef LOOPBACK_FAULT_H
#define LOOPBACK_FAULT_H

#include <virtio_blk/backend/fault.h>

#include "loopback_blk.h"

/* Descriptors. */
#define RING 64u

extern struct loopback_blk blk;
extern struct rte_vduse_blk_backend *fault; /* its backend */
/* Room for data either way. */
extern uint8_t sent[BLK_BYTES], got[BLK_BYTES];

/* For cmocka: a device whose driver is up, and one that differs in what the name says. */
int
fault_setup(void **state);
int
fault_setup_indirect(void **state);
int
fault_setup_in_order(void **state);
int
fault_setup_no_flush(void **state);
int
fault_setup_logged(void **state);
/* The backend moves data when it is let go, not before. */
int
fault_setup_late(void **state);
int
fault_teardown(void **state);

/* Posts a request of one sector, which is not waited for. Returns its head. */
uint16_t
fault_post(uint32_t type, uint64_t sector, const void *data);

/* Writes what follows from a seed, and reads it back. */
void
fault_check_serves(uint32_t seed);

/* Polls until so many operations are with the backend. */
void
fault_wait_held(unsigned int nb);

/* Posts a row of reads, of one sector each, that the backend does not finish. */
void
fault_hold_reads(uint16_t *heads, unsigned int nb);

/* For main(): runs tests of such a device. Returns what main() is to return. */
#define fault_run(tests) fault_run_group(#tests, tests, RTE_DIM(tests))
int
fault_run_group(const char *name, const struct CMUnitTest *tests, size_t nb);

#endif /* LOOPBACK_FAULT_H */
