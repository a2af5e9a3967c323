/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * A disk of one queue in a file of its own, and its driver: what tests of the file backend share.
 * Where there is no io_uring, as in some sandboxes, there is no disk either.
 */
#ifndef LOOPBACK_FILE_H
#define LOOPBACK_FILE_H

#include "loopback_blk.h"

/* Descriptors, and bytes of the file. */
#define RING      64u
#define DISK_SIZE (UINT32_C(1) << 20)

extern struct loopback_blk blk;
/* Room for data either way. */
extern uint8_t sent[BLK_BYTES], got[BLK_BYTES];
extern char disk_path[64], disk_args[128];
extern int disk_fd; /* the test's own; -1: there is no disk */

/* Creates the file; false: there is no io_uring. Then a disk in it, with more arguments. */
bool
disk_create_file(void);
void
disk_create(const char *more);

/* Both, and the driver comes up, without some features. For functions that cmocka calls. */
int
disk_setup_with(const char *more, uint64_t without, bool pinnable);

/* For cmocka: a disk whose driver is up, and one that differs in what the name says. */
int
disk_setup(void **state);
int
disk_setup_direct(void **state);
int
disk_setup_no_flush(void **state);
int
disk_teardown(void **state);

/* The test skips itself where there is no disk. */
void
disk_need(void);

/* Locks the file by the test's own descriptor, or unlocks it (F_UNLCK). As fcntl(). */
int
disk_lock(short type);

/* Writes what follows from a seed, and keeps it in sent. Returns the request's status. */
uint8_t
disk_write(uint64_t sector, uint32_t len, uint32_t seed);

/* A request that names one range. Returns its status. */
uint8_t
disk_range(uint32_t type, uint64_t sector, uint32_t nb, uint32_t flags);

/* The driver and the file agree on these bytes. */
void
disk_check(uint64_t sector, const uint8_t *bytes, uint32_t len);

#endif /* LOOPBACK_FILE_H */
