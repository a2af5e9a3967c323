/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * A vhost-user client of a device in this process: single messages, right or wrong, and a ring that
 * runs. Whatever goes wrong with the socket fails the test.
 */
#ifndef VHOST_CLIENT_H
#define VHOST_CLIENT_H

#include <vduse/vhost_user/vhost_user.h>

#include "loopback_dev.h"

/* Where the client has its memory in its own addresses. */
#define VHOST_CLIENT_USER UINT64_C(0x7f0000000000)
/* Descriptors of a ring. */
#define VHOST_CLIENT_RING 8

/* Connects to a path. The socket, which the caller closes, waits no longer than UNIT_PATIENCE_MS. */
int
vhost_client_connect(const char *path);

/* A message with a number. */
struct vhost_user_msg
vhost_client_msg(uint32_t type, uint64_t value, uint32_t size, bool need_reply);

/* Sends a message with so many times the descriptor. */
void
vhost_client_send(int fd, const struct vhost_user_msg *msg, unsigned int nb_fds, int with);

/* Reads the number in the answer to a message. */
uint64_t
vhost_client_answer(int fd, uint32_t type);

/* Sends a message with a number and reads the number in its answer. */
uint64_t
vhost_client_ask(int fd, uint32_t type, uint64_t value, uint32_t size, bool need_reply);

/* The device has dropped the client; closes the socket. */
void
vhost_client_dropped(int fd);

/* A table of one region of driver memory, at the addresses from VHOST_CLIENT_USER on. */
struct vhost_user_msg
vhost_client_table(uint64_t first, uint64_t size, bool need_reply);

/* The same region as a message of its own: MSG_ADD_MEM_REG or MSG_REM_MEM_REG. */
struct vhost_user_msg
vhost_client_slot(uint32_t type, uint64_t first, uint64_t size);

/*
 * Sets up a ring in the page at first, from a position on, and enables it. Features and memory
 * were there before.
 */
void
vhost_client_ring(int fd, uint16_t index, uint64_t first, uint32_t position);

/*
 * The driver makes a chain of one buffer available in that ring, which is at page in this process, after
 * nb others.
 */
void
vhost_client_post(uint8_t *page, uint16_t nb, uint64_t iova, uint32_t len, uint16_t flags);

#endif /* VHOST_CLIENT_H */
