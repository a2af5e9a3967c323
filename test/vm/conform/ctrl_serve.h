/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* Serves a net device's control queue, or answers it wrongly. */
#ifndef CONFORM_CTRL_SERVE_H
#define CONFORM_CTRL_SERVE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vring_desc;
struct vring_avail;
struct vring_used;

struct ctrl_server {
	atomic_uint commands;	/* answered */
	atomic_bool stop;
	pthread_t thread;
	uint8_t *ring;
	size_t ring_size;
	uint8_t *bounce;
	size_t bounce_size;
	const struct vring_desc *desc;
	struct vring_avail *avail;	/* the driver's; who serves only reads it */
	struct vring_used *used;
	uint32_t num;
	uint16_t next;
};

/* Virtqueue `index`, which a driver of this kernel set up. */
void
ctrl_server_start(struct ctrl_server *server, int fd, uint32_t index);
/* Answers none, and writes into the ring that all were answered and that it needs no kicks. */
void
ctrl_liar_start(struct ctrl_server *server, int fd, uint32_t index);
void
ctrl_server_stop(struct ctrl_server *server);

#endif
