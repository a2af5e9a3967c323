/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * The file of the control socket.
 * Input: its path, mode and group. Output: a listening socket. A file that a dead process left is
 * replaced; one that is served or no socket is kept, with an error.
 * Thread: main.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "control.h"

/* How long another process may hold the lock to create or remove a socket, in milliseconds. */
#define SOCKET_LOCK_MS 5000

static int
socket_error(const struct app_devices *devices, int err, const char *what)
{
	fprintf(stderr, "dpdk-vduse-blk: --control %s: %s: %s\n", devices->control, what,
		strerror(err));
	return -err;
}

static int
socket_group(const struct app_devices *devices, gid_t *gid)
{
	const struct group *group;
	char *end;

	*gid = (gid_t)-1;
	if (devices->control_group == NULL)
		return 0;
	group = getgrnam(devices->control_group);
	if (group != NULL) {
		*gid = group->gr_gid;
		return 0;
	}
	*gid = (gid_t)strtoul(devices->control_group, &end, 10);
	if (devices->control_group[0] >= '0' && devices->control_group[0] <= '9' && *end == '\0')
		return 0;
	fprintf(stderr,
		"dpdk-vduse-blk: --control-group %s: no such group: use the name or the number of "
		"one\n",
		devices->control_group);
	return -EINVAL;
}

/* Two processes that replace a file at once would each remove the socket of the other. */
static int
socket_lock(const struct app_devices *devices)
{
	const char *slash = strrchr(devices->control, '/');
	char folder[sizeof(((struct sockaddr_un *)NULL)->sun_path)] = ".";
	unsigned int ms = 0;
	int fd, ret;

	if (slash != NULL)
		snprintf(folder, sizeof(folder), "%.*s", (int)(slash - devices->control + 1),
			 devices->control);
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return socket_error(devices, errno, "its folder");
	while ((ret = flock(fd, LOCK_EX | LOCK_NB)) < 0 && errno == EWOULDBLOCK &&
	       ms++ < SOCKET_LOCK_MS)
		usleep(1000);
	if (ret == 0)
		return fd;
	ret = socket_error(devices, errno, "somebody has locked its folder");
	close(fd);
	return ret;
}

/* A connection that is refused: nobody listens any more. */
static int
socket_take_over(const struct app_devices *devices, const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int err = 0;

	if (fd < 0)
		return socket_error(devices, errno, "no socket");
	if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) < 0)
		err = errno;
	close(fd);
	if (err != ECONNREFUSED) {
		fprintf(stderr,
			"dpdk-vduse-blk: --control %s: somebody serves it: use another path or "
			"stop that process\n",
			devices->control);
		return -EBUSY;
	}
	if (unlink(devices->control) < 0 && errno != ENOENT)
		return socket_error(devices, errno, "cannot remove what a dead process left");
	return 0;
}

static int
socket_prepare(const struct app_devices *devices, const struct sockaddr_un *address)
{
	struct stat st;

	if (lstat(devices->control, &st) < 0)
		return 0;
	if (S_ISSOCK(st.st_mode))
		return socket_take_over(devices, address);
	fprintf(stderr, "dpdk-vduse-blk: --control %s: it is no socket: use another path\n",
		devices->control);
	return -EEXIST;
}

/*
 * bind() gives the file the mode of the socket, so that no one may connect in between. By descriptor,
 * because the path may be replaced by a link. The group first: chown() clears mode bits.
 */
static int
socket_permit(const struct app_devices *devices, gid_t gid)
{
	char self[32];
	struct stat st;
	int fd, ret = 0;

	fd = open(devices->control, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	if (fstat(fd, &st) < 0)
		ret = -errno;
	else if (!S_ISSOCK(st.st_mode))
		ret = -ENOTSOCK;
	else if (gid != (gid_t)-1 && fchownat(fd, "", (uid_t)-1, gid, AT_EMPTY_PATH) < 0)
		ret = -errno;
	else if (chmod(self, devices->control_mode) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

static int
socket_bind(const struct app_devices *devices, int fd, const struct sockaddr_un *address, gid_t gid)
{
	int ret = socket_prepare(devices, address);

	if (ret < 0)
		return ret;
	if (fchmod(fd, 0600) < 0 ||
	    bind(fd, (const struct sockaddr *)address, sizeof(*address)) < 0)
		return socket_error(devices, errno, "cannot make the socket");
	ret = socket_permit(devices, gid);
	if (ret == 0 && listen(fd, CONTROL_CLIENTS_MAX) < 0)
		ret = -errno;
	if (ret < 0) {
		(void)unlink(devices->control);
		return socket_error(devices, -ret, "cannot give it its mode and group");
	}
	return 0;
}

int
control_socket_open(const struct app_devices *devices)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	gid_t gid;
	int fd, lock, ret;

	if (devices->control[0] == '\0' || strlen(devices->control) >= sizeof(address.sun_path))
		return socket_error(devices, ENAMETOOLONG, "use a path of up to 107 characters");
	strcpy(address.sun_path, devices->control);
	ret = socket_group(devices, &gid);
	if (ret < 0)
		return ret;
	lock = socket_lock(devices);
	if (lock < 0)
		return lock;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	ret = fd < 0 ? socket_error(devices, errno, "no socket")
		     : socket_bind(devices, fd, &address, gid);
	close(lock);
	if (ret == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	return ret;
}

void
control_socket_close(const struct app_devices *devices, int fd)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int other, lock = socket_lock(devices);

	close(fd);
	strcpy(address.sun_path, devices->control);
	/* If somebody else replaced the file, that process answers. */
	other = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (other >= 0) {
		if (connect(other, (struct sockaddr *)&address, sizeof(address)) < 0 &&
		    errno == ECONNREFUSED)
			(void)unlink(devices->control);
		close(other);
	}
	if (lock >= 0)
		close(lock);
}
