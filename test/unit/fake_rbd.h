/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * A cluster of one image, in memory, in place of librbd and librados: what the backend "rbd" calls
 * of them. Two threads finish operations, in any order. A write is on stable storage only after a
 * flush that came later.
 */
#ifndef FAKE_RBD_H
#define FAKE_RBD_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#define FAKE_RBD_SIZE (UINT64_C(1) << 20)

struct fake_op;

extern struct fake_rbd {
	pthread_mutex_t lock; /* guards all that follows */
	uint64_t size;
	uint8_t data[FAKE_RBD_SIZE];
	uint8_t stable[FAKE_RBD_SIZE];
	bool hold;           /* nothing is finished until it is cleared: fake_rbd_hold() */
	unsigned int refuse; /* so many calls are refused */
	int refuse_error;
	unsigned int fail; /* so many operations fail later */
	int fail_error;
	unsigned int cut;                          /* so many reads are short */
	unsigned int in_flight, most, completions; /* completions: there now */
	unsigned int called_back;                  /* operations whose callback has returned */
	unsigned int clusters, pools, images;      /* open now */
	unsigned int flushes;
	int open_error, connect_error;
	uint64_t features;
	char owner[64];      /* of the lock; "": none */
	unsigned int broken; /* locks taken from their owner */
} fake_rbd;

/* The owner that this process is to the cluster. */
#define FAKE_RBD_SELF "client.4711"

void
fake_rbd_start(void);
/* All threads are gone, nothing is in flight. */
void
fake_rbd_stop(void);
void
fake_rbd_hold(bool hold);

#endif /* FAKE_RBD_H */
