/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Receives messages of a vhost-user client and sends replies, without blocking: a message may
 * arrive in any number of pieces. All of its content is untrusted.
 * Input: bytes and descriptors. Output: a complete vu->msg; a reply.
 * Thread: control.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include <rte_common.h>
#include <rte_cycles.h>

#include <vduse/core/device.h>
#include <vduse/core/log.h>
#include <vduse/trace.h>
#include <vduse/vhost_user/vhost_user.h>

/* How long the rest of a message may take. */
#define RECV_PATIENCE_S 5

/*
 * Most descriptors that the kernel passes at once (SCM_MAX_FD). The buffer has room for all of
 * them, because the kernel would close the others on this thread, which can block.
 */
#define RECV_FDS_MAX 253

static_assert(sizeof(struct vhost_user_msg) < 4096, "each device has one");

void
vhost_user_msg_close(const struct vhost_user *vu, struct vhost_user_msg *msg)
{
	unsigned int i;

	for (i = 0; i < msg->nb_fds; i++)
		vhost_user_file_close(vu->closer, msg->fds[i]);
	msg->nb_fds = 0;
}

/* Stores received descriptors. False: more than a message may have, or some were lost. */
static bool
recv_fds(struct vhost_user *vu, struct msghdr *head)
{
	struct vhost_user_msg *msg = &vu->msg;
	struct cmsghdr *control;
	bool fit = !(head->msg_flags & MSG_CTRUNC);

	for (control = CMSG_FIRSTHDR(head); control != NULL; control = CMSG_NXTHDR(head, control)) {
		size_t i, nb = (control->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		int fd;

		if (control->cmsg_level != SOL_SOCKET || control->cmsg_type != SCM_RIGHTS)
			continue;
		for (i = 0; i < nb; i++) {
			memcpy(&fd, CMSG_DATA(control) + i * sizeof(fd), sizeof(fd));
			if (msg->nb_fds < MSG_FDS_MAX) {
				msg->fds[msg->nb_fds++] = fd;
				continue;
			}
			vhost_user_file_close(vu->closer, fd);
			fit = false;
		}
	}
	return fit;
}

static int
recv_broken(const struct vhost_user *vu, const char *why)
{
	VDUSE_LOG_DRIVER(vu->dev, msg, ERR, "client dropped: a message %s", why);
	return -EPROTO;
}

/* Reads until vu->msg has want bytes. -EAGAIN: it has fewer. */
static int
recv_upto(struct vhost_user *vu, size_t want)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(RECV_FDS_MAX * sizeof(int))];
	} control;
	struct iovec bytes = {
		.iov_base = (uint8_t *)&vu->msg + vu->have,
		.iov_len = want - vu->have,
	};
	struct msghdr head = {
		.msg_iov = &bytes,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	ssize_t n;

	if (vu->have == want)
		return 0;
	n = recvmsg(vu->conn, &head, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? -EAGAIN : -ECONNRESET;
	if (n == 0)
		return -ECONNRESET;
	vu->have += (size_t)n;
	if (!recv_fds(vu, &head))
		return recv_broken(vu, "has more than 8 descriptors, or this process has none "
				       "left: see its limit of open files");
	return vu->have == want ? 0 : -EAGAIN;
}

int
vhost_user_recv(struct vhost_user *vu)
{
	struct vhost_user_msg *msg = &vu->msg;
	int ret = 0;

	if (vu->have < VHOST_USER_MSG_HEAD)
		ret = recv_upto(vu, VHOST_USER_MSG_HEAD);
	if (ret == 0 && (msg->flags & MSG_VERSION_MASK) != MSG_VERSION)
		return recv_broken(vu, "is of no version that is known");
	if (ret == 0 && msg->size > MSG_PAYLOAD_MAX)
		return recv_broken(vu, "is longer than any that is known");
	if (ret == 0)
		ret = recv_upto(vu, VHOST_USER_MSG_HEAD + msg->size);
	if (ret == 0)
		VDUSE_TRACE(vhost_user_msg, vu->dev->name, msg->type, msg->size, msg->nb_fds);
	/* Time limit for the rest of a message that has begun. */
	if (ret != -EAGAIN)
		vu->deadline = 0;
	else if (vu->have > 0 && vu->deadline == 0)
		vu->deadline = rte_get_timer_cycles() + RECV_PATIENCE_S * rte_get_timer_hz();
	return ret;
}

int
vhost_user_send(const struct vhost_user *vu, const struct vhost_user_msg *msg)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec bytes = {
		.iov_base = (void *)(uintptr_t)msg,
		.iov_len = VHOST_USER_MSG_HEAD + msg->size,
	};
	struct msghdr head = { .msg_iov = &bytes, .msg_iovlen = 1 };
	struct cmsghdr *rights;
	ssize_t n;

	if (msg->nb_fds > 0) {
		memset(&control, 0, sizeof(control));
		head.msg_control = &control;
		head.msg_controllen = sizeof(control);
		rights = CMSG_FIRSTHDR(&head);
		rights->cmsg_level = SOL_SOCKET;
		rights->cmsg_type = SCM_RIGHTS;
		rights->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(rights), &msg->fds[0], sizeof(int));
	}
	n = sendmsg(vu->conn, &head, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n < 0)
		return -errno;
	return (size_t)n == bytes.iov_len ? 0 : -EAGAIN;
}
