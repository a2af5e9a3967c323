/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Serves the clients of the control socket, each with a thread of its own: a client that does not read
 * or whose method blocks delays nobody else.
 * Input: lines of clients. Output: lines of answers.
 * Thread: main; one that accepts clients; one for each client.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <rte_common.h>

#include "control.h"

/* How long to wait for a file descriptor when none is left, in microseconds. */
#define SERVER_RETRY_US 100000

struct client {
	TAILQ_ENTRY(client) next;
	struct control *control;
	int fd;
	size_t len;                      /* bytes in line */
	char line[CONTROL_LINE_MAX + 1]; /* what was received and is not answered, and a newline */
};

struct control {
	struct app_devices *devices;
	int fd;
	pthread_t thread;
	bool started;
	pthread_mutex_t lock; /* of what follows; never held while something blocks */
	pthread_cond_t gone;
	TAILQ_HEAD(, client) clients;
	unsigned int nb_clients;
	bool stopping;
};

static int64_t
server_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

/* 0; or -errno: the client is gone or does not read. */
static int
server_write(int fd, const char *data, size_t len, int ms)
{
	int64_t end = server_ms() + ms, left;
	struct pollfd poller = { .fd = fd, .events = POLLOUT };
	ssize_t sent;

	while (len > 0) {
		sent = send(fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (sent > 0) {
			data += sent;
			len -= (size_t)sent;
			continue;
		}
		if (errno != EAGAIN && errno != EINTR)
			return -errno;
		left = end - server_ms();
		if (left <= 0)
			return -ETIMEDOUT;
		(void)poll(&poller, 1, (int)left);
	}
	return 0;
}

/* Frees the answer. */
static int
server_answer(int fd, char *answer, int ms)
{
	size_t len;
	int ret;

	if (answer == NULL)
		return 0;
	len = strlen(answer);
	answer[len] = '\n'; /* instead of the NUL */
	ret = server_write(fd, answer, len + 1, ms);
	free(answer);
	return ret;
}

/* The main thread, which ends the process on a signal, disconnects the client. So answer first. */
static int
client_line(struct client *client, const char *line, size_t len)
{
	bool stop;
	char *answer = control_rpc(client->control->devices, client->fd, line, len, &stop);
	int ret = server_answer(client->fd, answer, CONTROL_WRITE_S * 1000);

	if (stop)
		(void)kill(getpid(), SIGTERM);
	return ret;
}

/* Answers the complete lines, and keeps the beginning of the next one. */
static int
client_lines(struct client *client)
{
	char *line = client->line, *end;
	size_t left = client->len;
	int ret = 0;

	while (ret == 0 && (end = memchr(line, '\n', left)) != NULL) {
		ret = client_line(client, line, (size_t)(end - line));
		left -= (size_t)(end + 1 - line);
		line = end + 1;
	}
	memmove(client->line, line, left);
	client->len = left;
	return ret;
}

static void
client_serve(struct client *client)
{
	ssize_t len;

	for (;;) {
		len = recv(client->fd, client->line + client->len,
			   sizeof(client->line) - client->len, 0);
		if (len < 0 && errno == EINTR)
			continue;
		if (len <= 0)
			return;
		client->len += (size_t)len;
		if (client_lines(client) < 0)
			return;
		if (client->len == sizeof(client->line)) {
			(void)server_answer(client->fd,
					    control_rpc_error(CONTROL_RPC_INVALID,
							      "a request has up to 65536 bytes"),
					    CONTROL_WRITE_S * 1000);
			return;
		}
	}
}

static void *
client_run(void *arg)
{
	struct client *client = arg;
	struct control *control = client->control;

	client_serve(client);
	pthread_mutex_lock(&control->lock);
	TAILQ_REMOVE(&control->clients, client, next);
	pthread_mutex_unlock(&control->lock);
	close(client->fd);
	free(client);
	/* Afterwards control may not exist any more. */
	pthread_mutex_lock(&control->lock);
	control->nb_clients--;
	pthread_cond_signal(&control->gone);
	pthread_mutex_unlock(&control->lock);
	return NULL;
}

/* It has one place of nb_clients already. */
static int
client_launch(struct control *control, int fd)
{
	struct client *client = calloc(1, sizeof(*client));
	pthread_attr_t attr;
	pthread_t thread;
	int ret;

	if (client == NULL)
		return -ENOMEM;
	client->control = control;
	client->fd = fd;
	pthread_mutex_lock(&control->lock);
	TAILQ_INSERT_TAIL(&control->clients, client, next);
	/* control_stop() may have been there before. */
	if (control->stopping)
		(void)shutdown(fd, SHUT_RDWR);
	pthread_mutex_unlock(&control->lock);
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	ret = pthread_create(&thread, &attr, client_run, client);
	pthread_attr_destroy(&attr);
	if (ret == 0)
		return 0;
	pthread_mutex_lock(&control->lock);
	TAILQ_REMOVE(&control->clients, client, next);
	pthread_mutex_unlock(&control->lock);
	free(client);
	return -ret;
}

static bool
server_place(struct control *control)
{
	bool place;

	pthread_mutex_lock(&control->lock);
	place = control->nb_clients < CONTROL_CLIENTS_MAX;
	if (place)
		control->nb_clients++;
	pthread_mutex_unlock(&control->lock);
	return place;
}

static void
server_refuse(int fd, const char *text)
{
	(void)server_answer(fd, control_rpc_error(CONTROL_RPC_FAILED, text), 0);
	close(fd);
}

static void
server_client(struct control *control, int fd)
{
	if (!server_place(control)) {
		server_refuse(fd, "there are 16 clients already");
		return;
	}
	if (client_launch(control, fd) == 0)
		return;
	pthread_mutex_lock(&control->lock);
	control->nb_clients--;
	pthread_mutex_unlock(&control->lock);
	server_refuse(fd, "no memory or thread for another client");
}

static bool
server_stops(struct control *control)
{
	bool stops;

	pthread_mutex_lock(&control->lock);
	stops = control->stopping;
	pthread_mutex_unlock(&control->lock);
	return stops;
}

/* control_stop() shuts the socket down, which ends the wait. */
static void *
server_run(void *arg)
{
	struct control *control = arg;
	struct pollfd poller = { .fd = control->fd, .events = POLLIN };
	int fd;

	while (!server_stops(control)) {
		(void)poll(&poller, 1, -1);
		fd = accept4(control->fd, NULL, NULL, SOCK_CLOEXEC);
		if (fd >= 0)
			server_client(control, fd);
		else if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
			usleep(SERVER_RETRY_US);
	}
	return NULL;
}

int
control_open(struct app_devices *devices, struct control **out)
{
	struct control *control;
	int ret;

	if (devices->control == NULL)
		return 0;
	control = calloc(1, sizeof(*control));
	if (control == NULL)
		return -ENOMEM;
	ret = control_socket_open(devices);
	if (ret < 0) {
		free(control);
		return ret;
	}
	control->fd = ret;
	control->devices = devices;
	TAILQ_INIT(&control->clients);
	pthread_mutex_init(&control->lock, NULL);
	pthread_cond_init(&control->gone, NULL);
	*out = control;
	return 0;
}

int
control_start(struct control *control)
{
	int ret;

	if (control == NULL)
		return 0;
	ret = pthread_create(&control->thread, NULL, server_run, control);
	if (ret != 0) {
		fprintf(stderr, "dpdk-vduse-blk: --control: no thread: %s\n", strerror(ret));
		return -ret;
	}
	control->started = true;
	return 0;
}

void
control_stop(struct control *control)
{
	struct client *client;

	if (control == NULL)
		return;
	pthread_mutex_lock(&control->lock);
	control->stopping = true;
	(void)shutdown(control->fd, SHUT_RDWR);
	TAILQ_FOREACH(client, &control->clients, next)
		(void)shutdown(client->fd, SHUT_RDWR);
	pthread_mutex_unlock(&control->lock);
	if (control->started)
		pthread_join(control->thread, NULL);
}

void
control_join(struct control *control)
{
	if (control == NULL)
		return;
	pthread_mutex_lock(&control->lock);
	while (control->nb_clients > 0)
		pthread_cond_wait(&control->gone, &control->lock);
	pthread_mutex_unlock(&control->lock);
}

void
control_close(struct control *control)
{
	if (control == NULL)
		return;
	control_socket_close(control->devices, control->fd);
	pthread_cond_destroy(&control->gone);
	pthread_mutex_destroy(&control->lock);
	free(control);
}
