/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * The back-end channel of a vhost-user driver: a socket on which the device sends messages.
 * Input: the socket that the driver sent; changes of the configuration space, addresses to translate.
 * Output: a message, if the socket has room for it.
 * Thread: control to open and close; any thread that changes the configuration space sends.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include <vduse/core/device.h>
#include <vduse/core/log.h>
#include <vduse/vhost_user/vhost_user.h>
#include <vduse/vhost_user/wire.h>

static void
channel_replace(struct vhost_user *vu, int fd)
{
	int old;

	pthread_mutex_lock(&vu->lock);
	old = vu->channel;
	vu->channel = fd;
	pthread_mutex_unlock(&vu->lock);
	vhost_user_file_close(vu->closer, old);
}

int
vhost_user_channel_open(struct vhost_user *vu, int fd)
{
	uint8_t byte;

	if (!vhost_user_file_is_channel(fd))
		return -EPROTO;
	/*
	 * The device never reads from the channel, so it must not hold any data. If the channel, or
	 * a message queued in it, were the client's own end of the connection, the device would not
	 * notice that the client exits. See vhost_user_socket_live().
	 */
	(void)shutdown(fd, SHUT_RD);
	if (recv(fd, &byte, sizeof(byte), MSG_DONTWAIT | MSG_PEEK) > 0)
		return -EPROTO;
	channel_replace(vu, fd);
	return 0;
}

void
vhost_user_channel_close(struct vhost_user *vu)
{
	channel_replace(vu, -1);
}

/*
 * Sends a message. Must not block, because the driver may never read. -EAGAIN: the socket is full;
 * -EINVAL: there is no channel.
 */
static int
channel_send(struct vhost_user *vu, uint32_t type, const void *payload, uint32_t size)
{
	struct vhost_user_msg msg = { .type = type, .flags = MSG_VERSION, .size = size };
	ssize_t n = 0;
	int ret = 0;

	if (size > 0)
		memcpy(&msg.payload, payload, size);
	pthread_mutex_lock(&vu->lock);
	if (vu->channel < 0)
		ret = -EINVAL;
	else
		n = send(vu->channel, &msg, VHOST_USER_MSG_HEAD + size,
			 MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n < 0)
		ret = errno == EAGAIN ? -EAGAIN : -EINVAL;
	pthread_mutex_unlock(&vu->lock);
	return ret;
}

/*
 * A full socket already holds such a message, after which the driver reads the whole space, so this
 * one may be lost.
 */
int
vhost_user_channel_config(struct rte_vduse_dev *dev)
{
	int ret = channel_send(dev->transport_priv, MSG_BACKEND_CONFIG_CHANGE, NULL, 0);

	return ret == -EAGAIN ? 0 : ret;
}

int
vhost_user_channel_miss(struct rte_vduse_dev *dev, uint64_t iova, bool write, bool given_up)
{
	const struct msg_iotlb miss = {
		.iova = iova,
		.perm = write ? VDUSE_ACCESS_WO : VDUSE_ACCESS_RO,
		.type = given_up ? MSG_IOTLB_ACCESS_FAIL : MSG_IOTLB_MISS,
	};

	return channel_send(dev->transport_priv, MSG_BACKEND_IOTLB, &miss, sizeof(miss));
}
