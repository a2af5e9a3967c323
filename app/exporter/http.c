/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Answers GET /metrics.
 * Input: connections of clients, which may be slow or send anything. Output: the metrics as they are when
 * the request comes. Thread: one of libmicrohttpd for each connection; main ends old connections.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <microhttpd.h>

#include "exporter.h"

#define HTTP_CONNECTIONS 32
/* A connection that is silent for so long ends, and each one that is so old. */
#define HTTP_SILENT_S 5
#define HTTP_OLD_MS   10000
/* With more connections than this, they end earlier, but not while they wait for two scrapes. */
#define HTTP_BUSY        16
#define HTTP_OLD_BUSY_MS 3000
#define HTTP_MEMORY      16384
#define HTTP_TYPE        "application/openmetrics-text; version=1.0.0; charset=utf-8"

/* What is known of a process from the scrape before. */
struct http_process {
	char label[sizeof(((struct target *)0)->label)];
	const char *error; /* to log each change once */
	bool seen;         /* it was up */
};

static struct {
	const struct exporter *exporter;
	struct MHD_Daemon *daemon;
	pthread_mutex_t scrape_lock; /* of the next four: one scrape at a time */
	int64_t scrape_began_ms;
	char *text;
	size_t len;
	struct http_process processes[TARGETS_MAX];
	pthread_mutex_t lock; /* of connections */
	struct {
		int fd; /* -1: none */
		int64_t since_ms;
	} connections[HTTP_CONNECTIONS];
} http = {
	.scrape_lock = PTHREAD_MUTEX_INITIALIZER,
	.lock = PTHREAD_MUTEX_INITIALIZER,
};

static const struct http_process *
http_known(const char *label)
{
	size_t i;

	for (i = 0; i < TARGETS_MAX; i++)
		if (strcmp(http.processes[i].label, label) == 0)
			return &http.processes[i];
	return NULL;
}

/*
 * Logs which processes do not answer, if that changed. A socket that was found, and that a process left
 * before it was ever up here, may be of any program that uses DPDK: it is not shown.
 */
static void
http_compare(struct targets *targets)
{
	struct http_process now[TARGETS_MAX] = { 0 };
	const struct http_process *known;
	size_t i;

	for (i = 0; i < targets->nb; i++) {
		struct target *target = &targets->list[i];

		known = http_known(target->label);
		strcpy(now[i].label, target->label);
		now[i].seen = target->up || (known != NULL && known->seen);
		if (target->found && target->refused && !now[i].seen)
			target->other = true;
		now[i].error = target->found && target->other ? NULL : target->error;
		if (now[i].error != NULL && (known == NULL || known->error != now[i].error))
			exporter_fail(0, "%s: %s", target->path, now[i].error);
	}
	memcpy(http.processes, now, sizeof(now));
}

/*
 * Reads all processes, unless another request did so after this one came. Returns a copy of the text, for
 * the caller to free().
 */
static char *
http_scrape(size_t *len)
{
	int64_t came_ms = exporter_ms();
	struct targets *targets;
	char *copy;
	FILE *out;

	pthread_mutex_lock(&http.scrape_lock);
	if (http.text == NULL || http.scrape_began_ms <= came_ms) {
		http.scrape_began_ms = exporter_ms();
		targets = exporter_memory(malloc(sizeof(*targets)));
		*targets = http.exporter->named;
		if (targets->nb == 0)
			targets_find(targets, http.exporter->runtime_dir);
		collect(targets);
		http_compare(targets);
		free(http.text);
		http.text = NULL;
		out = exporter_memory(open_memstream(&http.text, &http.len));
		text_write(targets, out);
		collect_free(targets);
		free(targets);
		if (fclose(out) != 0)
			exporter_memory(NULL);
	}
	*len = http.len;
	copy = exporter_memory(malloc(http.len));
	memcpy(copy, http.text, http.len);
	pthread_mutex_unlock(&http.scrape_lock);
	return copy;
}

static enum MHD_Result
http_error(struct MHD_Connection *connection, unsigned int code, const char *text)
{
	struct MHD_Response *response;
	enum MHD_Result ret;

	response = MHD_create_response_from_buffer(strlen(text), (void *)(uintptr_t)text,
						   MHD_RESPMEM_PERSISTENT);
	if (response == NULL)
		return MHD_NO;
	if (code == MHD_HTTP_METHOD_NOT_ALLOWED)
		(void)MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, MHD_HTTP_METHOD_GET);
	ret = MHD_queue_response(connection, code, response);
	MHD_destroy_response(response);
	return ret;
}

static enum MHD_Result
http_request(void *arg, struct MHD_Connection *connection, const char *url, const char *method,
	     const char *version, const char *data, size_t *size, void **request)
{
	struct MHD_Response *response;
	enum MHD_Result ret;
	size_t len;
	char *text;

	(void)arg;
	(void)version;
	(void)data;
	if (strcmp(url, "/metrics") != 0)
		return http_error(connection, MHD_HTTP_NOT_FOUND, "See /metrics.\n");
	if (strcmp(method, MHD_HTTP_METHOD_GET) != 0)
		return http_error(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "Only GET.\n");
	/* A response before the request was read to its end would end the connection. */
	if (*request == NULL || *size != 0) {
		*request = &http;
		*size = 0;
		return MHD_YES;
	}
	text = http_scrape(&len);
	response = MHD_create_response_from_buffer(len, text, MHD_RESPMEM_MUST_FREE);
	if (response == NULL) {
		free(text);
		return MHD_NO;
	}
	(void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, HTTP_TYPE);
	ret = MHD_queue_response(connection, MHD_HTTP_OK, response);
	MHD_destroy_response(response);
	return ret;
}

static void
http_connection(void *arg, struct MHD_Connection *connection, void **context,
		enum MHD_ConnectionNotificationCode code)
{
	const union MHD_ConnectionInfo *info;
	bool begins = code == MHD_CONNECTION_NOTIFY_STARTED;
	int from, to;
	size_t i;

	(void)arg;
	(void)context;
	info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	if (info == NULL)
		return;
	from = begins ? -1 : info->connect_fd;
	to = begins ? info->connect_fd : -1;
	pthread_mutex_lock(&http.lock);
	for (i = 0; i < HTTP_CONNECTIONS; i++) {
		if (http.connections[i].fd == from) {
			http.connections[i].fd = to;
			http.connections[i].since_ms = exporter_ms();
			break;
		}
	}
	pthread_mutex_unlock(&http.lock);
}

/* A client that sends a byte now and then would keep its connection for ever. */
void
http_reap(void)
{
	int64_t now_ms = exporter_ms(), most_ms;
	size_t i, nb = 0;

	pthread_mutex_lock(&http.lock);
	for (i = 0; i < HTTP_CONNECTIONS; i++)
		nb += http.connections[i].fd >= 0;
	most_ms = nb > HTTP_BUSY ? HTTP_OLD_BUSY_MS : HTTP_OLD_MS;
	for (i = 0; i < HTTP_CONNECTIONS; i++)
		if (http.connections[i].fd >= 0 && now_ms - http.connections[i].since_ms > most_ms)
			(void)shutdown(http.connections[i].fd, SHUT_RDWR);
	pthread_mutex_unlock(&http.lock);
}

int
http_start(const struct exporter *exporter, int fd)
{
	size_t i;

	http.exporter = exporter;
	for (i = 0; i < HTTP_CONNECTIONS; i++)
		http.connections[i].fd = -1;
	http.daemon = MHD_start_daemon(
		MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL, 0,
		NULL, NULL, http_request, NULL, MHD_OPTION_LISTEN_SOCKET, fd,
		MHD_OPTION_CONNECTION_LIMIT, HTTP_CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT,
		HTTP_SILENT_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HTTP_MEMORY,
		MHD_OPTION_NOTIFY_CONNECTION, http_connection, NULL, MHD_OPTION_END);
	if (http.daemon == NULL)
		return exporter_fail(-1, "cannot serve HTTP");
	return 0;
}

void
http_stop(void)
{
	MHD_stop_daemon(http.daemon);
	free(http.text);
}
