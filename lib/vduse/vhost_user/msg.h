/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * A message as librte_vhost hands it out, and what may become of it. librte_vhost reads the
 * socket, and does itself what concerns features; memory and virtqueues are ours. All functions
 * return an RTE_VHOST_MSG_RESULT_*; descriptors of a message that we handle are ours to close.
 */
#ifndef VDUSE_VHOST_USER_MSG_H
#define VDUSE_VHOST_USER_MSG_H

#include <stddef.h>

#include <rte_version.h>

#include <vduse/vhost_user/vhost_user.h>
#include <vduse/vhost_user/wire.h>

#define MSG_FLAG_NEED_REPLY (1U << 3)
/* Of the number that a virtqueue's descriptors come with. */
#define MSG_VRING_INDEX 0xffU

/* Bytes of the largest payload that librte_vhost has room for: an encryption session. */
#if RTE_VERSION < RTE_VERSION_NUM(25, 3, 0, 0)
#define MSG_PAYLOAD_MAX 632
#else
#define MSG_PAYLOAD_MAX 1072
#endif

/* It is declared in no header that is installed. */
struct msg {
	uint32_t type;
	uint32_t flags;
	uint32_t size;
	union {
		union msg_payload payload;
		uint8_t room[MSG_PAYLOAD_MAX];
	};
	int fds[MSG_FDS_MAX];
	int nb_fds;
} __attribute__((packed));

#define MSG_HEAD offsetof(struct msg, payload)

/* msg.c: the number of descriptors that came. */
int
vhost_user_msg_fds(const struct msg *msg);
/* The first of them, which is the caller's now; the others are closed. -1: there is none. */
int
vhost_user_msg_fd(struct msg *msg);
/* Closes them. */
void
vhost_user_msg_close(struct msg *msg);
/* Makes librte_vhost close the connection, with our line in the log already. */
int
vhost_user_msg_drop(struct msg *msg);
/* Tells a driver that asked for a reply that it was refused; else the same. */
int
vhost_user_msg_deny(struct msg *msg);
/* The same with a log line. */
int
vhost_user_msg_refuse(const struct vhost_user *vu, struct msg *msg, const char *why);
/* Answers with a number. */
int
vhost_user_msg_reply(struct msg *msg, uint64_t value);

/* msg_mem.c, msg_vring.c: NOT_HANDLED if it is not about memory, rings. */
int
vhost_user_msg_mem(struct vhost_user *vu, struct msg *msg);
int
vhost_user_msg_vring(struct vhost_user *vu, struct msg *msg);

/* name.c: what the protocol calls a message. */
const char *
vhost_user_msg_name(uint32_t type);

#endif /* VDUSE_VHOST_USER_MSG_H */
