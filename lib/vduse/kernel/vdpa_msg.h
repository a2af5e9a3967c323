/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Generic netlink messages of the vDPA bus. In flow device names and received messages, out
 * flow requests and what the messages say. Pure functions: no socket, no log, any thread.
 */
#ifndef VDUSE_VDPA_MSG_H
#define VDUSE_VDPA_MSG_H

#include <stdint.h>

#include <linux/netlink.h>

#include <vduse/kernel/netlink.h>

/* Bytes that hold any of these messages. */
#define VDUSE_VDPA_MSG_MAX 8192

/* How the kernel ended a request. */
struct vduse_vdpa_ack {
	int error;      /* 0 or a negative errno */
	char text[128]; /* what the kernel said about it; "" if nothing */
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
 * Takes what an answer to VDPA_CMD_DEV_GET or VDPA_CMD_DEV_CONFIG_GET says into info and
 * leaves the rest of info alone. 0, or -EBADMSG for attributes of a wrong size.
 */
int
vduse_vdpa_msg_info(const struct nlmsghdr *msg, struct vduse_vdpa_info *info);

/* Reads an NLMSG_ERROR message. 0, or -EBADMSG if it is too short to be one. */
int
vduse_vdpa_msg_ack(const struct nlmsghdr *msg, struct vduse_vdpa_ack *ack);

#endif /* VDUSE_VDPA_MSG_H */
