/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Builds and parses generic netlink messages of the vDPA bus. Sends nothing.
 * Input: names, received messages. Output: requests, structures.
 * Thread: any.
 */
#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <linux/vdpa.h>

#include <rte_common.h>
#include <rte_string_fns.h>

#include <vduse/kernel/vdpa_msg.h>

/* Attributes after this one were renumbered between Linux 6.1 and 6.2: do not use them. */
static_assert(VDPA_ATTR_DEV_FEATURES == 20, "linux/vdpa.h differs from the kernel's");

/* The management device for VDUSE devices. It is on no bus. */
#define VDPA_MSG_MGMTDEV "vduse"

/* An attribute: how it is checked, and where its value is stored in struct vduse_vdpa_info. */
struct vdpa_msg_attr {
	enum mnl_attr_data_type type;
	size_t offset;
	size_t size;
};

static struct nlmsghdr *
vdpa_msg_put(void *buf, uint32_t seq, uint16_t family, uint8_t command, uint8_t version)
{
	struct nlmsghdr *msg = mnl_nlmsg_put_header(buf);
	struct genlmsghdr *genl;

	msg->nlmsg_type = family;
	msg->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	msg->nlmsg_seq = seq;
	genl = mnl_nlmsg_put_extra_header(msg, sizeof(*genl));
	genl->cmd = command;
	genl->version = version;
	return msg;
}

struct nlmsghdr *
vduse_vdpa_msg_family(void *buf, uint32_t seq)
{
	struct nlmsghdr *msg = vdpa_msg_put(buf, seq, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 1);

	mnl_attr_put_strz(msg, CTRL_ATTR_FAMILY_NAME, VDPA_GENL_NAME);
	return msg;
}

static bool
vdpa_msg_is_genl(const struct nlmsghdr *msg)
{
	return mnl_nlmsg_get_payload_len(msg) >= sizeof(struct genlmsghdr);
}

int
vduse_vdpa_msg_family_id(const struct nlmsghdr *msg, uint16_t *family)
{
	const struct nlattr *attr;

	if (!vdpa_msg_is_genl(msg))
		return -ENOENT;
	mnl_attr_for_each(attr, msg, sizeof(struct genlmsghdr)) {
		if (mnl_attr_get_type(attr) != CTRL_ATTR_FAMILY_ID)
			continue;
		if (mnl_attr_validate(attr, MNL_TYPE_U16) < 0)
			return -ENOENT;
		*family = mnl_attr_get_u16(attr);
		return 0;
	}
	return -ENOENT;
}

struct nlmsghdr *
vduse_vdpa_msg_request(void *buf, uint32_t seq, uint16_t family, uint8_t command, const char *name)
{
	struct nlmsghdr *msg = vdpa_msg_put(buf, seq, family, command, VDPA_GENL_VERSION);

	mnl_attr_put_strz(msg, VDPA_ATTR_DEV_NAME, name);
	if (command == VDPA_CMD_DEV_NEW)
		mnl_attr_put_strz(msg, VDPA_ATTR_MGMTDEV_DEV_NAME, VDPA_MSG_MGMTDEV);
	return msg;
}

#define VDPA_MSG_ATTR(mnl_type, field)                                                             \
	{                                                                                          \
		.type = mnl_type, .offset = offsetof(struct vduse_vdpa_info, field),               \
		.size = sizeof(((struct vduse_vdpa_info *)0)->field)                               \
	}

static const struct vdpa_msg_attr vdpa_msg_attrs[] = {
	[VDPA_ATTR_DEV_ID] = VDPA_MSG_ATTR(MNL_TYPE_U32, device_id),
	[VDPA_ATTR_DEV_MAX_VQS] = VDPA_MSG_ATTR(MNL_TYPE_U32, max_vqs),
	[VDPA_ATTR_DEV_MAX_VQ_SIZE] = VDPA_MSG_ATTR(MNL_TYPE_U16, max_vq_size),
	[VDPA_ATTR_DEV_FEATURES] = VDPA_MSG_ATTR(MNL_TYPE_U64, features),
};

int
vduse_vdpa_msg_info(const struct nlmsghdr *msg, struct vduse_vdpa_info *info)
{
	const struct nlattr *attr;

	if (!vdpa_msg_is_genl(msg))
		return -EBADMSG;
	mnl_attr_for_each(attr, msg, sizeof(struct genlmsghdr)) {
		uint16_t type = mnl_attr_get_type(attr);
		const struct vdpa_msg_attr *known;

		if (type >= RTE_DIM(vdpa_msg_attrs) || vdpa_msg_attrs[type].size == 0)
			continue;
		known = &vdpa_msg_attrs[type];
		if (mnl_attr_validate(attr, known->type) < 0)
			return -EBADMSG;
		memcpy((char *)info + known->offset, mnl_attr_get_payload(attr), known->size);
	}
	return 0;
}

int
vduse_vdpa_msg_ack(const struct nlmsghdr *msg, struct vduse_vdpa_ack *ack)
{
	const struct nlmsgerr *error = mnl_nlmsg_get_payload(msg);
	size_t offset = sizeof(*error);
	const struct nlattr *attr;

	if (mnl_nlmsg_get_payload_len(msg) < sizeof(*error))
		return -EBADMSG;
	ack->error = error->error > 0 ? -EBADMSG : error->error;
	ack->text[0] = '\0';
	/* The attributes follow the request, if the kernel repeats it. */
	if (!(msg->nlmsg_flags & NLM_F_CAPPED) && error->msg.nlmsg_len > NLMSG_HDRLEN)
		offset += error->msg.nlmsg_len - NLMSG_HDRLEN;
	if (!(msg->nlmsg_flags & NLM_F_ACK_TLVS) || offset >= mnl_nlmsg_get_payload_len(msg))
		return 0;
	mnl_attr_for_each(attr, msg, offset) {
		if (mnl_attr_get_type(attr) == NLMSGERR_ATTR_MSG &&
		    mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) == 0)
			rte_strlcpy(ack->text, mnl_attr_get_str(attr), sizeof(ack->text));
	}
	return 0;
}
