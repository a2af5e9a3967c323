/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * A vhost-user device that comes from another process: its records are handled as the messages that
 * they are, while no virtqueue starts; see give.c.
 * Input: records. Output: struct vhost_user as it was there, and then a client that is served.
 * Thread: control.
 */
#include <errno.h>
#include <string.h>

#include <rte_common.h>

#include <vduse/core/ctrl_thread.h>
#include <vduse/core/device.h>
#include <vduse/core/log.h>
#include <vduse/handover/handover.h>
#include <vduse/vhost_user/msg.h>
#include <vduse/vhost_user/vhost_user.h>

static int
take_client(struct rte_vduse_handover *from)
{
	struct vduse_record *record = &from->record;
	uint8_t gives = record->size == 1 ? record->data[0] : 0;
	uint32_t n = 0;

	if (record->nb_fds != (uint32_t)__builtin_popcount(gives) ||
	    (gives & ~(VHOST_USER_GIVES_LISTENER | VHOST_USER_GIVES_CLIENT)) != 0)
		return -EPROTO;
	if (gives & VHOST_USER_GIVES_LISTENER)
		vduse_record_take(record, n++, &from->listener);
	if (gives & VHOST_USER_GIVES_CLIENT)
		vduse_record_take(record, n++, &from->client);
	return 0;
}

/* What the driver negotiated stays. It may be more than what this process offers. */
static int
take_features(const struct vhost_user *vu, const struct vduse_record *record)
{
	uint64_t features;

	if (record->size < sizeof(features))
		return -EPROTO;
	memcpy(&features, record->data, sizeof(features));
	features &= ~vhost_user_msg_features(vu);
	return features == 0 ? 0 : vduse_take_no_features(vu->dev->name, features);
}

int
vhost_user_take(struct rte_vduse_dev *dev, struct vduse_record *record)
{
	struct vhost_user *vu = dev->transport_priv;
	struct vhost_user_msg *msg = &vu->msg;

	if (record->type == VDUSE_RECORD_CLIENT)
		return take_client(dev->from);
	if (record->type == MSG_SET_FEATURES) {
		int ret = take_features(vu, record);

		if (ret < 0)
			return ret;
	}
	memset(msg, 0, VHOST_USER_MSG_HEAD);
	msg->type = record->type;
	msg->flags = MSG_VERSION;
	msg->size = record->size;
	memcpy(&msg->payload, record->data, record->size);
	msg->nb_fds = record->nb_fds;
	memcpy(msg->fds, record->fds, sizeof(msg->fds));
	/* They belong to the message now. */
	record->nb_fds = 0;
	/* No virtqueue runs, so nothing waits. A reply has no connection to go to. */
	return vhost_user_msg_handle(vu, msg);
}

static_assert(VDUSE_RECORD_FDS == MSG_FDS_MAX, "a record has as many files as a message");
static_assert(VDUSE_RECORD_DATA == sizeof(union msg_payload), "and as much data");

static int
take_listen(struct vhost_user *vu)
{
	RTE_SWAP(vu->listener, vu->dev->from->listener);
	if (vu->listener < 0)
		return vu->client ? 0 : -EPROTO;
	vu->listening = true;
	return vhost_user_socket_watch(vu, vu->listener, true);
}

static int
take_serve(struct vhost_user *vu)
{
	int fd = vu->dev->from->client;
	uint16_t i;

	vu->arriving = false;
	if (fd < 0) {
		vhost_user_conn_offer(vu, UINT64_MAX);
		return 0;
	}
	vu->dev->from->client = -1;
	vhost_user_conn_begin(vu, fd);
	/* A ring that is in no region was paused there, too. */
	for (i = 0; i < vu->dev->nb_vqs && vu->conn >= 0; i++)
		vu->vqs[i].ring.paused = vhost_user_vring_go(vu, i) < 0;
	vhost_user_vring_announce(vu);
	return 0;
}

/* Control thread: the device is ours. */
static int
take_start(struct rte_vduse_dev *dev)
{
	struct vhost_user *vu = dev->transport_priv;
	int ret = take_listen(vu);

	if (ret == 0)
		ret = take_serve(vu);
	vhost_user_socket_tick(vu);
	return ret;
}

int
vhost_user_take_start(struct vhost_user *vu)
{
	int ret = vduse_ctrl_run(take_start, vu->dev);

	if (ret < 0)
		VDUSE_LOG(dev, ERR, vu->dev->name, "cannot go on at %s: %s", vu->path,
			  strerror(-ret));
	else
		VDUSE_LOG(dev, INFO, vu->dev->name, "goes on at %s", vu->path);
	return ret;
}
