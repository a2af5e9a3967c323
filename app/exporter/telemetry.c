/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Asks DPDK's telemetry of a process.
 * Input: datagrams of the process, which may hold anything, or never come. Output: JSON objects.
 * Thread: one for each process.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "exporter.h"

/* Least and most bytes of an answer, whatever the process says. */
#define TELEMETRY_ROOM_MIN 16384
#define TELEMETRY_ROOM_MAX ((size_t)1 << 20)

static int
telemetry_broken(struct telemetry *telemetry, const char *error)
{
	telemetry->error = error;
	return -1;
}

static int
telemetry_wait(struct telemetry *telemetry, short events)
{
	struct pollfd poller = { .fd = telemetry->fd, .events = events };
	int64_t left = telemetry->end_ms - exporter_ms();

	if (left <= 0)
		return telemetry_broken(telemetry, "no answer in time");
	(void)poll(&poller, 1, (int)left);
	return 0;
}

static int
telemetry_connect(struct telemetry *telemetry, const char *path)
{
	const struct timespec pause = { .tv_nsec = 10 * 1000 * 1000 };
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	strncpy(address.sun_path, path, sizeof(address.sun_path) - 1);
	telemetry->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (telemetry->fd < 0)
		return telemetry_broken(telemetry, "no socket");
	while (connect(telemetry->fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		/* Too many clients wait; poll() does not tell when that changes. */
		telemetry->refused = errno == ECONNREFUSED || errno == ENOENT;
		if (errno != EAGAIN && errno != EINTR)
			return telemetry_broken(telemetry, errno == EACCES
								   ? "no permission"
								   : "no process serves it");
		if (exporter_ms() >= telemetry->end_ms)
			return telemetry_broken(telemetry, "no connection in time");
		(void)nanosleep(&pause, NULL);
	}
	return 0;
}

static json_t *
telemetry_receive(struct telemetry *telemetry)
{
	json_t *answer;
	ssize_t len;

	for (;;) {
		len = recv(telemetry->fd, telemetry->buffer, telemetry->room, MSG_TRUNC);
		if (len >= 0 || (errno != EAGAIN && errno != EINTR))
			break;
		if (telemetry_wait(telemetry, POLLIN) < 0)
			return NULL;
	}
	if (len <= 0) {
		telemetry_broken(telemetry, "the process closed the connection");
		return NULL;
	}
	if ((size_t)len > telemetry->room) {
		telemetry_broken(telemetry, "an answer is too long");
		return NULL;
	}
	answer = json_loadb(telemetry->buffer, (size_t)len, JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_object(answer)) {
		json_decref(answer);
		telemetry_broken(telemetry, "an answer is no JSON object");
		return NULL;
	}
	return answer;
}

int
telemetry_open(struct telemetry *telemetry, const char *path, int64_t end_ms)
{
	json_t *greeting;
	json_int_t room;

	*telemetry = (struct telemetry){ .fd = -1, .end_ms = end_ms, .room = TELEMETRY_ROOM_MIN };
	if (telemetry_connect(telemetry, path) < 0)
		return -1;
	telemetry->buffer = exporter_memory(malloc(telemetry->room));
	greeting = telemetry_receive(telemetry);
	if (greeting == NULL)
		return -1;
	room = json_integer_value(json_object_get(greeting, "max_output_len"));
	json_decref(greeting);
	if (room > (json_int_t)TELEMETRY_ROOM_MAX)
		room = TELEMETRY_ROOM_MAX;
	if (room > (json_int_t)telemetry->room) {
		telemetry->room = (size_t)room;
		free(telemetry->buffer);
		telemetry->buffer = exporter_memory(malloc(telemetry->room));
	}
	return 0;
}

void
telemetry_close(struct telemetry *telemetry)
{
	if (telemetry->fd >= 0)
		close(telemetry->fd);
	free(telemetry->buffer);
}

static int
telemetry_send(struct telemetry *telemetry, const char *query, size_t len)
{
	while (send(telemetry->fd, query, len, MSG_NOSIGNAL) < 0) {
		if (errno != EAGAIN && errno != EINTR)
			return telemetry_broken(telemetry, "the process closed the connection");
		if (telemetry_wait(telemetry, POLLOUT) < 0)
			return -1;
	}
	return 0;
}

json_t *
telemetry_ask(struct telemetry *telemetry, const char *endpoint, const char *params)
{
	char query[1024]; /* DPDK does not read more */
	json_t *answer, *value = NULL;
	int len;

	if (telemetry->error != NULL)
		return NULL;
	if (exporter_ms() >= telemetry->end_ms) {
		telemetry_broken(telemetry, "no answer in time");
		return NULL;
	}
	len = snprintf(query, sizeof(query), "%s%s%s", endpoint, params != NULL ? "," : "",
		       params != NULL ? params : "");
	if (len >= (int)sizeof(query) || telemetry_send(telemetry, query, (size_t)len) < 0)
		return NULL;
	answer = telemetry_receive(telemetry);
	if (answer == NULL)
		return NULL;
	value = json_object_get(answer, endpoint);
	if (value == NULL)
		telemetry_broken(telemetry, "an answer is not the one to the query");
	value = json_is_object(value) ? json_incref(value) : NULL;
	json_decref(answer);
	return value;
}
