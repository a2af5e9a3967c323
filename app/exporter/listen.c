/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Opens the socket that HTTP is served at.
 * Input: an address. Output: a listening socket. Thread: main.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "exporter.h"

#define LISTEN_BACKLOG 64
#define LISTEN_UNIX    "unix:"

/* Whether a process serves the socket. */
static bool
listen_served(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool refused = fd >= 0 &&
		       connect(fd, (const struct sockaddr *)address, sizeof(*address)) < 0 &&
		       errno == ECONNREFUSED;

	if (fd >= 0)
		close(fd);
	return !refused;
}

static int
listen_unix(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct stat info;
	mode_t mask;
	int fd, ret;

	if (path[0] == '\0' || strlen(path) >= sizeof(address.sun_path)) {
		exporter_fail(0, "unix:%s: the path of a socket has 1 to %zu characters", path,
			      sizeof(address.sun_path) - 1);
		return -1;
	}
	strcpy(address.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	/* A killed process left its socket. */
	if (lstat(path, &info) == 0 && S_ISSOCK(info.st_mode) && !listen_served(&address))
		(void)unlink(path);
	mask = umask(0117);
	ret = fd < 0 ? -1 : bind(fd, (struct sockaddr *)&address, sizeof(address));
	umask(mask);
	if (ret == 0 && listen(fd, LISTEN_BACKLOG) == 0)
		return fd;
	exporter_fail(0, "unix:%s: cannot listen: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

static bool
listen_loopback(const struct sockaddr *address)
{
	const struct in6_addr *in6 =
		&((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;
	const struct in_addr *in = &((const struct sockaddr_in *)(const void *)address)->sin_addr;

	if (address->sa_family == AF_INET)
		return ntohl(in->s_addr) >> 24 == IN_LOOPBACKNET;
	return IN6_IS_ADDR_LOOPBACK(in6);
}

static int
listen_bind(const char *where, const struct addrinfo *info)
{
	int one = 1, fd = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd >= 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (fd >= 0 && bind(fd, info->ai_addr, info->ai_addrlen) == 0 &&
	    listen(fd, LISTEN_BACKLOG) == 0)
		return fd;
	exporter_fail(0, "%s: cannot listen: %s", where, strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

/* ADDRESS:PORT, with brackets around an address of IPv6. */
static int
listen_inet(const char *where, bool any_address)
{
	const struct addrinfo hints = {
		.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
		.ai_socktype = SOCK_STREAM,
	};
	const char *colon = strrchr(where, ':'), *first = where;
	struct addrinfo *info = NULL;
	char address[64];
	size_t len;
	int fd = -1;

	len = colon != NULL ? (size_t)(colon - where) : 0;
	if (len > 2 && where[0] == '[' && where[len - 1] == ']') {
		first++;
		len -= 2;
	}
	if (len > 0 && len < sizeof(address)) {
		memcpy(address, first, len);
		address[len] = '\0';
	}
	if (len == 0 || len >= sizeof(address) || colon[1] == '\0' ||
	    getaddrinfo(address, colon + 1, &hints, &info) != 0) {
		exporter_fail(0, "--listen %s: give ADDRESS:PORT, [ADDRESS]:PORT or unix:PATH",
			      where);
		return -1;
	}
	if (!any_address && !listen_loopback(info->ai_addr))
		exporter_fail(
			0,
			"--listen %s: it is not the loopback address, and others could read the "
			"metrics; give --any-address if they may",
			where);
	else
		fd = listen_bind(where, info);
	freeaddrinfo(info);
	return fd;
}

int
listen_open(const char *where, bool any_address, const char **unix_path)
{
	int fd;

	*unix_path = NULL;
	if (strncmp(where, LISTEN_UNIX, strlen(LISTEN_UNIX)) != 0)
		return listen_inet(where, any_address);
	fd = listen_unix(where + strlen(LISTEN_UNIX));
	if (fd >= 0)
		*unix_path = where + strlen(LISTEN_UNIX);
	return fd;
}
