/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * The socket file of a vhost-user device.
 * Input: its path. Output: a path that is free for a new socket: one that a dead process left is
 * removed, one that is served or no socket is kept, with an error.
 * Thread: the creator's.
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
#include <unistd.h>

#include <vduse/core/device.h>
#include <vduse/core/log.h>
#include <vduse/vhost_user/vhost_user.h>

/* How long another process of this library may hold the lock to create or remove a socket. */
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
	/* With a time limit, because any process that can read the folder can lock it. */
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

int
vhost_user_path_connect(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd, ret;

	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	strcpy(address.sun_path, path); /* dev_conf_check() has measured it */
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	ret = -errno;
	close(fd);
	return ret;
}

static int
path_take_over(const char *name, const char *path)
{
	int ret = vhost_user_path_connect(path);

	if (ret >= 0)
		close(ret);
	if (ret != -ECONNREFUSED) {
		/* For example -EAGAIN: a process listens, and its backlog is full. */
		VDUSE_LOG(dev, ERR, name,
			  "somebody serves %s (%s): choose another path or stop "
			  "that process",
			  path, ret >= 0 ? "it answers" : strerror(-ret));
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
vhost_user_path_prepare(const char *name, const char *path)
{
	struct stat st;
	int ret;

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

int
vhost_user_path_access(struct vhost_user *vu, const struct rte_vduse_dev_conf *conf)
{
	char *end, room[4096];
	struct group entry, *found = NULL;

	vu->mode = conf->socket_mode != 0 ? conf->socket_mode : 0600;
	vu->gid = (gid_t)-1;
	if (conf->socket_group == NULL)
		return 0;
	(void)getgrnam_r(conf->socket_group, &entry, room, sizeof(room), &found);
	if (found != NULL) {
		vu->gid = found->gr_gid;
		return 0;
	}
	vu->gid = (gid_t)strtoul(conf->socket_group, &end, 10);
	if (conf->socket_group[0] >= '0' && conf->socket_group[0] <= '9' && *end == '\0')
		return 0;
	VDUSE_LOG(dev, ERR, vu->dev->name,
		  "no group %s for the socket: use the name or the number "
		  "of one",
		  conf->socket_group);
	return -EINVAL;
}

/*
 * By descriptor, because the path may be replaced by a link. The group is set first, because
 * chown() clears mode bits.
 */
static int
path_permit_fd(const struct vhost_user *vu, int fd)
{
	char self[32];
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISSOCK(st.st_mode))
		return -ENOTSOCK;
	if (vu->gid != (gid_t)-1 && fchownat(fd, "", (uid_t)-1, vu->gid, AT_EMPTY_PATH) < 0)
		return -errno;
	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	return chmod(self, vu->mode) < 0 ? -errno : 0;
}

int
vhost_user_path_permit(const struct vhost_user *vu)
{
	int fd, ret;

	if (vu->client || (vu->mode == 0600 && vu->gid == (gid_t)-1))
		return 0;
	fd = open(vu->path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	ret = fd < 0 ? -errno : path_permit_fd(vu, fd);
	if (fd >= 0)
		close(fd);
	if (ret < 0)
		VDUSE_LOG(dev, ERR, vu->dev->name, "cannot give %s its mode and group: %s",
			  vu->path, strerror(-ret));
	return ret;
}
