/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * The vhost-user protocol as sent over the socket: message types, flags and payloads. Used by the
 * transport and by test clients.
 */
#ifndef VDUSE_VHOST_USER_WIRE_H
#define VDUSE_VHOST_USER_WIRE_H

#include <stdint.h>

enum msg_type {
	MSG_GET_FEATURES = 1,
	MSG_SET_FEATURES = 2,
	MSG_SET_OWNER = 3,
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
	MSG_GET_PROTOCOL_FEATURES = 15,
	MSG_SET_PROTOCOL_FEATURES = 16,
	MSG_GET_QUEUE_NUM = 17,
	MSG_SET_VRING_ENABLE = 18,
	MSG_SEND_RARP = 19,
	MSG_NET_SET_MTU = 20,
	MSG_SET_BACKEND_CHANNEL = 21,
	MSG_IOTLB = 22,
	MSG_GET_CONFIG = 24,
	MSG_SET_CONFIG = 25,
	MSG_POSTCOPY_ADVISE = 28,
	MSG_POSTCOPY_LISTEN = 29,
	MSG_POSTCOPY_END = 30,
	MSG_GET_INFLIGHT_FD = 31,
	MSG_SET_INFLIGHT_FD = 32,
	MSG_RESET_DEVICE = 34,
	MSG_GET_MAX_MEM_SLOTS = 36,
	MSG_ADD_MEM_REG = 37,
	MSG_REM_MEM_REG = 38,
	MSG_SET_STATUS = 39,
	MSG_GET_STATUS = 40,
};

/* Feature bit: the device has protocol features. */
#define MSG_F_PROTOCOL_FEATURES 30
/* Feature bit: the device marks the pages that it writes to. */
#define MSG_F_LOG_ALL 26

/* Flag of SET_VRING_ADDR: the used ring is marked at the log address of the message. */
#define MSG_VRING_F_LOG 1U

/* Bits of the protocol features. */
#define MSG_PROTOCOL_MQ              0
#define MSG_PROTOCOL_LOG_SHMFD       1
#define MSG_PROTOCOL_RARP            2
#define MSG_PROTOCOL_REPLY_ACK       3
#define MSG_PROTOCOL_NET_MTU         4
#define MSG_PROTOCOL_BACKEND_CHANNEL 5
#define MSG_PROTOCOL_PAGEFAULT       8
#define MSG_PROTOCOL_CONFIG          9
#define MSG_PROTOCOL_INFLIGHT        12
#define MSG_PROTOCOL_RESET_DEVICE    13
#define MSG_PROTOCOL_MEM_SLOTS       15
#define MSG_PROTOCOL_STATUS          16

/* Types in the payload of MSG_IOTLB and MSG_BACKEND_IOTLB. */
enum msg_iotlb_type {
	MSG_IOTLB_MISS = 1,
	MSG_IOTLB_UPDATE = 2,
	MSG_IOTLB_INVALIDATE = 3,
	MSG_IOTLB_ACCESS_FAIL = 4,
};

/* Sent by the device, on the back-end channel. */
#define MSG_BACKEND_IOTLB         1
#define MSG_BACKEND_CONFIG_CHANGE 2

#define MSG_VERSION         1U /* in the flags, with the next two bits */
#define MSG_VERSION_MASK    3U
#define MSG_FLAG_REPLY      (1U << 2)
#define MSG_FLAG_NEED_REPLY (1U << 3)

#define MSG_CONFIG_MAX 256
#define MSG_FDS_MAX    8
/* Bytes of the largest payload of any message, supported or not. */
#define MSG_PAYLOAD_MAX 1024

/* Index of the virtqueue in SET_VRING_KICK, _CALL and _ERR. */
#define MSG_VRING_INDEX 0xffU

/* A region of the driver's memory. */
struct vhost_user_memory {
	uint64_t first; /* guest physical address */
	uint64_t size;
	uint64_t user;   /* the driver's own address */
	uint64_t offset; /* in the file */
};

struct msg_config {
	uint32_t offset;
	uint32_t size;
	uint32_t flags;
	uint8_t data[MSG_CONFIG_MAX];
} __attribute__((packed));

struct msg_iotlb {
	uint64_t iova;
	uint64_t size;
	uint64_t user; /* the front end's own address */
	uint8_t perm;  /* VDUSE_ACCESS_* */
	uint8_t type;  /* enum msg_iotlb_type */
	uint8_t padding[6];
} __attribute__((packed));

union msg_payload {
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
	struct msg_iotlb iotlb;
	struct {
		uint64_t size;
		uint64_t offset;
		uint16_t nb_queues;
		uint16_t queue_size;
		uint32_t padding;
	} inflight;
	struct {
		uint64_t size;
		uint64_t offset;
	} log;
	struct {
		uint32_t nb;
		uint32_t padding;
		struct vhost_user_memory regions[MSG_FDS_MAX];
	} table;
	struct {
		uint64_t padding;
		struct vhost_user_memory region;
	} slot;
	uint8_t room[MSG_PAYLOAD_MAX];
} __attribute__((packed));

#endif /* VDUSE_VHOST_USER_WIRE_H */
