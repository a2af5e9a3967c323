/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * A device of no type over a socket, its vhost-user client, and owners of it in this process that
 * hand it over to each other.
 * Input: steps of a test. Output: the device that serves the client. Thread: the test's, except
 * handover_take_main().
 */
#ifndef HANDOVER_DEV_H
#define HANDOVER_DEV_H

#include <rte_vduse_handover.h>

#include <vduse/handover/record.h>

#include "loopback_dev.h"
#include "vhost_client.h"

#define HANDOVER_MEMORY   (16 * PAGE)
#define HANDOVER_POSITION 7
#define HANDOVER_SHORT_MS 100

struct handover_dev {
	char dir[64], path[96];
	struct loopback_dev devs[2], *now; /* now: the one that serves */
	unsigned int in_flight;            /* requests; atomic */
	int memory, client, kick, call_fd, pair[2];
	unsigned int fds_before;
	uint64_t features; /* that the client takes */
	uint64_t newer;    /* that the next owner offers besides */
	bool iommu;        /* of the next owner */
};

extern struct handover_dev over;

/* One that takes the device as the next one. */
struct handover_taker {
	int socket;
	int result;
};

/* A device that serves, and a client that has set up nothing. */
int
handover_setup_split(void **state);

int
handover_setup_packed(void **state);

/* A feature that only a newer build offers. */
#define HANDOVER_NEWER (UINT64_C(1) << 5)

/* With an owner that offers it. */
int
handover_setup_newer_split(void **state);

int
handover_setup_newer_packed(void **state);

int
handover_teardown(void **state);

/* Sets up: virtqueue 0 runs, 1 is not enabled, 2 is not kicked. */
void
handover_client_up(void);

void
handover_send_fd(uint32_t type, uint64_t value, int fd);

uint64_t
handover_ask(uint32_t type, uint64_t value);

/* The position that the client gets, and the one that it expects. */
uint32_t
handover_base(uint16_t index);

uint32_t
handover_base_of(uint32_t position);

void
handover_new_pair(void);

/* Begins to give at pair[0], in a thread; and what came of it. */
void
handover_give(unsigned int ms);

int
handover_given(void);

struct loopback_dev *
handover_next_dev(void);

/* Takes from a socket; what start returned. */
int
handover_take(int socket, struct loopback_dev *to);

/* A thread that takes; arg: struct handover_taker. */
void *
handover_take_main(void *arg);

/* Receives at pair[1] until the device is to be prepared. */
void
handover_await_prepared(void);

/* Passes so many records on; -1: until YOURS. Returns the type of the last one, or 0: none. */
uint32_t
handover_relay(int from, int to, int nb);

/* A whole handover. */
void
handover_do(void);

/* The client is served by the same connection, kicks and calls arrive, and the others rest. */
void
handover_check(void);

#endif /* HANDOVER_DEV_H */
