/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Handlers of messages about the device as a whole: features, status, reset, RARP, MTU, channel.
 * Input: a message. Output: the new state in struct vhost_user, or a reply.
 * Thread: control.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include <linux/virtio_config.h>
#include <linux/virtio_net.h>

#include <rte_common.h>
#include <rte_ether.h>

#include <vduse/core/device.h>
#include <vduse/core/log.h>
#include <vduse/vhost_user/msg.h>

#define DEV_MTU_MIN 68
#define DEV_MTU_MAX 65535

/* What a device type writes that maps rings itself is not known here. */
static bool
dev_logs(const struct vhost_user *vu)
{
	return vu->dev->ops->vq_remap == NULL;
}

uint64_t
vhost_user_msg_features(const struct vhost_user *vu)
{
	uint64_t features = vu->dev->offered & ~vu->dev->withheld;

	if (dev_logs(vu))
		features |= VHOST_USER_BIT(MSG_F_LOG_ALL);
	return features | VHOST_USER_BIT(MSG_F_PROTOCOL_FEATURES);
}

static uint64_t
dev_protocol(const struct vhost_user *vu)
{
	uint64_t protocol =
		VHOST_USER_BIT(MSG_PROTOCOL_REPLY_ACK) |
		VHOST_USER_BIT(MSG_PROTOCOL_BACKEND_CHANNEL) | VHOST_USER_BIT(MSG_PROTOCOL_CONFIG) |
		VHOST_USER_BIT(MSG_PROTOCOL_RESET_DEVICE) | VHOST_USER_BIT(MSG_PROTOCOL_MEM_SLOTS) |
		VHOST_USER_BIT(MSG_PROTOCOL_STATUS);

	if (dev_logs(vu))
		protocol |= VHOST_USER_BIT(MSG_PROTOCOL_LOG_SHMFD);
	if (vu->net && (vhost_user_msg_features(vu) & VHOST_USER_BIT(VIRTIO_NET_F_MTU)))
		protocol |= VHOST_USER_BIT(MSG_PROTOCOL_NET_MTU);
	if (vu->net && vu->dev->ops->announce != NULL)
		protocol |= VHOST_USER_BIT(MSG_PROTOCOL_RARP);
	/* A queue that completes in order needs no log: the used index says what was completed. */
	if (vu->dev->inflight)
		protocol |= VHOST_USER_BIT(MSG_PROTOCOL_INFLIGHT);
	if (vu->postcopy_offered)
		protocol |= VHOST_USER_BIT(MSG_PROTOCOL_PAGEFAULT);
	if (vu->dev->nb_vqs > (vu->net ? 2 : 1))
		protocol |= VHOST_USER_BIT(MSG_PROTOCOL_MQ);
	return protocol;
}

int
vhost_user_msg_get_features(struct vhost_user *vu, struct vhost_user_msg *msg)
{
	return vhost_user_msg_number(msg, vhost_user_msg_features(vu));
}

int
vhost_user_msg_set_features(struct vhost_user *vu, struct vhost_user_msg *msg)
{
	uint64_t features = msg->payload.u64;

	vu->refused = (features & ~vhost_user_msg_features(vu)) != 0;
	if (vu->refused)
		return vhost_user_msg_refuse(vu, msg, "sets features that are not offered");
	/* A migration begins and ends while virtqueues run. */
	if (vu->up && (features & ~VHOST_USER_NOT_VIRTIO) != vu->features)
		return vhost_user_msg_drop(vu, "it changed features while virtqueues run");
	if ((features ^ vu->acked) & VHOST_USER_BIT(VIRTIO_F_ACCESS_PLATFORM))
		vhost_user_iommu_clear(vu);
	vu->acked = features;
	vhost_user_log_apply_all(vu);
	return MSG_DONE;
}

int
vhost_user_msg_get_protocol(struct vhost_user *vu, struct vhost_user_msg *msg)
{
	return vhost_user_msg_number(msg, dev_protocol(vu));
}

int
vhost_user_msg_set_protocol(struct vhost_user *vu, struct vhost_user_msg *msg)
{
	if (msg->payload.u64 & ~dev_protocol(vu))
		return vhost_user_msg_refuse(vu, msg, "sets features that are not offered");
	return MSG_DONE;
}

/* The driver sets up everything but memory again, on the same connection. */
int
vhost_user_msg_reset(struct vhost_user *vu, struct vhost_user_msg *msg)
{
	int ret = vhost_user_vring_forget(vu);

	RTE_SET_USED(msg);
	if (ret < 0)
		return ret;
	vu->acked = 0;
	vhost_user_log_apply_all(vu);
	vu->refused = false;
	vu->status = 0;
	return MSG_DONE;
}

/* A virtqueue in error needs a reset. */
int
vhost_user_msg_get_status(struct vhost_user *vu, struct vhost_user_msg *msg)
{
	uint8_t status = vu->status;
	uint16_t i;

	for (i = 0; i < vu->dev->nb_vqs; i++)
		if (rte_atomic_load_explicit(&vu->dev->vqs[i].state, rte_memory_order_relaxed) ==
		    RTE_VDUSE_VQ_ERROR)
			status |= VIRTIO_CONFIG_S_NEEDS_RESET;
	return vhost_user_msg_number(msg, status);
}

/*
 * Stored for GET_STATUS. Only 0 has an effect: it stops the virtqueues. They start by their own
 * messages, which may come before or after DRIVER_OK.
 * QEMU up to 8.0 asks for the positions after this, also when the guest runs on elsewhere: requests
 * in flight finish, and each ring keeps where it stopped.
 */
int
vhost_user_msg_set_status(struct vhost_user *vu, struct vhost_user_msg *msg)
{
	uint8_t status = (uint8_t)msg->payload.u64;
	uint16_t i;
	int ret;

	if (status == 0) {
		for (i = 0; i < vu->dev->nb_vqs; i++)
			if (vhost_user_vring_edit(vu, i) == NULL)
				return -EINPROGRESS;
		ret = vhost_user_vring_reset(vu);
		if (ret < 0)
			return ret;
		for (i = 0; i < vu->dev->nb_vqs; i++) {
			vu->vqs[i].ring.kicked = false;
			vu->vqs[i].ring.placed = false;
		}
	}
	if (vu->refused)
		status &= (uint8_t)~VIRTIO_CONFIG_S_FEATURES_OK;
	vu->status = status;
	return MSG_DONE;
}

/* Of a network device the number of queue pairs: the control queue does not count. */
int
vhost_user_msg_queue_num(struct vhost_user *vu, struct vhost_user_msg *msg)
{
	return vhost_user_msg_number(msg, vu->net ? vu->dev->nb_vqs / 2 : vu->dev->nb_vqs);
}

/*
 * The address is the first six bytes of the payload. QEMU sends the first of these messages before
 * the guest runs, and so before it sets up virtqueues.
 */
int
vhost_user_msg_rarp(struct vhost_user *vu, struct vhost_user_msg *msg)
{
	struct rte_ether_addr address;

	if (!(dev_protocol(vu) & VHOST_USER_BIT(MSG_PROTOCOL_RARP)))
		return vhost_user_msg_refuse(vu, msg, "belongs to a feature that is not offered");
	memcpy(&address, msg->payload.room, sizeof(address));
	if (!rte_is_valid_assigned_ether_addr(&address))
		return vhost_user_msg_refuse(vu, msg, "has a MAC address that is not unicast");
	memcpy(vu->announce, &address, sizeof(vu->announce));
	vu->announces = true;
	vhost_user_vring_announce(vu);
	return MSG_DONE;
}

/* Ignored: the device sends no frame longer than its configured MTU. */
int
vhost_user_msg_mtu(struct vhost_user *vu, struct vhost_user_msg *msg)
{
	if (!(dev_protocol(vu) & VHOST_USER_BIT(MSG_PROTOCOL_NET_MTU)))
		return vhost_user_msg_refuse(vu, msg, "belongs to a feature that is not offered");
	if (msg->payload.u64 < DEV_MTU_MIN || msg->payload.u64 > DEV_MTU_MAX)
		return vhost_user_msg_refuse(vu, msg, "has an invalid MTU");
	return MSG_DONE;
}

int
vhost_user_msg_channel(struct vhost_user *vu, struct vhost_user_msg *msg)
{
	if (msg->nb_fds == 0 || vhost_user_channel_open(vu, msg->fds[0]) < 0)
		return vhost_user_msg_refuse(vu, msg, "comes without a unix socket, or one in use");
	msg->fds[0] = -1;
	return MSG_DONE;
}
