/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Adds, removes and queries devices on the vDPA bus over generic netlink.
 * Input: names of devices. Output: requests to the kernel, each over its own socket.
 * Thread: any but control, because the kernel handles a request during the send, which includes
 * probing a driver that sends messages to the device.
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

/* Timeout of an answer. The kernel waits 30 s for a device that does not answer. */
#define NETLINK_TIMEOUT_S 60

/* Handles one message of an answer. 0 or a negative errno, which ends the request. */
typedef int (*netlink_answer_fn)(const struct nlmsghdr *msg, void *arg);

/* A connection to the kernel. */
struct netlink_conn {
	struct mnl_socket *socket;
	uint32_t seq;
	uint16_t family;
	struct vduse_vdpa_ack ack; /* of the last request */
};

static int
netlink_open(struct netlink_conn *conn)
{
	struct timeval timeout = { .tv_sec = NETLINK_TIMEOUT_S };
	int on = 1;
	int ret;

	memset(conn, 0, sizeof(*conn));
	conn->socket = mnl_socket_open2(NETLINK_GENERIC, SOCK_CLOEXEC);
	if (conn->socket == NULL)
		return -errno;
	if (mnl_socket_bind(conn->socket, 0, MNL_SOCKET_AUTOPID) < 0 ||
	    setsockopt(mnl_socket_get_fd(conn->socket), SOL_SOCKET, SO_RCVTIMEO, &timeout,
		       sizeof(timeout)) < 0) {
		ret = -errno;
		mnl_socket_close(conn->socket);
		return ret;
	}
	/* Kernels without these only tell less about an error. */
	mnl_socket_setsockopt(conn->socket, NETLINK_CAP_ACK, &on, sizeof(on));
	mnl_socket_setsockopt(conn->socket, NETLINK_EXT_ACK, &on, sizeof(on));
	return 0;
}

/* Handles received messages. Returns 1 if the request has ended, 0 if more messages follow. */
static int
netlink_walk(struct netlink_conn *conn, const void *buf, int len, netlink_answer_fn answer,
	     void *arg)
{
	const struct nlmsghdr *msg = buf;
	int ret;

	for (; mnl_nlmsg_ok(msg, len); msg = mnl_nlmsg_next(msg, &len)) {
		if (msg->nlmsg_seq != conn->seq)
			continue;
		if (msg->nlmsg_type == NLMSG_ERROR) {
			ret = vduse_vdpa_msg_ack(msg, &conn->ack);
			return ret < 0 ? ret : 1;
		}
		ret = answer != NULL && msg->nlmsg_type >= NLMSG_MIN_TYPE ? answer(msg, arg) : 0;
		if (ret < 0)
			return ret;
	}
	return 0;
}

/* Sends a request and receives all messages of the answer. Returns the kernel's or our error. */
static int
netlink_request(struct netlink_conn *conn, const struct nlmsghdr *request, netlink_answer_fn answer,
		void *arg)
{
	char buf[VDUSE_VDPA_MSG_MAX] __rte_aligned(__alignof__(struct nlmsghdr));
	ssize_t len;
	int ret;

	conn->ack.text[0] = '\0';
	do {
		len = mnl_socket_sendto(conn->socket, request, request->nlmsg_len);
	} while (len < 0 && errno == EINTR);
	if (len < 0)
		return -errno;
	do {
		len = mnl_socket_recvfrom(conn->socket, buf, sizeof(buf));
		if (len >= 0)
			ret = netlink_walk(conn, buf, (int)len, answer, arg);
		else if (errno == EINTR)
			ret = 0;
		else
			ret = errno == EAGAIN ? -ETIMEDOUT : -errno;
	} while (ret == 0);
	return ret < 0 ? ret : conn->ack.error;
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

/* Connects to the vDPA bus. Logs why if that fails. */
static int
netlink_connect(struct netlink_conn *conn, const char *name)
{
	char buf[VDUSE_VDPA_MSG_MAX] __rte_aligned(__alignof__(struct nlmsghdr));
	int ret;

	ret = netlink_open(conn);
	if (ret < 0) {
		VDUSE_LOG(dev, ERR, name, "cannot open a netlink socket: %s", strerror(-ret));
		return ret;
	}
	ret = netlink_request(conn, vduse_vdpa_msg_family(buf, ++conn->seq), netlink_family_answer,
			      &conn->family);
	if (ret == 0 && conn->family == 0)
		ret = -ENOENT;
	if (ret == 0)
		return 0;
	if (ret == -ENOENT)
		VDUSE_LOG(dev, ERR, name,
			  "no vDPA bus: load the module vduse (modprobe vduse), "
			  "and run in the host's network namespace");
	else
		VDUSE_LOG(dev, ERR, name, "cannot query the vDPA bus: %s", strerror(-ret));
	mnl_socket_close(conn->socket);
	return ret;
}

/* What the user can do about an error. */
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
		return "remove it from the vDPA bus";
	default:
		return "query it on the vDPA bus";
	}
}

/* Sends one command about a device. The expected error is not logged. */
static int
netlink_command(struct netlink_conn *conn, uint8_t command, const char *name, int expected,
		struct vduse_vdpa_info *info)
{
	char buf[VDUSE_VDPA_MSG_MAX] __rte_aligned(__alignof__(struct nlmsghdr));
	struct nlmsghdr *request;
	int ret;

	request = vduse_vdpa_msg_request(buf, ++conn->seq, conn->family, command, name);
	ret = netlink_request(conn, request, info != NULL ? netlink_info_answer : NULL, info);
	if (ret < 0 && ret != expected)
		VDUSE_LOG(dev, ERR, name, "cannot %s: %s%s%s%s", netlink_verb(command),
			  strerror(-ret), conn->ack.text[0] != '\0' ? ": " : "", conn->ack.text,
			  netlink_advice(ret));
	return ret;
}

static int
netlink_change(const char *name, uint8_t command, int expected)
{
	struct netlink_conn conn;
	int ret;

	ret = netlink_connect(&conn, name);
	if (ret < 0)
		return ret;
	ret = netlink_command(&conn, command, name, expected, NULL);
	mnl_socket_close(conn.socket);
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
	struct netlink_conn conn;
	int ret;

	memset(info, 0, sizeof(*info));
	ret = netlink_connect(&conn, name);
	if (ret < 0)
		return ret;
	ret = netlink_command(&conn, VDPA_CMD_DEV_GET, name, -ENODEV, info);
	/* The kernel reports features only for device types that it knows. */
	if (ret == 0)
		ret = netlink_command(&conn, VDPA_CMD_DEV_CONFIG_GET, name, -EOPNOTSUPP, info);
	if (ret == -EOPNOTSUPP)
		ret = 0;
	mnl_socket_close(conn.socket);
	return ret;
}
