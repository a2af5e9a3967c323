/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Generic netlink messages of the vDPA bus. Pure functions: no socket, no log.
 * Input: names of devices, received messages. Output: requests, and the contents of messages.
 * Thread: any.
 */
#ifndef VDUSE_VDPA_MSG_H
#define VDUSE_VDPA_MSG_H

#include <stdint.h>

#include <linux/netlink.h>

#include <vduse/kernel/netlink.h>

/* Bytes that hold any of these messages. */
#define VDUSE_VDPA_MSG_MAX 8192

/* The kernel's acknowledgement of a request. */
struct vduse_vdpa_ack {
	int error;      /* 0 or a negative errno */
	char text[128]; /* the kernel's message on the error; may be "" */
};

/* Writes the request for the number of the "vdpa" family to buf (VDUSE_VDPA_MSG_MAX bytes). */
struct nlmsghdr *
vduse_vdpa_msg_family(void *buf, uint32_t seq);

/* Finds the family's number in the answer. 0, or -ENOENT if it is not there. */
int
vduse_vdpa_msg_family_id(const struct nlmsghdr *msg, uint16_t *family);

/*
 * Writes a request about the device name to buf. For VDPA_CMD_DEV_NEW it names the VDUSE
 * management device as well.
 */
struct nlmsghdr *
vduse_vdpa_msg_request(void *buf, uint32_t seq, uint16_t family, uint8_t command, const char *name);

/*
 * Stores the attributes of an answer to VDPA_CMD_DEV_GET or VDPA_CMD_DEV_CONFIG_GET in info and
 * leaves its other fields unchanged. Returns 0, or -EBADMSG for attributes of a wrong size.
 */
int
vduse_vdpa_msg_info(const struct nlmsghdr *msg, struct vduse_vdpa_info *info);

/* Reads an NLMSG_ERROR message. 0, or -EBADMSG if it is too short to be one. */
int
vduse_vdpa_msg_ack(const struct nlmsghdr *msg, struct vduse_vdpa_ack *ack);

#endif /* VDUSE_VDPA_MSG_H */
