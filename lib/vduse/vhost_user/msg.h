/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Handlers of vhost-user messages. A handler is called with a message of at least the size, and at
 * most the number of descriptors, that its type has. It returns MSG_DONE, MSG_ANSWER or a negative
 * errno:
 *
 * -EINPROGRESS: the message has to wait for requests in flight. The handler changed nothing and is
 *   called with the same message again.
 * -ECONNABORTED: the client is dropped; the log says why.
 * another: the message is refused; the log says why. A client that asked for a reply gets one and
 *   stays, any other is dropped.
 *
 * A descriptor belongs to its message until a handler takes it and sets fds[] to -1.
 * Thread: control.
 */
#ifndef VDUSE_VHOST_USER_MSG_H
#define VDUSE_VHOST_USER_MSG_H

#include <stddef.h>

#include <vduse/vhost_user/vhost_user.h>

#define MSG_DONE   0
#define MSG_ANSWER 1 /* send the message back: its payload is the reply */

/* msg.c: calls the handler, replies, and closes the descriptors left. Returns as a handler. */
int
vhost_user_msg_handle(struct vhost_user *vu, struct vhost_user_msg *msg);
/* Logs why a message is refused and returns -EPROTO. */
int
vhost_user_msg_refuse(const struct vhost_user *vu, const struct vhost_user_msg *msg,
		      const char *why);
/* Logs why the client is dropped and returns -ECONNABORTED. */
int
vhost_user_msg_drop(const struct vhost_user *vu, const char *why);
/* Makes a number the payload of the reply and returns MSG_ANSWER. */
int
vhost_user_msg_number(struct vhost_user_msg *msg, uint64_t value);
/* Name of a message in the protocol. */
const char *
vhost_user_msg_name(uint32_t type);

typedef int (*vhost_user_handler_t)(struct vhost_user *vu, struct vhost_user_msg *msg);

/* msg_dev.c: the features that the client is offered, those of the protocol included. */
uint64_t
vhost_user_msg_features(const struct vhost_user *vu);
/* msg_dev.c: the device as a whole. */
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
vhost_user_msg_rarp(struct vhost_user *vu, struct vhost_user_msg *msg);
int
vhost_user_msg_mtu(struct vhost_user *vu, struct vhost_user_msg *msg);
int
vhost_user_msg_channel(struct vhost_user *vu, struct vhost_user_msg *msg);

/* msg_config.c: configuration space and inflight buffer. */
int
vhost_user_msg_get_config(struct vhost_user *vu, struct vhost_user_msg *msg);
int
vhost_user_msg_set_config(struct vhost_user *vu, struct vhost_user_msg *msg);
int
vhost_user_msg_get_inflight(struct vhost_user *vu, struct vhost_user_msg *msg);
int
vhost_user_msg_set_inflight(struct vhost_user *vu, struct vhost_user_msg *msg);

/* msg_iotlb.c: translations of a driver behind an IOMMU. */
int
vhost_user_msg_iotlb(struct vhost_user *vu, struct vhost_user_msg *msg);

/* msg_log.c: the dirty log. */
int
vhost_user_msg_log_base(struct vhost_user *vu, struct vhost_user_msg *msg);

/* msg_mem.c: the device goes on with changed memory. Then no poller uses an old address. */
void
vhost_user_msg_remap(struct vhost_user *vu);
/* msg_mem.c: memory regions. */
int
vhost_user_msg_mem_table(struct vhost_user *vu, struct vhost_user_msg *msg);
int
vhost_user_msg_mem_slots(struct vhost_user *vu, struct vhost_user_msg *msg);
int
vhost_user_msg_mem_add(struct vhost_user *vu, struct vhost_user_msg *msg);
int
vhost_user_msg_mem_remove(struct vhost_user *vu, struct vhost_user_msg *msg);

/* msg_postcopy.c: post-copy. */
int
vhost_user_msg_postcopy_advise(struct vhost_user *vu, struct vhost_user_msg *msg);
int
vhost_user_msg_postcopy_listen(struct vhost_user *vu, struct vhost_user_msg *msg);
int
vhost_user_msg_postcopy_end(struct vhost_user *vu, struct vhost_user_msg *msg);
/* Answers a message that changed memory with the addresses at which this process waits for pages. */
int
vhost_user_msg_postcopy_memory(struct vhost_user *vu, struct vhost_user_msg *msg);
/*
 * Whether it is the confirmation of those, which has no type of its own: that of the message before, or
 * 0, and a number.
 */
bool
vhost_user_msg_is_postcopy_go(const struct vhost_user *vu, const struct vhost_user_msg *msg);
int
vhost_user_msg_postcopy_go(struct vhost_user *vu, struct vhost_user_msg *msg);

/* msg_vring.c: virtqueues. vring_set handles every message that changes a ring. */
int
vhost_user_msg_vring_set(struct vhost_user *vu, struct vhost_user_msg *msg);
int
vhost_user_msg_vring_get_base(struct vhost_user *vu, struct vhost_user_msg *msg);
int
vhost_user_msg_vring_call(struct vhost_user *vu, struct vhost_user_msg *msg);

#endif /* VDUSE_VHOST_USER_MSG_H */
