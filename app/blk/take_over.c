/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * A client of the control socket of the process whose devices this one takes over.
 * Input: names of devices. Output: handovers for the library. Thread: main.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <jansson.h>

#include "take_over.h"

/* Most time of a step of a handover, in milliseconds; the other process has less. */
#define OVER_MS 35000
/* Bytes of a line: at first, and at most, which is enough for ten thousand devices. */
#define OVER_LINE     4096
#define OVER_LINE_MAX (4u << 20)

struct take_over {
	int fd;
	int pidfd;  /* of the other process; -1: not to be had */
	int passed; /* came with a line; -1: none */
	char *line; /* the last one */
	size_t size;
	json_t *devices; /* that the other process had at first; NULL: not asked yet */
};

static void
over_passed(struct take_over *over, struct msghdr *msg)
{
	struct cmsghdr *rights = CMSG_FIRSTHDR(msg);

	if (rights == NULL || rights->cmsg_level != SOL_SOCKET || rights->cmsg_type != SCM_RIGHTS)
		return;
	if (over->passed >= 0)
		close(over->passed);
	memcpy(&over->passed, CMSG_DATA(rights), sizeof(over->passed));
}

static int
over_grow(struct take_over *over)
{
	size_t size = over->size == 0 ? OVER_LINE : 2 * over->size;
	char *line;

	if (size > OVER_LINE_MAX)
		return -EMSGSIZE;
	line = realloc(over->line, size);
	if (line == NULL)
		return -ENOMEM;
	over->line = line;
	over->size = size;
	return 0;
}

/* Byte for byte, so that none of the next line is read. */
static int
over_read_line(struct take_over *over)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	size_t len = 0;

	for (;;) {
		struct iovec byte = { .iov_base = over->line + len, .iov_len = 1 };
		struct msghdr msg = {
			.msg_iov = &byte,
			.msg_iovlen = 1,
			.msg_control = &control,
			.msg_controllen = sizeof(control),
		};
		ssize_t n = recvmsg(over->fd, &msg, MSG_CMSG_CLOEXEC);
		int ret;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? -ETIMEDOUT : -errno;
		if (n == 0)
			return -ECONNRESET;
		over_passed(over, &msg);
		if (over->line[len] == '\n')
			break;
		ret = ++len == over->size ? over_grow(over) : 0;
		if (ret < 0)
			return ret;
	}
	over->line[len] = '\0';
	return 0;
}

/* The errno that an error's data names, of those that matter here. */
static int
over_error(const json_t *error)
{
	const char *name =
		json_string_value(json_object_get(json_object_get(error, "data"), "errno"));

	return name != NULL && strcmp(name, "ENODEV") == 0 ? -ENODEV : -EIO;
}

/* Reads an answer. *notified: it is a notification instead. */
static int
over_answer(struct take_over *over, bool *notified)
{
	json_t *answer, *error;
	int ret = over_read_line(over);

	if (ret < 0)
		return ret;
	answer = json_loads(over->line, 0, NULL);
	if (answer == NULL)
		return -EPROTO;
	error = json_object_get(answer, "error");
	*notified = json_object_get(answer, "method") != NULL;
	if (error != NULL)
		ret = over_error(error);
	if (ret < 0 && ret != -ENODEV)
		fprintf(stderr, "dpdk-vduse-blk: the other process says: %s\n",
			json_string_value(json_object_get(error, "message")));
	json_decref(answer);
	return ret;
}

static int
over_ask(struct take_over *over, const char *method, json_t *params)
{
	json_t *request = json_pack("{s:s, s:i, s:s, s:o}", "jsonrpc", "2.0", "id", 1, "method",
				    method, "params", params);
	char *text = request != NULL ? json_dumps(request, JSON_COMPACT) : NULL;
	ssize_t n = -1;

	json_decref(request);
	if (text == NULL)
		return -ENOMEM;
	/* With its newline in one piece: the socket is empty. */
	text[strlen(text)] = '\n';
	n = send(over->fd, text, strchr(text, '\n') + 1 - text, MSG_NOSIGNAL);
	free(text);
	return n < 0 ? -errno : 0;
}

static int
over_pidfd(int fd)
{
	struct ucred peer = { 0 };
	socklen_t len = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0 || peer.pid <= 0)
		return -1;
	return (int)syscall(SYS_pidfd_open, peer.pid, 0);
}

int
take_over_open(const char *path, struct take_over **result)
{
	const struct timeval limit = { .tv_sec = OVER_MS / 1000 };
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct take_over *over;
	int err;

	if (strlen(path) >= sizeof(address.sun_path)) {
		fprintf(stderr, "dpdk-vduse-blk: --take-over %s: it is too long\n", path);
		return -ENAMETOOLONG;
	}
	over = calloc(1, sizeof(*over));
	if (over == NULL)
		return -ENOMEM;
	over->passed = -1;
	over->pidfd = -1;
	over->fd = -1;
	if (over_grow(over) < 0) {
		take_over_close(over);
		return -ENOMEM;
	}
	strcpy(address.sun_path, path);
	over->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (over->fd >= 0 &&
	    connect(over->fd, (const struct sockaddr *)&address, sizeof(address)) == 0) {
		(void)setsockopt(over->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
		over->pidfd = over_pidfd(over->fd);
		*result = over;
		return 0;
	}
	err = errno;
	take_over_close(over);
	if (err == ENOENT || err == ECONNREFUSED)
		return -ENOENT;
	fprintf(stderr,
		"dpdk-vduse-blk: --take-over %s: %s: it is the --control of the process to "
		"replace\n",
		path, strerror(err));
	return -err;
}

int
take_over_begin(struct take_over *over, const char *name, struct rte_vduse_handover **from)
{
	bool notified = false;
	int fd, ret;

	ret = over_ask(over, "device.handover", json_pack("{s:s}", "name", name));
	if (ret == 0)
		ret = over_answer(over, &notified);
	if (ret == 0 && (!notified || over->passed < 0))
		ret = -EPROTO;
	if (ret < 0)
		return ret;
	fd = over->passed;
	over->passed = -1;
	ret = rte_vduse_handover_open(fd, OVER_MS, from);
	if (ret < 0)
		(void)over_answer(over, &notified);
	return ret;
}

int
take_over_end(struct take_over *over, struct rte_vduse_handover *from)
{
	bool notified;

	rte_vduse_handover_close(from);
	return over_answer(over, &notified);
}

/* A process that was killed keeps its sockets and locks for a while. */
static int
over_wait(const struct take_over *over)
{
	struct pollfd gone = { .fd = over->pidfd, .events = POLLIN };

	/* In another namespace of processes its number says nothing. */
	return over->pidfd >= 0 && poll(&gone, 1, OVER_MS) == 0 ? -ETIMEDOUT : 0;
}

bool
take_over_alive(struct take_over *over)
{
	bool notified;
	int ret = over_ask(over, "version", json_object());

	if (ret == 0)
		ret = over_answer(over, &notified);
	return ret == 0 || over_wait(over) < 0;
}

/* The other process's devices. NULL: it does not answer. */
static json_t *
over_list(struct take_over *over)
{
	json_t *answer = NULL, *list;

	if (over_ask(over, "device.list", json_object()) == 0 && over_read_line(over) == 0)
		answer = json_loads(over->line, 0, NULL);
	list = json_incref(json_object_get(answer, "result"));
	json_decref(answer);
	return list;
}

int
take_over_has(struct take_over *over, const char *name)
{
	json_t *device;
	size_t i;

	if (over->devices == NULL)
		over->devices = over_list(over);
	if (over->devices == NULL)
		return -ECONNRESET;
	json_array_foreach(over->devices, i, device)
	{
		const char *other = json_string_value(json_object_get(device, "name"));

		if (other != NULL && strcmp(other, name) == 0)
			return 1;
	}
	return 0;
}

bool
take_over_has_more(struct take_over *over)
{
	json_t *list = over_list(over);
	bool more = list == NULL ? take_over_alive(over) : json_array_size(list) > 0;

	json_decref(list);
	if (!more)
		return false;
	fprintf(stderr,
		"dpdk-vduse-blk: --take-over: the other process has more devices, and serves them "
		"on: name them here, too, or remove them there\n");
	return true;
}

int
take_over_stop(struct take_over *over)
{
	int ret;

	/* It may be dead already. */
	(void)over_ask(over, "process.stop", json_object());
	ret = over_wait(over);
	if (ret < 0)
		fprintf(stderr, "dpdk-vduse-blk: --take-over: the other process does not end: %s\n",
			strerror(-ret));
	return ret;
}

void
take_over_close(struct take_over *over)
{
	if (over == NULL)
		return;
	if (over->fd >= 0)
		close(over->fd);
	if (over->passed >= 0)
		close(over->passed);
	if (over->pidfd >= 0)
		close(over->pidfd);
	json_decref(over->devices);
	free(over->line);
	free(over);
}
