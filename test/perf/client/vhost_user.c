/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * The driver side of a vhost-user socket. Any error ends the client.
 * Input: memory and rings. Output: messages that describe them to the device.
 * Thread: the only thread of the client.
 */
#include <err.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <linux/virtio_config.h>

#include "conn.h"
#include "vhost_user_msg.h"

#define FEATURES_PROTOCOL (UINT64_C(1) << 30)
#define PROTOCOL_CONFIG   (UINT64_C(1) << 9)

static void
user_connect(struct client_conn *conn, const char *path, uint64_t wanted)
{
	uint64_t offered;

	conn->fd = client_msg_connect(path);
	client_msg_send(conn->fd, &(struct client_msg){ .request = MSG_SET_OWNER }, -1);
	offered = client_msg_get(conn->fd, MSG_GET_FEATURES, 0);
	if (!(offered & FEATURES_PROTOCOL) || !(offered & UINT64_C(1) << VIRTIO_F_VERSION_1) ||
	    !(client_msg_get(conn->fd, MSG_GET_PROTOCOL_FEATURES, 0) & PROTOCOL_CONFIG))
		errx(EXIT_FAILURE, "%s: a device without version 1 or a configuration space", path);
	conn->features = offered & wanted;
	client_msg_set(conn->fd, MSG_SET_PROTOCOL_FEATURES, PROTOCOL_CONFIG, -1);
	client_msg_set(conn->fd, MSG_SET_FEATURES, conn->features | FEATURES_PROTOCOL, -1);
}

static void
user_config_read(struct client_conn *conn, void *config, uint32_t len)
{
	struct client_msg msg = { .request = MSG_GET_CONFIG, .payload.config.size = len };

	msg.size = (uint32_t)(offsetof(struct client_msg, payload.config.data) - CLIENT_MSG_HEAD) +
		   len;
	client_msg_ask(conn->fd, &msg);
	if (msg.payload.config.size != len)
		errx(EXIT_FAILURE, "no configuration space");
	memcpy(config, msg.payload.config.data, len);
}

static void
user_start(struct client_conn *conn, const struct client_memory *memory,
	   const struct client_rings *rings)
{
	struct client_msg table = {
		.request = MSG_SET_MEM_TABLE,
		.size = offsetof(struct client_msg, payload.table.regions[1]) - CLIENT_MSG_HEAD,
		.payload.table = {
			.nb = 1,
			.regions[0] = {
				.first = (uintptr_t)memory->va,
				.size = memory->size,
				.user = (uintptr_t)memory->va,
			},
		},
	};
	struct client_msg addr = {
		.request = MSG_SET_VRING_ADDR,
		.size = sizeof(addr.payload.addresses),
		.payload.addresses = {
			.desc = (uintptr_t)rings->desc,
			.device = (uintptr_t)rings->device,
			.driver = (uintptr_t)rings->driver,
		},
	};
	int call = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	if (call < 0)
		err(EXIT_FAILURE, "eventfd");
	client_msg_send(conn->fd, &table, memory->fd);
	client_msg_vring(conn->fd, MSG_SET_VRING_NUM, 0, rings->size);
	client_msg_vring(conn->fd, MSG_SET_VRING_BASE, 0, 0);
	client_msg_send(conn->fd, &addr, -1);
	client_msg_set(conn->fd, MSG_SET_VRING_CALL, 0, call);
	close(call);
	client_msg_set(conn->fd, MSG_SET_VRING_KICK, 0, conn->kick);
	client_msg_vring(conn->fd, MSG_SET_VRING_ENABLE, 0, 1);
}

static void
user_stop(struct client_conn *conn)
{
	(void)client_msg_get(conn->fd, MSG_GET_VRING_BASE, sizeof(uint64_t));
}

const struct client_transport client_vhost_user = {
	.connect = user_connect,
	.config_read = user_config_read,
	.start = user_start,
	.stop = user_stop,
};
