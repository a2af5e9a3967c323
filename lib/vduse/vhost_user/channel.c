/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * The back-end channel of a vhost-user driver: a socket on which the device sends messages.
 * Input: the socket that the driver sent; changes of the configuration space. Output: a message, if
 * the socket has room for it.
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
 * Must not block, because the driver may never read. A full socket already holds such a message,
 * after which the driver reads the whole space, so this one may be lost.
 */
int
vhost_user_channel_config(struct rte_vduse_dev *dev)
{
	struct vhost_user *vu = dev->transport_priv;
	const struct {
		uint32_t type, flags, size;
	} msg = { .type = MSG_BACKEND_CONFIG_CHANGE, .flags = MSG_VERSION };
	int ret = 0;

	pthread_mutex_lock(&vu->lock);
	if (vu->channel < 0 ||
	    (send(vu->channel, &msg, sizeof(msg), MSG_DONTWAIT | MSG_NOSIGNAL) < 0 &&
	     errno != EAGAIN))
		ret = -EINVAL;
	pthread_mutex_unlock(&vu->lock);
	return ret;
}
