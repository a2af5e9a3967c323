/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Messages of a vhost-user driver, before and after librte_vhost handles them. In flows a
 * message, out flows an answer that is ours to give, a refusal, or what changed for the device.
 * librte_vhost's thread; everything in a message is hostile.
 */
#include <string.h>
#include <unistd.h>

#include <vduse/core/device.h>
#include <vduse/core/log.h>
#include <vduse/vhost_user/msg.h>

int
vhost_user_msg_fds(const struct msg *msg)
{
	return RTE_MIN(msg->nb_fds, MSG_FDS_MAX);
}

void
vhost_user_msg_close(struct msg *msg)
{
	int i;

	for (i = 0; i < vhost_user_msg_fds(msg); i++)
		vhost_user_file_close(msg->fds[i]);
	msg->nb_fds = 0;
}

int
vhost_user_msg_fd(struct msg *msg)
{
	int fd = -1;

	if (vhost_user_msg_fds(msg) > 0) {
		fd = msg->fds[0];
		msg->fds[0] = -1;
	}
	vhost_user_msg_close(msg);
	return fd;
}

/* With a reply asked for it would only say no. */
int
vhost_user_msg_drop(struct msg *msg)
{
	vhost_user_msg_close(msg);
	msg->flags &= ~MSG_FLAG_NEED_REPLY;
	return RTE_VHOST_MSG_RESULT_ERR;
}

/* A driver that asked for a reply to a message without one of its own is told, and goes on. */
int
vhost_user_msg_deny(struct msg *msg)
{
	vhost_user_msg_close(msg);
	return RTE_VHOST_MSG_RESULT_ERR;
}

int
vhost_user_msg_refuse(const struct vhost_user *vu, struct msg *msg, const char *why)
{
	bool stays = msg->flags & MSG_FLAG_NEED_REPLY;

	VDUSE_LOG_DRIVER(vu->dev, msg, ERR, "%s: message %u (%s) %s",
			 stays ? "refused" : "client dropped", msg->type,
			 vhost_user_msg_name(msg->type), why);
	return vhost_user_msg_deny(msg);
}

/* Of messages that have a reply of their own: a driver must not take a refusal for it. */
static int
msg_refuse_ask(const struct vhost_user *vu, struct msg *msg, const char *why)
{
	msg->flags &= ~MSG_FLAG_NEED_REPLY;
	return vhost_user_msg_refuse(vu, msg, why);
}

int
vhost_user_msg_reply(struct msg *msg, uint64_t value)
{
	msg->payload.u64 = value;
	msg->size = sizeof(msg->payload.u64);
	return RTE_VHOST_MSG_RESULT_REPLY;
}

static int
msg_queue_num(struct vhost_user *vu, struct msg *msg)
{
	if (vhost_user_msg_fds(msg) != 0)
		return vhost_user_msg_refuse(vu, msg, "comes with descriptors");
	/* Pairs for a network device, which may have a control queue besides. */
	return vhost_user_msg_reply(msg, vu->net ? vu->dev->nb_vqs / 2 : vu->dev->nb_vqs);
}

static bool
msg_config_ok(const struct vhost_user *vu, const struct msg *msg)
{
	const struct msg_config *config = &msg->payload.config;
	const uint32_t head = offsetof(struct msg_config, data);
	uint32_t size = config->size;

	return msg->nb_fds == 0 && size <= MSG_CONFIG_MAX && msg->size >= head &&
	       msg->size - head >= size && config->offset <= vu->dev->config_size;
}

/* Behind the end of the space there are zeroes, as a driver may know more fields than we. */
static int
msg_get_config(struct vhost_user *vu, struct msg *msg)
{
	struct msg_config *config = &msg->payload.config;
	uint32_t len;

	if (!msg_config_ok(vu, msg))
		return msg_refuse_ask(vu, msg, "is malformed");
	len = RTE_MIN(config->size, vu->dev->config_size - config->offset);
	memset(config->data, 0, config->size);
	pthread_mutex_lock(&vu->lock);
	memcpy(config->data, vu->config + config->offset, len);
	pthread_mutex_unlock(&vu->lock);
	msg->size = offsetof(struct msg_config, data) + config->size;
	return RTE_VHOST_MSG_RESULT_REPLY;
}

/* The device says what can be written; all else is without effect, and no error. */
static void
msg_config_write(struct vhost_user *vu, const struct vhost_user_write *from)
{
	struct vduse_transport_write write = { .offset = from->offset, .len = from->len };
	struct vduse_dev_request request = { .type = VDUSE_TRANSPORT_CONFIG_WRITE };
	struct vduse_dev_response response;

	memcpy(write.data, from->data, from->len);
	memcpy(request.padding, &write, sizeof(write));
	if (vhost_user_ask(vu, &request, &response) == 0)
		vhost_user_inflight_note(vu, from);
}

static int
msg_set_config(struct vhost_user *vu, struct msg *msg)
{
	const struct msg_config *config = &msg->payload.config;
	struct vhost_user_write write = { .len = 0 };

	if (!msg_config_ok(vu, msg))
		return vhost_user_msg_refuse(vu, msg, "is malformed");
	if (config->size == 0 || config->size > sizeof(write.data))
		return RTE_VHOST_MSG_RESULT_OK;
	write.offset = (uint16_t)config->offset;
	write.len = (uint8_t)config->size;
	memcpy(write.data, config->data, config->size);
	msg_config_write(vu, &write);
	return RTE_VHOST_MSG_RESULT_OK;
}

/* librte_vhost would believe what a driver writes there. */
static int
msg_get_inflight(struct vhost_user *vu, struct msg *msg)
{
	uint64_t size;
	int fd;

	if (!vu->dev->logs)
		return msg_refuse_ask(vu, msg, "belongs to a feature that is not offered");
	if (msg->nb_fds != 0 || msg->size != sizeof(msg->payload.inflight))
		return msg_refuse_ask(vu, msg, "is malformed");
	fd = vhost_user_inflight_new(vu, &size);
	if (fd < 0)
		return vhost_user_msg_drop(msg);
	msg->payload.inflight.size = size;
	msg->payload.inflight.offset = 0;
	msg->fds[0] = fd;
	msg->nb_fds = 1;
	return RTE_VHOST_MSG_RESULT_REPLY;
}

static int
msg_set_inflight(struct vhost_user *vu, struct msg *msg)
{
	struct vhost_user_write write;

	if (!vu->dev->logs)
		return vhost_user_msg_refuse(vu, msg, "belongs to a feature that is not offered");
	if (msg->nb_fds != 1 || msg->size != sizeof(msg->payload.inflight) ||
	    vhost_user_inflight_take(vu, msg->fds[0], msg->payload.inflight.size,
				     msg->payload.inflight.offset) < 0)
		return vhost_user_msg_refuse(vu, msg, "brings back what we did not give");
	if (vhost_user_inflight_noted(vu, &write))
		msg_config_write(vu, &write);
	return RTE_VHOST_MSG_RESULT_OK;
}

/* librte_vhost would wait for room in it as it sends. */
static int
msg_set_channel(struct vhost_user *vu, struct msg *msg)
{
	if (vhost_user_msg_fds(msg) != 1 || vhost_user_channel_open(vu, msg->fds[0]) < 0)
		return vhost_user_msg_refuse(vu, msg,
					     "(SET_BACKEND_REQ_FD) comes without a unix socket");
	msg->nb_fds = 0;
	return RTE_VHOST_MSG_RESULT_OK;
}

static int
msg_before(struct vhost_user *vu, struct msg *msg)
{
	int result = vhost_user_msg_mem(vu, msg);

	if (result == RTE_VHOST_MSG_RESULT_NOT_HANDLED)
		result = vhost_user_msg_vring(vu, msg);
	if (result != RTE_VHOST_MSG_RESULT_NOT_HANDLED)
		return result;
	switch (msg->type) {
	case MSG_GET_QUEUE_NUM:
		return msg_queue_num(vu, msg);
	case MSG_GET_CONFIG:
		return msg_get_config(vu, msg);
	case MSG_SET_CONFIG:
		return msg_set_config(vu, msg);
	case MSG_GET_INFLIGHT_FD:
		return msg_get_inflight(vu, msg);
	case MSG_SET_INFLIGHT_FD:
		return msg_set_inflight(vu, msg);
	case MSG_SET_BACKEND_CHANNEL:
		return msg_set_channel(vu, msg);
	case MSG_SET_LOG_BASE:
	case MSG_SET_LOG_FD:
	case MSG_IOTLB:
	case MSG_POSTCOPY_ADVISE:
	case MSG_POSTCOPY_LISTEN:
	case MSG_POSTCOPY_END:
		return vhost_user_msg_refuse(vu, msg, "belongs to a feature that is not offered");
	case MSG_RESET_OWNER:
		vhost_user_vring_forget(vu);
		break;
	}
	/* librte_vhost closes the descriptors of what it refuses, and that could block it. */
	if (msg->nb_fds > 0)
		return vhost_user_msg_refuse(vu, msg, "comes with descriptors");
	return RTE_VHOST_MSG_RESULT_NOT_HANDLED;
}

static int
msg_features_changed(struct vhost_user *vu, struct msg *msg)
{
	uint64_t features = msg->payload.u64 & ~VHOST_USER_BIT(VHOST_USER_F_PROTOCOL_FEATURES);

	if (!vu->up || features == vu->features)
		return RTE_VHOST_MSG_RESULT_NOT_HANDLED;
	VDUSE_LOG_DRIVER(vu->dev, msg, ERR,
			 "client dropped: it changed features while virtqueues run");
	return vhost_user_msg_drop(msg);
}

static enum rte_vhost_msg_result
msg_pre_handle(int vid, void *msg)
{
	struct vhost_user *vu = vhost_user_find(vid);

	/* It hung up, and another client is served: librte_vhost must not take the rest either. */
	if (vu == NULL)
		return vhost_user_msg_drop(msg);
	if (!vhost_user_socket_reads(&vu->sock))
		return msg_refuse_ask(vu, msg, "comes from a client that reads no replies");
	return msg_before(vu, msg);
}

static enum rte_vhost_msg_result
msg_post_handle(int vid, void *arg)
{
	struct vhost_user *vu = vhost_user_find(vid);
	struct msg *msg = arg;

	if (vu != NULL && msg->type == MSG_SET_FEATURES)
		return msg_features_changed(vu, msg);
	return RTE_VHOST_MSG_RESULT_NOT_HANDLED;
}

const struct rte_vhost_user_extern_ops vhost_user_msg_ops = {
	.pre_msg_handle = msg_pre_handle,
	.post_msg_handle = msg_post_handle,
};
