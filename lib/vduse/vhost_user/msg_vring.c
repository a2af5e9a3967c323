/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Handlers of messages about virtqueues. A driver may set up more virtqueues than the device has:
 * messages about those are ignored.
 * Input: a message. Output: a changed ring, which vring.c starts or stops; positions.
 * Thread: control.
 */
#include <errno.h>
#include <stdio.h>

#include <linux/virtio_config.h>

#include <rte_common.h>

#include <vduse/core/device.h>
#include <vduse/core/log.h>
#include <vduse/vhost_user/msg.h>

/* Index of a message's virtqueue. False: the device has no such virtqueue. */
static bool
msg_vring_index(const struct vhost_user *vu, uint64_t number, uint16_t *index)
{
	*index = (uint16_t)RTE_MIN(number, UINT16_MAX);
	return *index < vu->dev->nb_vqs;
}

/* Whether a message changes nothing, so that the ring need not stop. */
static bool
msg_vring_repeats(const struct vhost_user_ring *ring, const struct vhost_user_msg *msg)
{
	const union msg_payload *payload = &msg->payload;

	switch (msg->type) {
	case MSG_SET_VRING_ADDR:
		/* QEMU sends the addresses again when a migration begins and ends. */
		return ring->placed && ring->desc == payload->addresses.desc &&
		       ring->driver == payload->addresses.driver &&
		       ring->device == payload->addresses.device;
	case MSG_SET_VRING_ENABLE:
		return ring->enabled == (payload->vring.num != 0);
	case MSG_SET_VRING_KICK:
		return ring->kicked;
	default:
		return false;
	}
}

static void
msg_vring_change(struct vhost_user_ring *ring, const struct vhost_user_msg *msg)
{
	const union msg_payload *payload = &msg->payload;

	switch (msg->type) {
	case MSG_SET_VRING_NUM:
		ring->size = payload->vring.num;
		break;
	case MSG_SET_VRING_ADDR:
		ring->desc = payload->addresses.desc;
		ring->driver = payload->addresses.driver;
		ring->device = payload->addresses.device;
		ring->placed = true;
		break;
	case MSG_SET_VRING_BASE:
		/*
		 * Both positions of a packed ring: no request is in flight, and some clients leave
		 * out the used one.
		 */
		ring->avail = (uint16_t)payload->vring.num;
		ring->used = ring->avail;
		break;
	case MSG_SET_VRING_ENABLE:
		ring->enabled = payload->vring.num != 0;
		break;
	case MSG_SET_VRING_KICK:
		/* Kicked or not, the message starts the ring. */
		ring->kicked = true;
		break;
	}
}

static void
msg_vring_log(struct vhost_user *vu, uint16_t index, const struct vhost_user_msg *msg)
{
	struct vhost_user_ring *ring = &vu->vqs[index].ring;

	ring->logged = (msg->payload.addresses.flags & MSG_VRING_F_LOG) != 0;
	ring->log_used = msg->payload.addresses.log;
	vhost_user_log_apply(vu, index);
}

/* Stops the virtqueue, changes its ring, and starts it again if nothing is missing. */
int
vhost_user_msg_vring_set(struct vhost_user *vu, struct vhost_user_msg *msg)
{
	/* All but SET_VRING_KICK begin with the index. */
	uint64_t number = msg->type == MSG_SET_VRING_KICK ? msg->payload.u64 & MSG_VRING_INDEX
							  : msg->payload.vring.index;
	struct vhost_user_ring *ring;
	uint16_t index;
	char why[64];

	if (!msg_vring_index(vu, number, &index))
		return MSG_DONE;
	if (msg->type == MSG_SET_VRING_KICK)
		vhost_user_kick_take(vu, index, msg);
	if (msg->type == MSG_SET_VRING_ADDR)
		msg_vring_log(vu, index, msg);
	if (msg_vring_repeats(&vu->vqs[index].ring, msg))
		return MSG_DONE;
	if (msg->type == MSG_SET_VRING_NUM && msg->payload.vring.num > VHOST_USER_VRING_SIZE_MAX)
		return vhost_user_msg_refuse(vu, msg, "is for too large a ring");
	ring = vhost_user_vring_edit(vu, index);
	if (ring == NULL)
		return -EINPROGRESS;
	msg_vring_change(ring, msg);
	if (vhost_user_vring_go(vu, index) == 0)
		return MSG_DONE;
	snprintf(why, sizeof(why), "the rings of virtqueue %u are in no region", index);
	return vhost_user_msg_drop(vu, why);
}

/* Stops it until a new kick descriptor. The used position of a packed ring is in bits 16-31. */
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
	/* With a dirty log the driver is migrated, and leaves its inflight buffer here. */
	if (vu->vqs[index].info.ready && vu->dev->vqs[index].log != NULL)
		vduse_vq_forget(&vu->dev->vqs[index]);
	ring = vhost_user_vring_edit(vu, index);
	if (ring == NULL)
		return -EINPROGRESS;
	ring->kicked = false;
	ring->placed = false;
	vhost_user_kick_from(vu, index, -1);
	if (!vhost_user_vring_any(vu) && vhost_user_vring_reset(vu) < 0)
		return -EINPROGRESS;
	msg->payload.vring.num = ring->avail;
	if (vu->acked & VHOST_USER_BIT(VIRTIO_F_RING_PACKED))
		msg->payload.vring.num |= (uint32_t)ring->used << 16;
	return MSG_ANSWER;
}

/* Without a descriptor the driver wants no interrupts. */
int
vhost_user_msg_vring_call(struct vhost_user *vu, struct vhost_user_msg *msg)
{
	uint16_t index;

	if (msg_vring_index(vu, msg->payload.u64 & MSG_VRING_INDEX, &index))
		vhost_user_vring_call(vu, index, msg->nb_fds > 0 ? msg->fds[0] : -1);
	return MSG_DONE;
}
