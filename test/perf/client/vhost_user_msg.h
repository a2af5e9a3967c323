/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* Messages of the vhost-user protocol. Each function ends the process when it fails. */
#ifndef CLIENT_VHOST_USER_MSG_H
#define CLIENT_VHOST_USER_MSG_H

#include <stddef.h>
#include <stdint.h>

#include <vduse/vhost_user/wire.h>

struct client_msg {
	uint32_t request;
	uint32_t flags;
	uint32_t size;
	union msg_payload payload;
} __attribute__((packed));

#define CLIENT_MSG_HEAD offsetof(struct client_msg, payload)

/* Connects to a socket. */
int
client_msg_connect(const char *path);

/* Sends a message, with a file unless fd is -1. */
void
client_msg_send(int sock, struct client_msg *msg, int fd);
/* The same with several files, MSG_FDS_MAX at most. */
void
client_msg_send_files(int sock, struct client_msg *msg, const int *fds, unsigned int nb);
/* Waits for the answer, which replaces the message. */
void
client_msg_ask(int sock, struct client_msg *msg);
/* Waits for the answer to a message that was sent already; it replaces the message. */
void
client_msg_answer(int sock, struct client_msg *msg);

/* A message without a payload, or with size bytes of zeroes, whose answer is a number. */
uint64_t
client_msg_get(int sock, uint32_t request, uint32_t size);
/* A message with a number, and a file unless fd is -1. */
void
client_msg_set(int sock, uint32_t request, uint64_t value, int fd);
/* A message with a number for one virtqueue. */
void
client_msg_vring(int sock, uint32_t request, uint32_t index, uint32_t num);

#endif /* CLIENT_VHOST_USER_MSG_H */
