/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Calls methods of the server.
 * Input: a method and its parameters; lines of the server, which may hold anything. Output: the result.
 * Thread: main.
 */
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "ctl.h"

#define CLIENT_ROOM 65536

static int __attribute__((format(printf, 2, 3)))
client_broken(struct client *client, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(client->error, sizeof(client->error), format, args);
	va_end(args);
	return CLIENT_BROKEN;
}

static int
client_connect_error(struct client *client, int error)
{
	switch (error) {
	case ENOENT:
	case ECONNREFUSED:
		return client_broken(
			client,
			"%s: no process serves it: start dpdk-vduse-blk with --control %s, "
			"or name its socket with --socket",
			client->path, client->path);
	case EACCES:
		return client_broken(client,
				     "%s: permission denied: --control-mode and --control-group of "
				     "dpdk-vduse-blk say who may connect",
				     client->path);
	case EAGAIN:
		return client_broken(client, "%s: the server accepts no connection within %g s",
				     client->path, client->timeout_s);
	default:
		return client_broken(client, "%s: cannot connect: %s", client->path,
				     strerror(error));
	}
}

void
client_init(struct client *client, const char *path, double timeout_s)
{
	*client = (struct client){ .path = path, .timeout_s = timeout_s, .fd = -1 };
}

static int
client_connect(struct client *client)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct timeval limit = {
		.tv_sec = (time_t)client->timeout_s,
		.tv_usec = (suseconds_t)((client->timeout_s - (double)(time_t)client->timeout_s) *
					 1e6),
	};

	if (strlen(client->path) >= sizeof(address.sun_path))
		return client_broken(client, "%s: the path of a socket has up to %zu characters",
				     client->path, sizeof(address.sun_path) - 1);
	strcpy(address.sun_path, client->path);
	client->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (client->fd < 0)
		return client_connect_error(client, errno);
	/* It limits connect(), too. */
	(void)setsockopt(client->fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	if (connect(client->fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return client_connect_error(client, errno);
	return CLIENT_OK;
}

void
client_reset(struct client *client)
{
	if (client->fd >= 0)
		close(client->fd);
	client->fd = -1;
	client->len = 0;
	client->closed = false;
}

void
client_close(struct client *client)
{
	if (client->fd >= 0)
		close(client->fd);
	free(client->data);
}

static int64_t
client_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

static int
client_send(struct client *client, const char *data, size_t len)
{
	ssize_t sent;

	while (len > 0) {
		sent = send(client->fd, data, len, MSG_NOSIGNAL);
		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0 && (errno == EPIPE || errno == ECONNRESET))
			return CLIENT_OK; /* the server may have said why before it closed */
		if (sent < 0)
			return client_broken(client, "%s: cannot send: %s", client->path,
					     strerror(errno));
		data += sent;
		len -= (size_t)sent;
	}
	return CLIENT_OK;
}

/* Receives more, until the time end. */
static int
client_receive(struct client *client, int64_t end)
{
	struct pollfd poller = { .fd = client->fd, .events = POLLIN };
	int64_t left = end - client_ms();
	ssize_t len;

	if (left <= 0)
		return client_broken(client, "%s: no answer within %g s", client->path,
				     client->timeout_s);
	if (poll(&poller, 1, left < INT32_MAX ? (int)left : INT32_MAX) <= 0)
		return CLIENT_OK;
	if (client->len == client->room) {
		if (client->room >= CLIENT_ANSWER_MAX)
			return client_broken(client, "%s: an answer of more than %zu MiB",
					     client->path, CLIENT_ANSWER_MAX >> 20);
		client->room = client->room > 0 ? 2 * client->room : CLIENT_ROOM;
		client->data = ctl_memory(realloc(client->data, client->room));
	}
	len = recv(client->fd, client->data + client->len, client->room - client->len,
		   MSG_DONTWAIT);
	if (len < 0 && (errno == EINTR || errno == EAGAIN))
		return CLIENT_OK;
	if (len <= 0) {
		client->closed = true;
		return client_broken(client, "%s: the server closed the connection without %s",
				     client->path,
				     client->len > 0 ? "the end of its answer" : "an answer");
	}
	client->len += (size_t)len;
	return CLIENT_OK;
}

/* Reads a line. */
static int
client_line(struct client *client, json_t **answer)
{
	int64_t end = client_ms() + (int64_t)(client->timeout_s * 1000);
	char *newline = NULL;
	size_t seen = 0, len;
	json_error_t error;
	int ret;

	for (;;) {
		if (client->len > seen)
			newline = memchr(client->data + seen, '\n', client->len - seen);
		if (newline != NULL)
			break;
		seen = client->len;
		ret = client_receive(client, end);
		if (ret != CLIENT_OK)
			return ret;
	}
	len = (size_t)(newline - client->data);
	*answer = json_loadb(client->data, len, JSON_REJECT_DUPLICATES, &error);
	client->len -= len + 1;
	memmove(client->data, newline + 1, client->len);
	if (*answer == NULL)
		return client_broken(client, "%s: the answer is not JSON: %s", client->path,
				     error.text);
	return CLIENT_OK;
}

static int
client_error(struct client *client, json_t *error)
{
	const char *text = json_string_value(json_object_get(error, "message"));
	json_t *data = json_object_get(error, "data");
	const char *name = json_string_value(json_object_get(data, "errno"));

	snprintf(client->errno_name, sizeof(client->errno_name), "%s", name != NULL ? name : "");
	if (text == NULL)
		return client_broken(client, "%s: the answer is an error without a text",
				     client->path);
	snprintf(client->error, sizeof(client->error), "%s", text);
	return CLIENT_ERROR;
}

/* An error without an id is about the connection, such as too many clients. */
static int
client_answer(struct client *client, json_t *answer, json_t **result)
{
	const char *version = json_string_value(json_object_get(answer, "jsonrpc"));
	json_t *id = json_object_get(answer, "id");
	json_t *error = json_object_get(answer, "error");

	*result = json_object_get(answer, "result");
	if (version != NULL && strcmp(version, "2.0") == 0) {
		if (json_is_object(error) &&
		    (json_is_null(id) || json_integer_value(id) == client->id))
			return client_error(client, error);
		if (json_is_integer(id) && json_integer_value(id) == client->id &&
		    *result != NULL) {
			json_incref(*result);
			return CLIENT_OK;
		}
	}
	return client_broken(client, "%s: the answer is not one of JSON-RPC 2.0 to the request",
			     client->path);
}

int
client_call(struct client *client, const char *method, json_t *params, json_t **result)
{
	json_t *request, *answer;
	char *line;
	int ret;

	*result = NULL;
	client->error[0] = client->errno_name[0] = '\0';
	if (params == NULL)
		return CLIENT_PARAMS;
	ret = client->fd >= 0 ? CLIENT_OK : client_connect(client);
	if (ret != CLIENT_OK) {
		json_decref(params);
		return ret;
	}
	client->id++;
	request = ctl_memory(json_pack("{s:s, s:I, s:s, s:o}", "jsonrpc", "2.0", "id", client->id,
				       "method", method, "params", params));
	line = ctl_memory(json_dumps(request, JSON_COMPACT));
	json_decref(request);
	ret = client_send(client, line, strlen(line));
	if (ret == CLIENT_OK)
		ret = client_send(client, "\n", 1);
	free(line);
	if (ret == CLIENT_OK)
		ret = client_line(client, &answer);
	if (ret != CLIENT_OK)
		return ret;
	ret = client_answer(client, answer, result);
	json_decref(answer);
	return ret;
}
