/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * The state file of a device: open, check, close. Its parts are in state_part.c. See state.h.
 * Input: a device. Output: memory backed by a file of its name.
 * Thread: the application's; the control thread for updates while the device runs.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <rte_jhash.h>
#include <rte_vduse_compat.h>

#include <vduse/core/device.h>
#include <vduse/core/log.h>
#include <vduse/core/state_file.h>
#include <vduse/handover/handover.h>

static_assert(VDUSE_ASID_MAX == 2, "the file has one bit for each group");

#define STATE_DIR "/run/vduse"

const char *
rte_vduse_state_dir(void)
{
	const char *dir = getenv("DPDK_VDUSE_RUN_DIR");

	if (dir == NULL || *dir == '\0')
		dir = STATE_DIR;
	(void)mkdir(dir, 0700);
	return dir;
}

uint32_t
vduse_state_socket_hash(const char *path)
{
	/* rte_jhash reads whole words, so it may read beyond the end of the path. */
	uint32_t key[PATH_MAX / sizeof(uint32_t)] = { 0 };
	size_t len = strnlen(path, sizeof(key));

	memcpy(key, path, len);
	return rte_jhash(key, (uint32_t)len, 0) | 1;
}

/* The file name of a socket includes a hash of its path, as its name may exist in many folders. */
static void
state_path(const char *device, char *path, size_t size)
{
	const char *dir = rte_vduse_state_dir(), *name = rte_vduse_path_name(device);

	if (rte_vduse_path_is_socket(device))
		snprintf(path, size, "%s/%.*s-%08x.state", dir, RTE_VDUSE_NAME_MAX - 1, name,
			 vduse_state_socket_hash(device));
	else
		snprintf(path, size, "%s/%s.state", dir, name);
}

/* A folder that other users can write to is refused: they could place files and links there. */
static int
state_dir_check(void)
{
	struct stat stat;

	if (lstat(rte_vduse_state_dir(), &stat) < 0)
		return -errno;
	if (!S_ISDIR(stat.st_mode) || (stat.st_uid != geteuid() && stat.st_uid != 0) ||
	    (stat.st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return -EPERM;
	return 0;
}

static int
state_fail(const struct rte_vduse_dev *dev, const char *path, int err, bool quiet)
{
	const char *reason = strerror(err);

	if (err == EBUSY || err == EWOULDBLOCK)
		reason = "another process has it open";
	else if (err == EPERM)
		reason = "its folder must belong to this user or root, and nobody else may write "
			 "to it";
	if (!quiet)
		VDUSE_LOG(dev, ERR, dev->name,
			  "state file %s: %s; DPDK_VDUSE_RUN_DIR can name another folder", path,
			  reason);
	return err == EWOULDBLOCK ? -EBUSY : -err;
}

/* Opens the file with an exclusive lock. */
static int
state_open_locked(const char *path)
{
	int fd, ret;

	ret = state_dir_check();
	if (ret < 0)
		return ret;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return fd;
	ret = -errno;
	close(fd);
	return ret;
}

/* Of the process that hands the device over. The lock comes with the file. */
static int
state_given(struct rte_vduse_handover *from)
{
	int fd = from->state_fd;

	from->state_fd = -1;
	return fd;
}

static int
state_header_read(int fd, struct vduse_state_header *header)
{
	if (pread(fd, header, sizeof(*header), 0) != (ssize_t)sizeof(*header) ||
	    memcmp(header->magic, VDUSE_STATE_MAGIC, sizeof(header->magic)) != 0)
		return -ENOENT;
	return header->version == VDUSE_STATE_VERSION ? 0 : -EPROTO;
}

/* Reads the header of the file that is there for a device's path. */
static int
state_read(const char *device, struct vduse_state_header *header)
{
	char path[PATH_MAX];
	int fd, ret;

	state_path(device, path, sizeof(path));
	fd = state_dir_check() < 0 ? -1 : open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return -ENOENT;
	ret = state_header_read(fd, header);
	close(fd);
	if (ret < 0 ||
	    strncmp(header->name, rte_vduse_path_name(device), sizeof(header->name) - 1) != 0)
		return -ENOENT;
	return 0;
}

int
vduse_state_take_groups(struct rte_vduse_dev *dev)
{
	struct vduse_state_header header;
	uint32_t group;

	if (dev->nb_spaces == 1)
		return 0;
	if (state_read(dev->path, &header) < 0 || header.nb_vqs != dev->nb_vqs ||
	    header.nb_groups != dev->nb_spaces)
		return -ENOENT;
	for (group = 0; group < dev->nb_spaces; group++)
		dev->group_asid[group] = header.moved >> group & 1;
	return 0;
}

int
vduse_state_read(const char *device, struct rte_vduse_left *left)
{
	struct vduse_state_header header;

	if (state_read(device, &header) < 0)
		return -ENOENT;
	*left = (struct rte_vduse_left){
		.device_id = header.device_id,
		.nb_vqs = header.nb_vqs,
		.vq_size = header.vq_size,
		.offered = header.offered,
		.features = header.features,
		.config_size = RTE_MIN(header.config_size, (uint32_t)RTE_VDUSE_LEFT_CONFIG_MAX),
		.has_parts = header.has_parts != 0,
	};
	memcpy(left->config, header.config, sizeof(left->config));
	return 0;
}

static struct vduse_state_header
state_header_new(const struct rte_vduse_dev *dev)
{
	struct vduse_state_header header;

	memset(&header, 0, sizeof(header));
	memcpy(header.magic, VDUSE_STATE_MAGIC, sizeof(header.magic));
	header.version = VDUSE_STATE_VERSION;
	header.device_id = dev->device_id;
	header.offered = dev->offered;
	header.nb_vqs = dev->nb_vqs;
	header.vq_size = dev->vq_size;
	header.config_size = dev->config_size;
	snprintf(header.name, sizeof(header.name), "%s", rte_vduse_path_name(dev->path));
	return header;
}

/* The reason why a file that a dead process left cannot be used; NULL: it can. */
static const char *
state_mismatch(int fd, const struct vduse_state_header *wanted, bool *version)
{
	struct vduse_state_header header;
	struct stat stat;
	int ret;

	if (fstat(fd, &stat) < 0 || stat.st_size == 0)
		return "there was none";
	ret = state_header_read(fd, &header);
	*version = ret == -EPROTO;
	if (ret == -EPROTO)
		return "it is of another version";
	if (ret < 0)
		return "it is not a state file";
	if (header.device_id != wanted->device_id || header.nb_vqs != wanted->nb_vqs ||
	    memcmp(header.name, wanted->name, sizeof(header.name)) != 0)
		return "it is of another device";
	if (!vduse_state_whole(fd, &header, (uint64_t)stat.st_size))
		return "it is cut off";
	return NULL;
}

/* Truncates the file, then allocates all of it: zeroes after the header. */
static int
state_init(int fd, const struct vduse_state_header *header)
{
	int ret;

	if (ftruncate(fd, 0) < 0)
		return -errno;
	ret = posix_fallocate(fd, 0, (off_t)vduse_state_header_len(header->nb_vqs));
	if (ret != 0) {
		/* Frees the space that was allocated before it failed. */
		(void)ftruncate(fd, 0);
		return -ret;
	}
	if (pwrite(fd, header, sizeof(*header), 0) != (ssize_t)sizeof(*header))
		return -EIO;
	return 0;
}

/*
 * Keeps the content of the file if it fits the device, or initializes it. A file of another version
 * is left alone: the program that wrote it may need it to know what is in flight. So is one that
 * another process has given, and still uses.
 */
static int
state_keep_or_init(const struct rte_vduse_dev *dev, const char *path, int fd, bool given,
		   bool *kept)
{
	struct vduse_state_header header = state_header_new(dev);
	const char *mismatch = "the device is new";
	bool version = false;

	/* Whether a socket's driver was served before is known only once it connects. */
	if (dev->taken_over || dev->socket || given)
		mismatch = state_mismatch(fd, &header, &version);
	*kept = mismatch == NULL;
	if (version) {
		VDUSE_LOG(
			dev, ERR, dev->name,
			"another version of this program wrote %s, and its driver may still be up: "
			"start that version, or unbind the driver and remove the file",
			path);
		return -EPROTO;
	}
	if (mismatch != NULL && given) {
		VDUSE_LOG(dev, ERR, dev->name, "the state file that comes with it does not fit: %s",
			  mismatch);
		return -EPROTO;
	}
	if (mismatch != NULL && dev->taken_over)
		VDUSE_LOG(dev, WARNING, dev->name,
			  "state file %s does not tell what was in flight: %s", path, mismatch);
	return mismatch != NULL ? state_init(fd, &header) : 0;
}

int
rte_vduse_state_open(struct rte_vduse_dev *dev, bool quiet)
{
	size_t len = vduse_state_header_len(dev->nb_vqs);
	void *va = MAP_FAILED;
	bool kept = false, given = dev->from != NULL && dev->from->state_fd >= 0;
	char path[PATH_MAX];
	int fd, ret;

	if (dev->state.header != NULL)
		return 0;
	state_path(dev->path, path, sizeof(path));
	fd = given ? state_given(dev->from) : state_open_locked(path);
	if (fd < 0)
		return state_fail(dev, path, -fd, quiet);
	ret = state_keep_or_init(dev, path, fd, given, &kept);
	if (ret == 0) {
		va = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);
		ret = va == MAP_FAILED ? -errno : 0;
	}
	if (ret < 0) {
		close(fd);
		return ret == -EPROTO ? ret : state_fail(dev, path, -ret, quiet);
	}
	dev->state = (struct vduse_state){
		.header = va,
		.header_len = len,
		.fd = fd,
		.kept = kept,
	};
	dev->state.header->offered = dev->offered;
	dev->state.header->nb_groups = dev->nb_spaces;
	vduse_state_groups(dev);
	vduse_state_config(dev, 0, dev->config, dev->config_size);
	return 0;
}

void
vduse_state_close(struct rte_vduse_dev *dev, bool remove)
{
	struct vduse_state *state = &dev->state;
	char path[PATH_MAX];

	if (state->header == NULL)
		return;
	state_path(dev->path, path, sizeof(path));
	if (remove)
		(void)unlink(path);
	munmap(state->header, state->header_len);
	close(state->fd);
	memset(state, 0, sizeof(*state));
}

void
vduse_state_features(struct rte_vduse_dev *dev, uint64_t features)
{
	if (dev->state.header != NULL)
		rte_atomic_store_explicit(&dev->state.header->features, features,
					  rte_memory_order_relaxed);
}

void
vduse_state_groups(struct rte_vduse_dev *dev)
{
	uint16_t moved = 0;
	uint32_t group;

	if (dev->state.header == NULL)
		return;
	for (group = 0; group < dev->nb_spaces; group++)
		moved |= (uint16_t)(dev->group_asid[group] << group);
	rte_atomic_store_explicit(&dev->state.header->moved, moved, rte_memory_order_relaxed);
}

void
vduse_state_config(struct rte_vduse_dev *dev, uint32_t offset, const void *data, uint32_t len)
{
	if (dev->state.header == NULL || offset >= RTE_VDUSE_LEFT_CONFIG_MAX)
		return;
	memcpy(dev->state.header->config + offset, data,
	       RTE_MIN(len, RTE_VDUSE_LEFT_CONFIG_MAX - offset));
}

bool
vduse_state_file(const struct rte_vduse_dev *dev, char *path, size_t size)
{
	if (dev->state.header == NULL)
		return false;
	state_path(dev->path, path, size);
	return true;
}
