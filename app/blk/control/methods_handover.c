/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Methods for the process that takes the place of this one.
 * Input: a device's name. Output: a socket for the other process, over which the library hands the
 * device over; then this process has it no more. Thread: the client's.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rte_common.h>

#include "control.h"

/* Most time of a step of a handover, in milliseconds. */
#define HANDOVER_MS 30000

/* Before the answer comes a notification, and with its first byte the socket. */
static int
handover_send(int client, int fd)
{
	static const char line[] = "{\"jsonrpc\":\"2.0\",\"method\":\"device.handover.socket\"}\n";
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec bytes = { .iov_base = (void *)(uintptr_t)line, .iov_len = sizeof(line) - 1 };
	struct msghdr msg = {
		.msg_iov = &bytes,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *rights;
	ssize_t n;

	memset(&control, 0, sizeof(control));
	rights = CMSG_FIRSTHDR(&msg);
	rights->cmsg_level = SOL_SOCKET;
	rights->cmsg_type = SCM_RIGHTS;
	rights->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(rights), &fd, sizeof(fd));
	/* A client that has not read the answers before this one does not get it. */
	n = sendmsg(client, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
	return n == (ssize_t)bytes.iov_len ? 0 : -EIO;
}

static int
handover_device(struct control_call *call, struct rte_vduse_blk *blk)
{
	int ends[2], ret;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return -errno;
	ret = handover_send(call->fd, ends[1]);
	close(ends[1]);
	if (ret == 0)
		ret = rte_vduse_blk_hand_over(blk, ends[0], HANDOVER_MS);
	close(ends[0]);
	return ret;
}

static int
handover_method(struct control_call *call)
{
	struct app_device *device;
	const char *name;
	int ret = control_unpack(call, "{s:s}", "name", &name);

	if (ret != 0)
		return ret;
	ret = control_claim(call, name, APP_STOPPING, &device);
	if (ret < 0)
		return ret;
	ret = handover_device(call, device->blk);
	if (ret < 0) {
		app_registry_release(call->devices, device, APP_SERVING);
		return control_fail(call, ret, "%s: not handed over, it is served on: %s", name,
				    strerror(-ret));
	}
	app_device_destroy(call->devices, device);
	app_registry_remove(call->devices, device);
	call->result = json_true();
	return 0;
}

static int
handover_stop(struct control_call *call)
{
	int ret = control_unpack(call, "{}");

	if (ret != 0)
		return ret;
	call->result = json_true();
	call->stop = true;
	return 0;
}

const struct control_method control_methods_handover[] = {
	{ "device.handover", handover_method },
	{ "process.stop", handover_stop },
	{ NULL, NULL },
};
