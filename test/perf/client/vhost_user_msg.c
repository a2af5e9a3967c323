/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Sends messages of the vhost-user protocol and receives their answers. Any error ends the client.
 * Input: messages. Output: answers. Thread: the only thread of the client.
 */
#include <err.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "vhost_user_msg.h"

int
client_msg_connect(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int sock;

	if (strlen(path) >= sizeof(address.sun_path))
		errx(EXIT_FAILURE, "%s: too long", path);
	strcpy(address.sun_path, path);
	sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (sock < 0 || connect(sock, (struct sockaddr *)&address, sizeof(address)) < 0)
		err(EXIT_FAILURE, "%s", path);
	return sock;
}

void
client_msg_send_files(int sock, struct client_msg *msg, const int *fds, unsigned int nb)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(MSG_FDS_MAX * sizeof(int))];
	} control = { .room = { 0 } };
	struct iovec iov = { .iov_base = msg, .iov_len = CLIENT_MSG_HEAD + msg->size };
	struct msghdr out = { .msg_iov = &iov, .msg_iovlen = 1 };

	msg->flags |= MSG_VERSION;
	if (nb > 0) {
		out.msg_control = &control;
		out.msg_controllen = CMSG_SPACE(nb * sizeof(int));
		control.head.cmsg_level = SOL_SOCKET;
		control.head.cmsg_type = SCM_RIGHTS;
		control.head.cmsg_len = CMSG_LEN(nb * sizeof(int));
		memcpy(CMSG_DATA(&control.head), fds, nb * sizeof(int));
	}
	if (sendmsg(sock, &out, MSG_NOSIGNAL) != (ssize_t)iov.iov_len)
		err(EXIT_FAILURE, "message %u", msg->request);
}

void
client_msg_send(int sock, struct client_msg *msg, int fd)
{
	client_msg_send_files(sock, msg, &fd, fd >= 0 ? 1 : 0);
}

void
client_msg_answer(int sock, struct client_msg *msg)
{
	uint32_t request = msg->request;

	if (recv(sock, msg, CLIENT_MSG_HEAD, MSG_WAITALL) != (ssize_t)CLIENT_MSG_HEAD)
		err(EXIT_FAILURE, "message %u: no answer", request);
	if (msg->request != request || msg->size > sizeof(*msg) - CLIENT_MSG_HEAD ||
	    recv(sock, &msg->payload, msg->size, MSG_WAITALL) != (ssize_t)msg->size)
		errx(EXIT_FAILURE, "message %u: a malformed answer", request);
}

void
client_msg_ask(int sock, struct client_msg *msg)
{
	client_msg_send(sock, msg, -1);
	client_msg_answer(sock, msg);
}

uint64_t
client_msg_get(int sock, uint32_t request, uint32_t size)
{
	struct client_msg msg = { .request = request, .size = size };

	client_msg_ask(sock, &msg);
	return msg.payload.u64;
}

void
client_msg_set(int sock, uint32_t request, uint64_t value, int fd)
{
	struct client_msg msg = { .request = request, .size = sizeof(value), .payload.u64 = value };

	client_msg_send(sock, &msg, fd);
}

void
client_msg_vring(int sock, uint32_t request, uint32_t index, uint32_t num)
{
	struct client_msg msg = { .request = request,
				  .size = sizeof(msg.payload.vring),
				  .payload.vring = { .index = index, .num = num } };

	client_msg_send(sock, &msg, -1);
}
