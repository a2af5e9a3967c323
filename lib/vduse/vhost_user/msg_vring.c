/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Messages of a vhost-user client about its virtqueues. More than the device has may be set up,
 * without effect.
 * Input: a message. Output: what it says of a ring goes to vring.c; see msg.h for what handlers
 * return.
 * Thread: control.
 */
#include <errno.h>
#include <stdio.h>

#include <linux/virtio_config.h>

#include <rte_common.h>

#include <vduse/core/device.h>
#include <vduse/core/log.h>
#include <vduse/vhost_user/msg.h>

/* The virtqueue of a message. False: the device has none of that number. */
static bool
msg_vring_index(const struct vhost_user *vu, uint64_t number, uint16_t *index)
{
	*index = (uint16_t)RTE_MIN(number, UINT16_MAX);
	return *index < vu->dev->nb_vqs;
}

/* What makes a ring of its own out of a message is stopped before, and starts again behind. */
static int
msg_vring_go(struct vhost_user *vu, uint16_t index)
{
	char why[64];

	if (vhost_user_vring_go(vu, index) == 0)
		return MSG_DONE;
	snprintf(why, sizeof(why), "the rings of virtqueue %u are in no region", index);
	return vhost_user_msg_drop(vu, why);
}

int
vhost_user_msg_vring_num(struct vhost_user *vu, struct vhost_user_msg *msg)
{
	uint32_t num = msg->payload.vring.num;
	struct vhost_user_ring *ring;
	uint16_t index;

	if (!msg_vring_index(vu, msg->payload.vring.index, &index))
		return MSG_DONE;
	if (num > VHOST_USER_VRING_SIZE_MAX)
		return vhost_user_msg_refuse(vu, msg, "is for too large a ring");
	ring = vhost_user_vring_edit(vu, index);
	if (ring == NULL)
		return -EINPROGRESS;
	ring->size = num;
	return msg_vring_go(vu, index);
}

int
vhost_user_msg_vring_addr(struct vhost_user *vu, struct vhost_user_msg *msg)
{
	uint64_t desc = msg->payload.addresses.desc, driver = msg->payload.addresses.driver,
		 device = msg->payload.addresses.device;
	struct vhost_user_ring *ring;
	uint16_t index;

	if (!msg_vring_index(vu, msg->payload.addresses.index, &index))
		return MSG_DONE;
	ring = &vu->vqs[index].ring;
	/* As while a migration begins and ends. */
	if (ring->placed && ring->desc == desc && ring->driver == driver && ring->device == device)
		return MSG_DONE;
	ring = vhost_user_vring_edit(vu, index);
	if (ring == NULL)
		return -EINPROGRESS;
	ring->desc = desc;
	ring->driver = driver;
	ring->device = device;
	ring->placed = true;
	return msg_vring_go(vu, index);
}

/*
 * Where it goes on. Of a packed ring both positions are this one: nothing is in flight, and some
 * clients leave out the other.
 */
int
vhost_user_msg_vring_base(struct vhost_user *vu, struct vhost_user_msg *msg)
{
	struct vhost_user_ring *ring;
	uint16_t index;

	if (!msg_vring_index(vu, msg->payload.vring.index, &index))
		return MSG_DONE;
	ring = vhost_user_vring_edit(vu, index);
	if (ring == NULL)
		return -EINPROGRESS;
	ring->avail = (uint16_t)msg->payload.vring.num;
	ring->used = ring->avail;
	return msg_vring_go(vu, index);
}

/* It stops, until there is a kick descriptor again. Of a packed ring the used position is above. */
int
vhost_user_msg_vring_get_base(struct vhost_user *vu, struct vhost_user_msg *msg)
{
	struct vhost_user_ring *ring;
	uint16_t index;

	msg->size = sizeof(msg->payload.vring);
	if (!msg_vring_index(vu, msg->payload.vring.index, &index)) {
		msg->payload.vring.num = 0;
		return MSG_ANSWER;
	}
	ring = vhost_user_vring_edit(vu, index);
	if (ring == NULL)
		return -EINPROGRESS;
	ring->kicked = false;
	ring->placed = false;
	if (!vhost_user_vring_any(vu) && vhost_user_vring_reset(vu) < 0)
		return -EINPROGRESS;
	msg->payload.vring.num = ring->avail;
	if (vu->acked & VHOST_USER_BIT(VIRTIO_F_RING_PACKED))
		msg->payload.vring.num |= (uint32_t)ring->used << 16;
	return MSG_ANSWER;
}

int
vhost_user_msg_vring_enable(struct vhost_user *vu, struct vhost_user_msg *msg)
{
	bool enabled = msg->payload.vring.num != 0;
	struct vhost_user_ring *ring;
	uint16_t index;

	if (!msg_vring_index(vu, msg->payload.vring.index, &index) ||
	    vu->vqs[index].ring.enabled == enabled)
		return MSG_DONE;
	ring = vhost_user_vring_edit(vu, index);
	if (ring == NULL)
		return -EINPROGRESS;
	ring->enabled = enabled;
	return msg_vring_go(vu, index);
}

/* Nothing waits for kicks; but a ring begins with the descriptor for them. */
int
vhost_user_msg_vring_kick(struct vhost_user *vu, struct vhost_user_msg *msg)
{
	struct vhost_user_ring *ring;
	uint16_t index;

	if (!msg_vring_index(vu, msg->payload.u64 & MSG_VRING_INDEX, &index) ||
	    vu->vqs[index].ring.kicked)
		return MSG_DONE;
	ring = vhost_user_vring_edit(vu, index);
	if (ring == NULL)
		return -EINPROGRESS;
	ring->kicked = true;
	return msg_vring_go(vu, index);
}

/* Without a descriptor the driver wants no calls. */
int
vhost_user_msg_vring_call(struct vhost_user *vu, struct vhost_user_msg *msg)
{
	uint16_t index;

	if (msg_vring_index(vu, msg->payload.u64 & MSG_VRING_INDEX, &index))
		vhost_user_vring_call(vu, index, msg->nb_fds > 0 ? msg->fds[0] : -1);
	return MSG_DONE;
}

/* Nothing is told that way: see GET_STATUS. */
int
vhost_user_msg_vring_err(struct vhost_user *vu, struct vhost_user_msg *msg)
{
	RTE_SET_USED(vu);
	RTE_SET_USED(msg);
	return MSG_DONE;
}
