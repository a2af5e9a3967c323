/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A message as librte_vhost hands it out, and what may become of it. librte_vhost reads the
 * socket, and does itself what concerns features; memory and virtqueues are ours. All functions
 * return an RTE_VHOST_MSG_RESULT_*; descriptors of a message that we handle are ours to close.
 */
#ifndef VDUSE_VHOST_USER_MSG_H
#define VDUSE_VHOST_USER_MSG_H

#include <stddef.h>

#include <rte_version.h>

#include "vhost_user.h"

/* librte_vhost handles messages whose feature was not negotiated, so the refused ones are here. */
enum msg_type {
	MSG_SET_FEATURES = 2,
	MSG_RESET_OWNER = 4,
	MSG_SET_MEM_TABLE = 5,
	MSG_SET_LOG_BASE = 6,
	MSG_SET_LOG_FD = 7,
	MSG_SET_VRING_NUM = 8,
	MSG_SET_VRING_ADDR = 9,
	MSG_SET_VRING_BASE = 10,
	MSG_GET_VRING_BASE = 11,
	MSG_SET_VRING_KICK = 12,
	MSG_SET_VRING_CALL = 13,
	MSG_SET_VRING_ERR = 14,
	MSG_GET_QUEUE_NUM = 17,
	MSG_SET_VRING_ENABLE = 18,
	MSG_SET_BACKEND_CHANNEL = 21,
	MSG_IOTLB = 22,
	MSG_GET_CONFIG = 24,
	MSG_SET_CONFIG = 25,
	MSG_POSTCOPY_ADVISE = 28,
	MSG_POSTCOPY_LISTEN = 29,
	MSG_POSTCOPY_END = 30,
	MSG_GET_INFLIGHT_FD = 31,
	MSG_SET_INFLIGHT_FD = 32,
	MSG_GET_MAX_MEM_SLOTS = 36,
	MSG_ADD_MEM_REG = 37,
	MSG_REM_MEM_REG = 38,
};

#define MSG_FLAG_NEED_REPLY (1U << 3)
/* Of the number that a virtqueue's descriptors come with. */
#define MSG_VRING_INDEX	    0xffU
#define MSG_CONFIG_MAX	    256

/* Bytes of the largest payload that librte_vhost has room for: an encryption session. */
#if RTE_VERSION < RTE_VERSION_NUM(25, 3, 0, 0)
#define MSG_PAYLOAD_MAX 632
#else
#define MSG_PAYLOAD_MAX 1072
#endif
#define MSG_FDS_MAX 8

struct msg_config {
	uint32_t offset;
	uint32_t size;
	uint32_t flags;
	uint8_t data[MSG_CONFIG_MAX];
} __attribute__((packed));

/* It is declared in no header that is installed. */
struct msg {
	uint32_t type;
	uint32_t flags;
	uint32_t size;
	union {
		uint64_t u64;
		struct {
			uint32_t index;
			uint32_t num;
		} vring;
		struct {
			uint32_t index;
			uint32_t flags;
			uint64_t desc;
			uint64_t device;
			uint64_t driver;
			uint64_t log;
		} addresses;
		struct msg_config config;
		struct {
			uint64_t size;
			uint64_t offset;
			uint16_t nb_queues;
			uint16_t queue_size;
			uint32_t padding;
		} inflight;
		struct {
			uint32_t nb;
			uint32_t padding;
			struct vhost_user_memory regions[MSG_FDS_MAX];
		} table;
		struct {
			uint64_t padding;
			struct vhost_user_memory region;
		} slot;
		uint8_t bytes[MSG_PAYLOAD_MAX];
	} payload;
	int fds[MSG_FDS_MAX];
	int nb_fds;
} __attribute__((packed));

#define MSG_HEAD offsetof(struct msg, payload)

/* vhost_user_msg.c: the number of descriptors that came. */
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
/* The same with a log line. */
int
vhost_user_msg_refuse(const struct vhost_user *vu, struct msg *msg, const char *why);
/* Answers with a number. */
int
vhost_user_msg_reply(struct msg *msg, uint64_t value);

/* vhost_user_msg_mem.c, vhost_user_msg_vring.c: NOT_HANDLED if it is not about memory, rings. */
int
vhost_user_msg_mem(struct vhost_user *vu, struct msg *msg);
int
vhost_user_msg_vring(struct vhost_user *vu, struct msg *msg);

#endif /* VDUSE_VHOST_USER_MSG_H */
