/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Dispatches vhost-user messages to their handlers and replies.
 * Input: a complete message. Output: the handler's result, and a reply if the client asked for one.
 * Thread: control.
 */
#include <errno.h>
#include <string.h>

#include <rte_common.h>

#include <vduse/core/device.h>
#include <vduse/core/log.h>
#include <vduse/vhost_user/msg.h>

struct msg_kind {
	const char *name;
	uint16_t size;               /* smallest payload */
	uint8_t nb_fds;              /* largest number of descriptors */
	bool asks;                   /* it has a reply of its own */
	vhost_user_handler_t handle; /* NULL: belongs to a feature that is not offered */
};

#define PAYLOAD(field) sizeof(((union msg_payload *)NULL)->field)

/*
 * Needs no action: SET_OWNER, because one client at a time is served; SET_VRING_ERR, because errors
 * are reported by GET_STATUS; SET_LOG_FD, because front ends look at the log by themselves.
 */
static int
msg_accept(struct vhost_user *vu, struct vhost_user_msg *msg)
{
	RTE_SET_USED(vu);
	RTE_SET_USED(msg);
	return MSG_DONE;
}

static const struct msg_kind kinds[] = {
	[MSG_GET_FEATURES] = { "GET_FEATURES", 0, 0, true, vhost_user_msg_get_features },
	[MSG_SET_FEATURES] = { "SET_FEATURES", PAYLOAD(u64), 0, false,
			       vhost_user_msg_set_features },
	[MSG_SET_OWNER] = { "SET_OWNER", 0, 0, false, msg_accept },
	[MSG_RESET_OWNER] = { "RESET_OWNER", 0, 0, false, vhost_user_msg_reset },
	[MSG_SET_MEM_TABLE] = { "SET_MEM_TABLE", offsetof(union msg_payload, table.regions),
				MSG_FDS_MAX, false, vhost_user_msg_mem_table },
	[MSG_SET_LOG_BASE] = { "SET_LOG_BASE", PAYLOAD(log), 1, true, vhost_user_msg_log_base },
	[MSG_SET_LOG_FD] = { "SET_LOG_FD", 0, 1, false, msg_accept },
	[MSG_SET_VRING_NUM] = { "SET_VRING_NUM", PAYLOAD(vring), 0, false,
				vhost_user_msg_vring_set },
	[MSG_SET_VRING_ADDR] = { "SET_VRING_ADDR", PAYLOAD(addresses), 0, false,
				 vhost_user_msg_vring_set },
	[MSG_SET_VRING_BASE] = { "SET_VRING_BASE", PAYLOAD(vring), 0, false,
				 vhost_user_msg_vring_set },
	[MSG_GET_VRING_BASE] = { "GET_VRING_BASE", PAYLOAD(vring), 0, true,
				 vhost_user_msg_vring_get_base },
	[MSG_SET_VRING_KICK] = { "SET_VRING_KICK", PAYLOAD(u64), 1, false,
				 vhost_user_msg_vring_set },
	[MSG_SET_VRING_CALL] = { "SET_VRING_CALL", PAYLOAD(u64), 1, false,
				 vhost_user_msg_vring_call },
	[MSG_SET_VRING_ERR] = { "SET_VRING_ERR", PAYLOAD(u64), 1, false, msg_accept },
	[MSG_GET_PROTOCOL_FEATURES] = { "GET_PROTOCOL_FEATURES", 0, 0, true,
					vhost_user_msg_get_protocol },
	[MSG_SET_PROTOCOL_FEATURES] = { "SET_PROTOCOL_FEATURES", PAYLOAD(u64), 0, false,
					vhost_user_msg_set_protocol },
	[MSG_GET_QUEUE_NUM] = { "GET_QUEUE_NUM", 0, 0, true, vhost_user_msg_queue_num },
	[MSG_SET_VRING_ENABLE] = { "SET_VRING_ENABLE", PAYLOAD(vring), 0, false,
				   vhost_user_msg_vring_set },
	[MSG_SEND_RARP] = { "SEND_RARP", PAYLOAD(u64), 0, false, vhost_user_msg_rarp },
	[MSG_NET_SET_MTU] = { "NET_SET_MTU", PAYLOAD(u64), 0, false, vhost_user_msg_mtu },
	[MSG_SET_BACKEND_CHANNEL] = { "SET_BACKEND_REQ_FD", 0, 1, false, vhost_user_msg_channel },
	[MSG_IOTLB] = { "IOTLB", offsetof(struct msg_iotlb, padding), 0, false,
			vhost_user_msg_iotlb },
	[MSG_GET_CONFIG] = { "GET_CONFIG", offsetof(struct msg_config, data), 0, true,
			     vhost_user_msg_get_config },
	[MSG_SET_CONFIG] = { "SET_CONFIG", offsetof(struct msg_config, data), 0, false,
			     vhost_user_msg_set_config },
	[MSG_POSTCOPY_ADVISE] = { "POSTCOPY_ADVISE", 0, 0, true, vhost_user_msg_postcopy_advise },
	[MSG_POSTCOPY_LISTEN] = { "POSTCOPY_LISTEN", 0, 0, false, vhost_user_msg_postcopy_listen },
	[MSG_POSTCOPY_END] = { "POSTCOPY_END", 0, 0, false, vhost_user_msg_postcopy_end },
	[MSG_GET_INFLIGHT_FD] = { "GET_INFLIGHT_FD", 0, 0, true, vhost_user_msg_get_inflight },
	[MSG_SET_INFLIGHT_FD] = { "SET_INFLIGHT_FD", 0, MSG_FDS_MAX, false,
				  vhost_user_msg_set_inflight },
	[MSG_RESET_DEVICE] = { "RESET_DEVICE", 0, 0, false, vhost_user_msg_reset },
	[MSG_GET_MAX_MEM_SLOTS] = { "GET_MAX_MEM_SLOTS", 0, 0, true, vhost_user_msg_mem_slots },
	[MSG_ADD_MEM_REG] = { "ADD_MEM_REG", PAYLOAD(slot), 1, false, vhost_user_msg_mem_add },
	/* Some drivers send the region's file too; it is ignored. */
	[MSG_REM_MEM_REG] = { "REM_MEM_REG", PAYLOAD(slot), 1, false, vhost_user_msg_mem_remove },
	[MSG_SET_STATUS] = { "SET_STATUS", PAYLOAD(u64), 0, false, vhost_user_msg_set_status },
	[MSG_GET_STATUS] = { "GET_STATUS", 0, 0, true, vhost_user_msg_get_status },
};

/* NULL: unknown message. */
static const struct msg_kind *
msg_kind(uint32_t type)
{
	return type < RTE_DIM(kinds) && kinds[type].name != NULL ? &kinds[type] : NULL;
}

const char *
vhost_user_msg_name(uint32_t type)
{
	const struct msg_kind *kind = msg_kind(type);

	return kind == NULL ? "unknown" : kind->name;
}

int
vhost_user_msg_refuse(const struct vhost_user *vu, const struct vhost_user_msg *msg,
		      const char *why)
{
	const struct msg_kind *kind = msg_kind(msg->type);
	bool stays = (msg->flags & MSG_FLAG_NEED_REPLY) && (kind == NULL || !kind->asks);

	VDUSE_LOG_DRIVER(vu->dev, msg, ERR, "%s: message %u (%s) %s",
			 stays ? "refused" : "client dropped", msg->type,
			 vhost_user_msg_name(msg->type), why);
	return -EPROTO;
}

int
vhost_user_msg_drop(const struct vhost_user *vu, const char *why)
{
	VDUSE_LOG_DRIVER(vu->dev, msg, ERR, "client dropped: %s", why);
	return -ECONNABORTED;
}

int
vhost_user_msg_number(struct vhost_user_msg *msg, uint64_t value)
{
	msg->payload.u64 = value;
	msg->size = sizeof(msg->payload.u64);
	return MSG_ANSWER;
}

static int
msg_reply(const struct vhost_user *vu, struct vhost_user_msg *msg)
{
	int ret;

	msg->flags = MSG_VERSION | MSG_FLAG_REPLY;
	ret = vhost_user_send(vu, msg);
	msg->nb_fds = 0; /* the descriptor of a reply stays the device's */
	if (ret == -EAGAIN)
		return vhost_user_msg_drop(vu, "it reads no replies");
	/* Any other failure: the client hung up, which the next read reports. */
	return 0;
}

int
vhost_user_msg_handle(struct vhost_user *vu, struct vhost_user_msg *msg)
{
	const struct msg_kind *kind = msg_kind(msg->type);
	bool asks = kind != NULL && kind->asks;
	int ret;

	if (vhost_user_msg_is_postcopy_go(vu, msg))
		ret = vhost_user_msg_postcopy_go(vu, msg);
	else if (kind == NULL)
		ret = vhost_user_msg_refuse(vu, msg, "is none that is known");
	else if (kind->handle == NULL)
		ret = vhost_user_msg_refuse(vu, msg, "belongs to a feature that is not offered");
	else if (msg->size < kind->size || msg->nb_fds > kind->nb_fds)
		ret = vhost_user_msg_refuse(vu, msg, "is malformed");
	else
		ret = kind->handle(vu, msg);
	if (ret == -EINPROGRESS)
		return ret;
	/*
	 * A message with a reply of its own gets no error code: the driver would take it for the
	 * value that it asked for.
	 */
	if (ret != MSG_ANSWER && (msg->flags & MSG_FLAG_NEED_REPLY) && !asks &&
	    ret != -ECONNABORTED) {
		vhost_user_msg_close(vu, msg);
		ret = vhost_user_msg_number(msg, ret < 0);
	}
	if (ret == MSG_ANSWER)
		ret = msg_reply(vu, msg);
	vhost_user_msg_close(vu, msg);
	return ret;
}
