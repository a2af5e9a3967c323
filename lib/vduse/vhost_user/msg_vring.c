/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Messages about the virtqueues of a vhost-user driver. In flows a message, out flows what the
 * driver says of a ring to vring.c. More virtqueues than the device has may be set
 * up, without effect. librte_vhost's thread; everything in a message is hostile.
 */
#include <vduse/core/device.h>
#include <vduse/core/log.h>
#include <vduse/vhost_user/msg.h>

/* What makes rings of its own out of a message is stopped before, and starts again behind. */
static int
msg_vring_go(struct vhost_user *vu, struct msg *msg, uint16_t index)
{
	if (vhost_user_vring_go(vu, index) == 0)
		return RTE_VHOST_MSG_RESULT_OK;
	VDUSE_LOG_DRIVER(vu->dev, msg, ERR,
			 "client dropped: the rings of virtqueue %u are in no region", index);
	return vhost_user_msg_drop(msg);
}

static int
msg_vring_reply(struct msg *msg, uint32_t num)
{
	msg->payload.vring.num = num;
	msg->size = sizeof(msg->payload.vring);
	return RTE_VHOST_MSG_RESULT_REPLY;
}

static int
msg_vring_num(struct vhost_user *vu, struct msg *msg, uint16_t index)
{
	uint32_t num = msg->payload.vring.num;

	if (num > VHOST_USER_VRING_SIZE_MAX)
		return vhost_user_msg_refuse(vu, msg, "is for too large a ring");
	vhost_user_vring_edit(vu, index)->size = num;
	return msg_vring_go(vu, msg, index);
}

static int
msg_vring_addr(struct vhost_user *vu, struct msg *msg, uint16_t index)
{
	struct vhost_user_ring *ring = &vu->vqs[index].ring;
	uint64_t desc = msg->payload.addresses.desc, driver = msg->payload.addresses.driver,
		 device = msg->payload.addresses.device;

	/* As while a migration begins and ends. */
	if (ring->placed && ring->desc == desc && ring->driver == driver && ring->device == device)
		return RTE_VHOST_MSG_RESULT_OK;
	ring = vhost_user_vring_edit(vu, index);
	ring->desc = desc;
	ring->driver = driver;
	ring->device = device;
	ring->placed = true;
	return msg_vring_go(vu, msg, index);
}

/* Where it goes on; of a packed ring both positions are this one. */
static int
msg_vring_base(struct vhost_user *vu, struct msg *msg, uint16_t index)
{
	struct vhost_user_ring *ring = vhost_user_vring_edit(vu, index);

	ring->avail = (uint16_t)msg->payload.vring.num;
	ring->used = ring->avail;
	return msg_vring_go(vu, msg, index);
}

/* It stops, until there is a kick descriptor again. */
static int
msg_vring_get_base(struct vhost_user *vu, struct msg *msg, uint16_t index)
{
	struct vhost_user_ring *ring = vhost_user_vring_edit(vu, index);

	ring->kicked = false;
	ring->placed = false;
	if (!vhost_user_vring_any(vu))
		vhost_user_vring_reset(vu);
	return msg_vring_reply(msg, ring->avail);
}

static int
msg_vring_enable(struct vhost_user *vu, struct msg *msg, uint16_t index)
{
	bool enabled = msg->payload.vring.num != 0;

	if (vu->vqs[index].ring.enabled == enabled)
		return RTE_VHOST_MSG_RESULT_OK;
	vhost_user_vring_edit(vu, index)->enabled = enabled;
	return msg_vring_go(vu, msg, index);
}

/* Nothing waits for kicks; but a ring begins with the descriptor for them. */
static int
msg_vring_kick(struct vhost_user *vu, struct msg *msg, uint16_t index)
{
	vhost_user_msg_close(msg);
	if (vu->vqs[index].ring.kicked)
		return RTE_VHOST_MSG_RESULT_OK;
	vhost_user_vring_edit(vu, index)->kicked = true;
	return msg_vring_go(vu, msg, index);
}

static int
msg_vring_call(struct vhost_user *vu, struct msg *msg, uint16_t index)
{
	vhost_user_vring_set_call(vu, index, vhost_user_msg_fd(msg));
	return RTE_VHOST_MSG_RESULT_OK;
}

/* A number, and at most one descriptor. */
static int
msg_vring_file(struct vhost_user *vu, struct msg *msg)
{
	uint16_t index = msg->payload.u64 & MSG_VRING_INDEX;

	if (msg->size < sizeof(msg->payload.u64) || vhost_user_msg_fds(msg) > 1)
		return vhost_user_msg_refuse(vu, msg, "has no place for its descriptors");
	if (index < vu->dev->nb_vqs && msg->type == MSG_SET_VRING_KICK)
		return msg_vring_kick(vu, msg, index);
	if (index < vu->dev->nb_vqs && msg->type == MSG_SET_VRING_CALL)
		return msg_vring_call(vu, msg, index);
	vhost_user_msg_close(msg);
	return RTE_VHOST_MSG_RESULT_OK;
}

/* An index and a value, or addresses. */
static int
msg_vring_state(struct vhost_user *vu, struct msg *msg)
{
	size_t size = msg->type == MSG_SET_VRING_ADDR ? sizeof(msg->payload.addresses)
						      : sizeof(msg->payload.vring);
	uint16_t index = (uint16_t)RTE_MIN(msg->payload.vring.index, UINT16_MAX);

	if (msg->size < size || vhost_user_msg_fds(msg) != 0)
		return vhost_user_msg_refuse(vu, msg, "is malformed");
	if (index >= vu->dev->nb_vqs && msg->type == MSG_GET_VRING_BASE)
		return msg_vring_reply(msg, 0);
	if (index >= vu->dev->nb_vqs)
		return RTE_VHOST_MSG_RESULT_OK;
	switch (msg->type) {
	case MSG_SET_VRING_NUM:
		return msg_vring_num(vu, msg, index);
	case MSG_SET_VRING_ADDR:
		return msg_vring_addr(vu, msg, index);
	case MSG_SET_VRING_BASE:
		return msg_vring_base(vu, msg, index);
	case MSG_GET_VRING_BASE:
		return msg_vring_get_base(vu, msg, index);
	default:
		return msg_vring_enable(vu, msg, index);
	}
}

int
vhost_user_msg_vring(struct vhost_user *vu, struct msg *msg)
{
	switch (msg->type) {
	case MSG_SET_VRING_KICK:
	case MSG_SET_VRING_CALL:
	case MSG_SET_VRING_ERR:
		return msg_vring_file(vu, msg);
	case MSG_SET_VRING_NUM:
	case MSG_SET_VRING_ADDR:
	case MSG_SET_VRING_BASE:
	case MSG_GET_VRING_BASE:
	case MSG_SET_VRING_ENABLE:
		return msg_vring_state(vu, msg);
	}
	return RTE_VHOST_MSG_RESULT_NOT_HANDLED;
}
