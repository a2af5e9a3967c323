/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The connections of a vhost-user socket, which librte_vhost keeps to itself: looked for among
 * the files of this process. On the thread that makes a connection.
 */
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <rte_common.h>

#include "vhost_user.h"

/* How long a client may take over a message. librte_vhost's one thread waits so long. */
#define SOCKET_PATIENCE_S 5

static bool
socket_is_at(const char *path, int fd, int (*name)(int fd, struct sockaddr *address, socklen_t *len))
{
	struct sockaddr_un address;
	socklen_t len = sizeof(address);

	memset(&address, 0, sizeof(address));
	if (name(fd, (struct sockaddr *)&address, &len) < 0 || address.sun_family != AF_UNIX)
		return false;
	return strncmp(address.sun_path, path, sizeof(address.sun_path)) == 0;
}

/* A connection has our path at this end or, in client mode, at the other one. */
static bool
socket_is_connection(const char *path, int fd)
{
	socklen_t len = sizeof(int);
	int listens;

	if (!socket_is_at(path, fd, getsockname) && !socket_is_at(path, fd, getpeername))
		return false;
	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &len) == 0 && !listens;
}

static bool
socket_is_live(int fd)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLRDHUP };

	return poll(&poll_fd, 1, 0) == 0;
}

int
vhost_user_connections(const char *path)
{
	const struct timeval patience = { .tv_sec = SOCKET_PATIENCE_S };
	struct dirent *entry;
	int nb = 0;
	DIR *dir;

	dir = opendir("/proc/self/fd");
	if (dir == NULL)
		return -errno;
	while ((entry = readdir(dir)) != NULL) {
		int fd = atoi(entry->d_name);

		if (entry->d_name[0] == '.' || !socket_is_connection(path, fd))
			continue;
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
		(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
		nb += socket_is_live(fd);
	}
	closedir(dir);
	return nb;
}
