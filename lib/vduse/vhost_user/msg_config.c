/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Handlers of messages about the configuration space and the inflight buffer.
 * Input: a message. Output: a reply with bytes of the space or a descriptor; a write to the space.
 * Thread: control.
 */
#include <errno.h>
#include <string.h>

#include <rte_common.h>

#include <vduse/core/device.h>
#include <vduse/vhost_user/msg.h>

static bool
config_ok(const struct vhost_user *vu, const struct vhost_user_msg *msg)
{
	uint32_t size = msg->payload.config.size;

	return size <= MSG_CONFIG_MAX && msg->size - offsetof(struct msg_config, data) >= size &&
	       msg->payload.config.offset <= vu->dev->config_size;
}

/* A driver may know more fields than the device has: those are zero. */
int
vhost_user_msg_get_config(struct vhost_user *vu, struct vhost_user_msg *msg)
{
	struct msg_config *config = &msg->payload.config;
	uint32_t len;

	if (!config_ok(vu, msg))
		return vhost_user_msg_refuse(vu, msg, "is malformed");
	len = RTE_MIN(config->size, vu->dev->config_size - config->offset);
	memset(config->data, 0, config->size);
	pthread_mutex_lock(&vu->lock);
	memcpy(config->data, vu->config + config->offset, len);
	pthread_mutex_unlock(&vu->lock);
	msg->size = offsetof(struct msg_config, data) + config->size;
	return MSG_ANSWER;
}

/* The device type decides what can be written. Any other write is ignored without an error. */
static void
config_write(struct vhost_user *vu, const struct vhost_user_write *from)
{
	struct vduse_transport_write write = { .offset = from->offset, .len = from->len };
	struct vduse_dev_request request = { .type = VDUSE_TRANSPORT_CONFIG_WRITE };
	struct vduse_dev_response response;

	memcpy(write.data, from->data, from->len);
	memcpy(request.padding, &write, sizeof(write));
	if (vduse_msg_do(vu->dev, &request, &response) == 0)
		vhost_user_inflight_note(vu, from);
}

int
vhost_user_msg_set_config(struct vhost_user *vu, struct vhost_user_msg *msg)
{
	const struct msg_config *config = &msg->payload.config;
	struct vhost_user_write write = { .len = 0 };

	if (!config_ok(vu, msg))
		return vhost_user_msg_refuse(vu, msg, "is malformed");
	if (config->size == 0 || config->size > sizeof(write.data))
		return MSG_DONE;
	write.offset = (uint16_t)config->offset;
	write.len = (uint8_t)config->size;
	memcpy(write.data, config->data, config->size);
	config_write(vu, &write);
	return MSG_DONE;
}

int
vhost_user_msg_get_inflight(struct vhost_user *vu, struct vhost_user_msg *msg)
{
	uint64_t size;
	int fd;

	if (!vu->dev->inflight)
		return vhost_user_msg_refuse(vu, msg, "belongs to a feature that is not offered");
	if (msg->size != sizeof(msg->payload.inflight))
		return vhost_user_msg_refuse(vu, msg, "is malformed");
	fd = vhost_user_inflight_new(vu, &size);
	if (fd < 0)
		return -ECONNABORTED;
	msg->payload.inflight.size = size;
	msg->payload.inflight.offset = 0;
	msg->fds[0] = fd;
	msg->nb_fds = 1;
	return MSG_ANSWER;
}

int
vhost_user_msg_set_inflight(struct vhost_user *vu, struct vhost_user_msg *msg)
{
	struct vhost_user_write write;

	if (!vu->dev->inflight)
		return vhost_user_msg_refuse(vu, msg, "belongs to a feature that is not offered");
	if (msg->nb_fds != 1 || msg->size != sizeof(msg->payload.inflight) ||
	    vhost_user_inflight_take(vu, msg->fds[0], msg->payload.inflight.size,
				     msg->payload.inflight.offset) < 0)
		return vhost_user_msg_refuse(vu, msg, "brings back what we did not give");
	msg->fds[0] = -1;
	if (vhost_user_inflight_noted(vu, &write))
		config_write(vu, &write);
	return MSG_DONE;
}
