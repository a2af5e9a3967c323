/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Handler of the message that brings the dirty log of a live migration.
 * Input: a message with a file. Output: the virtqueues mark it; a reply.
 * Thread: control.
 */
#include <vduse/core/device.h>
#include <vduse/vhost_user/msg.h>

/* Sent again with a larger log when the guest gets memory, while virtqueues run. */
int
vhost_user_msg_log_base(struct vhost_user *vu, struct vhost_user_msg *msg)
{
	int ret;

	if (vu->dev->ops->vq_remap != NULL)
		return vhost_user_msg_refuse(vu, msg, "belongs to a feature that is not offered");
	if (msg->nb_fds != 1)
		return vhost_user_msg_refuse(vu, msg, "comes without a file");
	ret = vhost_user_log_take(vu, msg->fds[0], msg->payload.log.size, msg->payload.log.offset);
	if (ret < 0)
		return ret;
	vhost_user_msg_close(vu, msg);
	return vhost_user_msg_number(msg, 0);
}
