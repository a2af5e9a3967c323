/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * The connection of a vhost-user socket, which librte_vhost keeps to itself: looked for among
 * the files of this process.
 * Input: the socket's path. Output: the connection's descriptor, which stays librte_vhost's, and
 * whether its client is there and reads.
 * Thread: the one that makes a connection, then librte_vhost's.
 */
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <rte_common.h>

#include <vduse/vhost_user/vhost_user.h>

/* How long a client may take to send a message. librte_vhost's one thread waits so long. */
#define SOCKET_PATIENCE_S 5

/* At the server the path is that of this end of a connection, at the client of the other. */
static bool
socket_is_at(const char *path, bool client, int fd)
{
	struct sockaddr_un address;
	socklen_t len = sizeof(address), size = sizeof(int);
	int ret, listens;

	memset(&address, 0, sizeof(address));
	ret = client ? getpeername(fd, (struct sockaddr *)&address, &len)
		     : getsockname(fd, (struct sockaddr *)&address, &len);
	if (ret < 0 || address.sun_family != AF_UNIX ||
	    strncmp(address.sun_path, path, sizeof(address.sun_path)) != 0)
		return false;
	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0 && !listens;
}

/* No other open socket has the number, which a descriptor may have again at once. 0: none. */
static uint64_t
socket_ino(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode) ? st.st_ino : 0;
}

/* A reply that does not fit is not waited for: whoever else is served would wait, too. */
static void
socket_limit(int fd)
{
	const struct timeval patience = { .tv_sec = SOCKET_PATIENCE_S }, none = { .tv_usec = 1 };

	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &none, sizeof(none));
}

int
vhost_user_socket_find(const char *path, bool client, const struct vhost_user_socket *other,
		       struct vhost_user_socket *sock)
{
	struct dirent *entry;
	int ret = -ENOENT;
	DIR *dir;

	dir = opendir("/proc/self/fd");
	if (dir == NULL)
		return -errno;
	while (ret < 0 && (entry = readdir(dir)) != NULL) {
		int fd = atoi(entry->d_name);

		if (entry->d_name[0] == '.' || !socket_is_at(path, client, fd))
			continue;
		*sock = (struct vhost_user_socket){ .fd = fd, .ino = socket_ino(fd) };
		if (sock->ino == 0 || sock->ino == other->ino)
			continue;
		socket_limit(fd);
		ret = 0;
	}
	closedir(dir);
	return ret;
}

bool
vhost_user_socket_live(const struct vhost_user_socket *sock)
{
	struct pollfd poll_fd = { .fd = sock->fd, .events = POLLRDHUP };

	return sock->ino != 0 && socket_ino(sock->fd) == sock->ino && poll(&poll_fd, 1, 0) == 0;
}

bool
vhost_user_socket_reads(const struct vhost_user_socket *sock)
{
	struct pollfd poll_fd = { .fd = sock->fd, .events = POLLOUT };

	/* The kernel says so while three quarters of the buffer are free: a reply fits. */
	return poll(&poll_fd, 1, 0) == 1;
}
