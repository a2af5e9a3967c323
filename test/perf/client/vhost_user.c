/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * The driver side of a vhost-user socket. Any error ends the client.
 * Input: memory and rings. Output: messages that describe them to the device.
 * Thread: the only thread of the client.
 */
#include <err.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <linux/virtio_config.h>

#include <vduse/vhost_user/wire.h>

#include "conn.h"

#define FEATURES_PROTOCOL (UINT64_C(1) << 30)
#define PROTOCOL_CONFIG   (UINT64_C(1) << 9)

struct msg {
	uint32_t request;
	uint32_t flags;
	uint32_t size;
	union msg_payload payload;
} __attribute__((packed));

#define MSG_HEAD offsetof(struct msg, payload)

static void
msg_send(struct client_conn *conn, struct msg *msg, int fd)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec iov = { .iov_base = msg, .iov_len = MSG_HEAD + msg->size };
	struct msghdr out = { .msg_iov = &iov, .msg_iovlen = 1 };

	msg->flags = MSG_VERSION;
	if (fd >= 0) {
		out.msg_control = &control;
		out.msg_controllen = sizeof(control.room);
		control.head.cmsg_level = SOL_SOCKET;
		control.head.cmsg_type = SCM_RIGHTS;
		control.head.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&control.head), &fd, sizeof(fd));
	}
	if (sendmsg(conn->fd, &out, MSG_NOSIGNAL) != (ssize_t)iov.iov_len)
		err(EXIT_FAILURE, "message %u", msg->request);
}

/* Waits for the answer, which replaces the message. */
static void
msg_ask(struct client_conn *conn, struct msg *msg)
{
	uint32_t request = msg->request;

	msg_send(conn, msg, -1);
	if (recv(conn->fd, msg, MSG_HEAD, MSG_WAITALL) != (ssize_t)MSG_HEAD)
		err(EXIT_FAILURE, "message %u: no answer", request);
	if (msg->request != request || msg->size > sizeof(*msg) - MSG_HEAD ||
	    recv(conn->fd, &msg->payload, msg->size, MSG_WAITALL) != (ssize_t)msg->size)
		errx(EXIT_FAILURE, "message %u: a malformed answer", request);
}

static uint64_t
msg_get(struct client_conn *conn, uint32_t request, uint32_t size)
{
	struct msg msg = { .request = request, .size = size };

	msg_ask(conn, &msg);
	return msg.payload.u64;
}

static void
msg_set(struct client_conn *conn, uint32_t request, uint64_t value, int fd)
{
	struct msg msg = { .request = request, .size = sizeof(value), .payload.u64 = value };

	msg_send(conn, &msg, fd);
}

static void
msg_vring(struct client_conn *conn, uint32_t request, uint32_t num)
{
	struct msg msg = { .request = request,
			   .size = sizeof(msg.payload.vring),
			   .payload.vring.num = num };

	msg_send(conn, &msg, -1);
}

static void
user_connect(struct client_conn *conn, const char *path, uint64_t wanted)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	uint64_t offered;

	if (strlen(path) >= sizeof(address.sun_path))
		errx(EXIT_FAILURE, "%s: too long", path);
	strcpy(address.sun_path, path);
	conn->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (conn->fd < 0 || connect(conn->fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		err(EXIT_FAILURE, "%s", path);
	msg_send(conn, &(struct msg){ .request = MSG_SET_OWNER }, -1);
	offered = msg_get(conn, MSG_GET_FEATURES, 0);
	if (!(offered & FEATURES_PROTOCOL) || !(offered & UINT64_C(1) << VIRTIO_F_VERSION_1) ||
	    !(msg_get(conn, MSG_GET_PROTOCOL_FEATURES, 0) & PROTOCOL_CONFIG))
		errx(EXIT_FAILURE, "%s: a device without version 1 or a configuration space", path);
	conn->features = offered & wanted;
	msg_set(conn, MSG_SET_PROTOCOL_FEATURES, PROTOCOL_CONFIG, -1);
	msg_set(conn, MSG_SET_FEATURES, conn->features | FEATURES_PROTOCOL, -1);
}

static void
user_config_read(struct client_conn *conn, void *config, uint32_t len)
{
	struct msg msg = { .request = MSG_GET_CONFIG, .payload.config.size = len };

	msg.size = (uint32_t)(offsetof(struct msg, payload.config.data) - MSG_HEAD) + len;
	msg_ask(conn, &msg);
	if (msg.payload.config.size != len)
		errx(EXIT_FAILURE, "no configuration space");
	memcpy(config, msg.payload.config.data, len);
}

static void
user_start(struct client_conn *conn, const struct client_memory *memory,
	   const struct client_rings *rings)
{
	struct msg table = {
		.request = MSG_SET_MEM_TABLE,
		.size = offsetof(struct msg, payload.table.regions[1]) - MSG_HEAD,
		.payload.table = {
			.nb = 1,
			.regions[0] = {
				.first = (uintptr_t)memory->va,
				.size = memory->size,
				.user = (uintptr_t)memory->va,
			},
		},
	};
	struct msg addr = {
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
	msg_send(conn, &table, memory->fd);
	msg_vring(conn, MSG_SET_VRING_NUM, rings->size);
	msg_vring(conn, MSG_SET_VRING_BASE, 0);
	msg_send(conn, &addr, -1);
	msg_set(conn, MSG_SET_VRING_CALL, 0, call);
	close(call);
	msg_set(conn, MSG_SET_VRING_KICK, 0, conn->kick);
	msg_vring(conn, MSG_SET_VRING_ENABLE, 1);
}

static void
user_stop(struct client_conn *conn)
{
	(void)msg_get(conn, MSG_GET_VRING_BASE, sizeof(uint64_t));
}

const struct client_transport client_vhost_user = {
	.connect = user_connect,
	.config_read = user_config_read,
	.start = user_start,
	.stop = user_stop,
};
