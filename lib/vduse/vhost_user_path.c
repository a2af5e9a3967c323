/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The file of a vhost-user socket. In flows a path, out flows room for a socket there: what a
 * dead process left is removed, what somebody serves is not. On the thread that creates the
 * device.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"
#include "vhost_user.h"

/* How long another process of this library may take to make or remove a socket in the folder. */
#define PATH_LOCK_MS 5000

static void
path_folder(const char *path, char folder[RTE_VDUSE_SOCKET_MAX])
{
	size_t len = (size_t)(strrchr(path, '/') - path);

	if (len == 0)
		len = 1;
	memcpy(folder, path, len);
	folder[len] = '\0';
}

int
vhost_user_path_lock(const char *name, const char *path)
{
	char folder[RTE_VDUSE_SOCKET_MAX];
	unsigned int ms = 0;
	int fd, ret;

	path_folder(path, folder);
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	/* Not for ever: whoever can read the folder can lock it. */
	while ((ret = flock(fd, LOCK_EX | LOCK_NB)) < 0 && errno == EWOULDBLOCK &&
	       ms++ < PATH_LOCK_MS)
		usleep(1000);
	if (ret == 0)
		return fd;
	ret = -errno;
	close(fd);
	VDUSE_LOG(dev, ERR, name, "somebody has locked %s for %u s: see lsof %s", folder,
		  PATH_LOCK_MS / 1000, folder);
	return ret == -EWOULDBLOCK ? -EBUSY : ret;
}

static int
path_check_folder(const char *name, const char *path)
{
	char folder[RTE_VDUSE_SOCKET_MAX];
	int err;

	path_folder(path, folder);
	if (access(folder, W_OK | X_OK) == 0)
		return 0;
	err = errno;
	if (err == ENOENT || err == ENOTDIR)
		VDUSE_LOG(dev, ERR, name, "no directory %s for the socket: create it", folder);
	else
		VDUSE_LOG(dev, ERR, name, "cannot make a socket in %s: %s", folder, strerror(err));
	return -err;
}

/* Whether somebody listens at a socket: 0, or why not as a negative errno. */
static int
path_connect(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd, ret;

	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	strcpy(address.sun_path, path); /* dev_conf_check() has measured it */
	ret = connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ? -errno : 0;
	close(fd);
	return ret;
}

static int
path_take_over(const char *name, const char *path)
{
	int ret = path_connect(path);

	if (ret != -ECONNREFUSED) {
		/* -EAGAIN, for one: somebody listens and has many connections waiting. */
		VDUSE_LOG(dev, ERR, name, "somebody serves %s (%s): choose another path or stop "
			  "that process", path, ret == 0 ? "it answers" : strerror(-ret));
		return -EBUSY;
	}
	if (unlink(path) < 0 && errno != ENOENT) {
		ret = -errno;
		VDUSE_LOG(dev, ERR, name, "cannot remove %s, which a dead process left: %s", path,
			  strerror(-ret));
		return ret;
	}
	VDUSE_LOG(dev, NOTICE, name, "removed %s, which a dead process left", path);
	return 0;
}

int
vhost_user_path_prepare(const char *name, const char *path, bool client)
{
	struct stat st;
	int ret;

	/* librte_vhost waits for whoever makes the socket, and the directory. */
	if (client)
		return 0;
	ret = path_check_folder(name, path);
	if (ret < 0)
		return ret;
	if (lstat(path, &st) < 0)
		return 0;
	if (!S_ISSOCK(st.st_mode)) {
		VDUSE_LOG(dev, ERR, name, "%s exists and is no socket: choose another path", path);
		return -EEXIST;
	}
	return path_take_over(name, path);
}
