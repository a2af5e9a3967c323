/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * A message of a vhost-user client, and what becomes of it. Handlers are called on the control
 * thread with a message whose size and number of descriptors are those that its type needs. They
 * return MSG_DONE, MSG_ANSWER, or a negative errno:
 *
 * -EINPROGRESS: requests are in flight that the message has to wait for. Nothing was changed; the
 *   handler is called with the same message again.
 * -ECONNABORTED: the client is dropped; the log says why.
 * another: the message is refused; the log says why. A client that asked for a reply is told and
 *   goes on, any other one is dropped.
 *
 * A descriptor belongs to its message until a handler takes it and sets fds[] to -1.
 */
#ifndef VDUSE_VHOST_USER_MSG_H
#define VDUSE_VHOST_USER_MSG_H

#include <stddef.h>

#include <vduse/vhost_user/vhost_user.h>

#define MSG_DONE   0
#define MSG_ANSWER 1 /* its payload is the answer */

/* msg.c: handles it, replies, and closes what is left of its descriptors. Returns as above. */
int
vhost_user_msg_handle(struct vhost_user *vu, struct vhost_user_msg *msg);
/* Says that a message is refused and why; -EPROTO. */
int
vhost_user_msg_refuse(const struct vhost_user *vu, const struct vhost_user_msg *msg,
		      const char *why);
/* Says that the client is dropped and why; -ECONNABORTED. */
int
vhost_user_msg_drop(const struct vhost_user *vu, const char *why);
/* Answers with a number. */
int
vhost_user_msg_number(struct vhost_user_msg *msg, uint64_t value);
/* What the protocol calls a message. */
const char *
vhost_user_msg_name(uint32_t type);

typedef int (*vhost_user_handler_t)(struct vhost_user *vu, struct vhost_user_msg *msg);

/* msg_dev.c: of the device as a whole. */
int
vhost_user_msg_get_features(struct vhost_user *vu, struct vhost_user_msg *msg);
int
vhost_user_msg_set_features(struct vhost_user *vu, struct vhost_user_msg *msg);
int
vhost_user_msg_get_protocol(struct vhost_user *vu, struct vhost_user_msg *msg);
int
vhost_user_msg_set_protocol(struct vhost_user *vu, struct vhost_user_msg *msg);
int
vhost_user_msg_reset(struct vhost_user *vu, struct vhost_user_msg *msg);
int
vhost_user_msg_get_status(struct vhost_user *vu, struct vhost_user_msg *msg);
int
vhost_user_msg_set_status(struct vhost_user *vu, struct vhost_user_msg *msg);
int
vhost_user_msg_queue_num(struct vhost_user *vu, struct vhost_user_msg *msg);
int
vhost_user_msg_mtu(struct vhost_user *vu, struct vhost_user_msg *msg);
int
vhost_user_msg_channel(struct vhost_user *vu, struct vhost_user_msg *msg);

/* msg_config.c: of the configuration space, and of the memory that a client keeps. */
int
vhost_user_msg_get_config(struct vhost_user *vu, struct vhost_user_msg *msg);
int
vhost_user_msg_set_config(struct vhost_user *vu, struct vhost_user_msg *msg);
int
vhost_user_msg_get_inflight(struct vhost_user *vu, struct vhost_user_msg *msg);
int
vhost_user_msg_set_inflight(struct vhost_user *vu, struct vhost_user_msg *msg);

/* msg_mem.c: of its memory. */
int
vhost_user_msg_mem_table(struct vhost_user *vu, struct vhost_user_msg *msg);
int
vhost_user_msg_mem_slots(struct vhost_user *vu, struct vhost_user_msg *msg);
int
vhost_user_msg_mem_add(struct vhost_user *vu, struct vhost_user_msg *msg);
int
vhost_user_msg_mem_remove(struct vhost_user *vu, struct vhost_user_msg *msg);

/* msg_vring.c: of its virtqueues. The first one handles each message that changes a ring. */
int
vhost_user_msg_vring_set(struct vhost_user *vu, struct vhost_user_msg *msg);
int
vhost_user_msg_vring_get_base(struct vhost_user *vu, struct vhost_user_msg *msg);
int
vhost_user_msg_vring_call(struct vhost_user *vu, struct vhost_user_msg *msg);

#endif /* VDUSE_VHOST_USER_MSG_H */
