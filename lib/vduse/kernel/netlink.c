/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Devices on the vDPA bus, added, removed and asked for over generic netlink. In flow names,
 * out flow requests to the kernel, each over a socket of its own. The kernel works on a
 * request while we send it, probing a driver included: any thread but the control thread.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <libmnl/libmnl.h>
#include <linux/vdpa.h>

#include <rte_common.h>

#include <vduse/core/log.h>
#include <vduse/kernel/netlink.h>
#include <vduse/kernel/vdpa_msg.h>

/* How long an answer may take. The kernel gives a device that does not answer it 30 s. */
#define NETLINK_TIMEOUT_S 60

/* Handles one message of an answer. 0 or a negative errno, which ends the request. */
typedef int (*netlink_answer_fn)(const struct nlmsghdr *msg, void *arg);

/* One conversation with the kernel. */
struct netlink_talk {
	struct mnl_socket *socket;
	uint32_t seq;
	uint16_t family;
	struct vduse_vdpa_ack ack; /* of the last request */
};

static int
netlink_open(struct netlink_talk *talk)
{
	struct timeval timeout = { .tv_sec = NETLINK_TIMEOUT_S };
	int on = 1;
	int ret;

	memset(talk, 0, sizeof(*talk));
	talk->socket = mnl_socket_open2(NETLINK_GENERIC, SOCK_CLOEXEC);
	if (talk->socket == NULL)
		return -errno;
	if (mnl_socket_bind(talk->socket, 0, MNL_SOCKET_AUTOPID) < 0 ||
	    setsockopt(mnl_socket_get_fd(talk->socket), SOL_SOCKET, SO_RCVTIMEO, &timeout,
		       sizeof(timeout)) < 0) {
		ret = -errno;
		mnl_socket_close(talk->socket);
		return ret;
	}
	/* Kernels without these say less about an error, no more. */
	mnl_socket_setsockopt(talk->socket, NETLINK_CAP_ACK, &on, sizeof(on));
	mnl_socket_setsockopt(talk->socket, NETLINK_EXT_ACK, &on, sizeof(on));
	return 0;
}

static int
netlink_receive(const struct netlink_talk *talk, void *buf, size_t size)
{
	ssize_t len;

	do {
		len = mnl_socket_recvfrom(talk->socket, buf, size);
	} while (len < 0 && errno == EINTR);
	if (len < 0)
		return errno == EAGAIN ? -ETIMEDOUT : -errno;
	return (int)len;
}

/* Goes through received messages. 1 once the request has ended, 0 if more is to come. */
static int
netlink_walk(struct netlink_talk *talk, const void *buf, int len, netlink_answer_fn answer,
	     void *arg)
{
	const struct nlmsghdr *msg = buf;
	int ret;

	for (; mnl_nlmsg_ok(msg, len); msg = mnl_nlmsg_next(msg, &len)) {
		if (msg->nlmsg_seq != talk->seq)
			continue;
		if (msg->nlmsg_type == NLMSG_ERROR) {
			ret = vduse_vdpa_msg_ack(msg, &talk->ack);
			return ret < 0 ? ret : 1;
		}
		ret = answer != NULL && msg->nlmsg_type >= NLMSG_MIN_TYPE ? answer(msg, arg) : 0;
		if (ret < 0)
			return ret;
	}
	return 0;
}

/* Sends a request and reads all that comes back. The kernel's answer or our own error. */
static int
netlink_request(struct netlink_talk *talk, const struct nlmsghdr *request, netlink_answer_fn answer,
		void *arg)
{
	char buf[VDUSE_VDPA_MSG_MAX] __rte_aligned(__alignof__(struct nlmsghdr));
	ssize_t sent;
	int ret;

	talk->ack.text[0] = '\0';
	do {
		sent = mnl_socket_sendto(talk->socket, request, request->nlmsg_len);
	} while (sent < 0 && errno == EINTR);
	if (sent < 0)
		return -errno;
	do {
		ret = netlink_receive(talk, buf, sizeof(buf));
		if (ret > 0)
			ret = netlink_walk(talk, buf, ret, answer, arg);
	} while (ret == 0);
	return ret < 0 ? ret : talk->ack.error;
}

static int
netlink_family_answer(const struct nlmsghdr *msg, void *arg)
{
	return vduse_vdpa_msg_family_id(msg, arg);
}

static int
netlink_info_answer(const struct nlmsghdr *msg, void *arg)
{
	return vduse_vdpa_msg_info(msg, arg);
}

/* Opens a conversation with the vDPA bus. Logs what is in the way. */
static int
netlink_connect(struct netlink_talk *talk, const char *name)
{
	char buf[VDUSE_VDPA_MSG_MAX] __rte_aligned(__alignof__(struct nlmsghdr));
	int ret;

	ret = netlink_open(talk);
	if (ret < 0) {
		VDUSE_LOG(dev, ERR, name, "cannot open a netlink socket: %s", strerror(-ret));
		return ret;
	}
	ret = netlink_request(talk, vduse_vdpa_msg_family(buf, ++talk->seq), netlink_family_answer,
			      &talk->family);
	if (ret == 0 && talk->family == 0)
		ret = -ENOENT;
	if (ret == 0)
		return 0;
	if (ret == -ENOENT)
		VDUSE_LOG(dev, ERR, name,
			  "no vDPA bus: load the module vduse (modprobe vduse), "
			  "and run in the host's network namespace");
	else
		VDUSE_LOG(dev, ERR, name, "cannot ask for the vDPA bus: %s", strerror(-ret));
	mnl_socket_close(talk->socket);
	return ret;
}

/* What a person can do about an answer of the kernel. */
static const char *
netlink_advice(int error)
{
	switch (-error) {
	case EPERM:
		return "; run as root or with CAP_NET_ADMIN";
	case ENODEV:
		return "; load the module vduse (modprobe vduse)";
	case ETIMEDOUT:
		return "; see the kernel's log (dmesg)";
	case EINVAL:
		return "; it needs a virtio device that is set up, see the kernel's log (dmesg)";
	default:
		return "";
	}
}

static const char *
netlink_verb(uint8_t command)
{
	switch (command) {
	case VDPA_CMD_DEV_NEW:
		return "add it to the vDPA bus";
	case VDPA_CMD_DEV_DEL:
		return "take it off the vDPA bus";
	default:
		return "ask the vDPA bus for it";
	}
}

/* Sends one command about a device. An answer that is expected is not logged. */
static int
netlink_command(struct netlink_talk *talk, uint8_t command, const char *name, int expected,
		struct vduse_vdpa_info *info)
{
	char buf[VDUSE_VDPA_MSG_MAX] __rte_aligned(__alignof__(struct nlmsghdr));
	struct nlmsghdr *request;
	int ret;

	request = vduse_vdpa_msg_request(buf, ++talk->seq, talk->family, command, name);
	ret = netlink_request(talk, request, info != NULL ? netlink_info_answer : NULL, info);
	if (ret < 0 && ret != expected)
		VDUSE_LOG(dev, ERR, name, "cannot %s: %s%s%s%s", netlink_verb(command),
			  strerror(-ret), talk->ack.text[0] != '\0' ? ": " : "", talk->ack.text,
			  netlink_advice(ret));
	return ret;
}

static int
netlink_change(const char *name, uint8_t command, int expected)
{
	struct netlink_talk talk;
	int ret;

	ret = netlink_connect(&talk, name);
	if (ret < 0)
		return ret;
	ret = netlink_command(&talk, command, name, expected, NULL);
	mnl_socket_close(talk.socket);
	return ret;
}

int
vduse_vdpa_add(const char *name)
{
	return netlink_change(name, VDPA_CMD_DEV_NEW, -EEXIST);
}

int
vduse_vdpa_del(const char *name)
{
	return netlink_change(name, VDPA_CMD_DEV_DEL, -ENODEV);
}

int
vduse_vdpa_get(const char *name, struct vduse_vdpa_info *info)
{
	struct netlink_talk talk;
	int ret;

	memset(info, 0, sizeof(*info));
	ret = netlink_connect(&talk, name);
	if (ret < 0)
		return ret;
	ret = netlink_command(&talk, VDPA_CMD_DEV_GET, name, -ENODEV, info);
	/* The kernel tells the features of the device types it knows, and of no other. */
	if (ret == 0)
		ret = netlink_command(&talk, VDPA_CMD_DEV_CONFIG_GET, name, -EOPNOTSUPP, info);
	if (ret == -EOPNOTSUPP)
		ret = 0;
	mnl_socket_close(talk.socket);
	return ret;
}
