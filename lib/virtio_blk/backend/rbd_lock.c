/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Allows one writer for an image of librbd, with the cluster's exclusive lock: another writer is
 * refused while this process lives, and requests of a dead one that are still in flight in the
 * cluster are blocked, because they could overwrite later data. A local file names the lock owner,
 * so that the next process need not wait until the cluster notices the death.
 * Input: an open image. Output: the lock. Thread: the application's.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include <virtio_blk/backend/rbd.h>
#include <virtio_blk/blk.h>

/* An address, as the cluster writes it. */
#define LOCK_OWNER_MAX 256

static int
lock_path(const struct image_backend *rbd, char *path, size_t size)
{
	char fsid[37], id[64];

	if (rados_cluster_fsid(rbd->cluster, fsid, sizeof(fsid)) < 0 ||
	    rbd_get_id(rbd->image, id, sizeof(id)) < 0)
		return -EINVAL;
	snprintf(path, size, "%s/rbd-%s-%lld-%s.lock", rte_vduse_state_dir(), fsid,
		 (long long)rados_ioctx_get_id(rbd->pool), id);
	return 0;
}

/* Opens and locks the file: its writer is dead then. -EBUSY: it is alive. -1: no file. */
static int
lock_file(const struct image_backend *rbd, char *path, size_t size)
{
	int fd;

	if (lock_path(rbd, path, size) < 0)
		return -1;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) == 0)
		return fd;
	close(fd);
	return -EBUSY;
}

static bool
lock_owner(const struct image_backend *rbd, char *owner)
{
	rbd_lock_mode_t mode;
	size_t nb = 1;
	char *owners[1];

	if (rbd_lock_get_owners(rbd->image, &mode, owners, &nb) < 0 || nb == 0)
		return false;
	snprintf(owner, LOCK_OWNER_MAX, "%s", owners[0]);
	rbd_lock_get_owners_cleanup(owners, nb);
	return true;
}

/* Breaks the lock if its owner is still the process that the file names. */
static void
lock_break(const struct image_backend *rbd, const char *device, const char *name)
{
	char owner[LOCK_OWNER_MAX], dead[LOCK_OWNER_MAX] = "";
	int ret;

	if (pread(rbd->lock, dead, sizeof(dead) - 1, 0) <= 0 || !lock_owner(rbd, owner) ||
	    strcmp(owner, dead) != 0)
		return;
	ret = rbd_lock_break(rbd->image, RBD_LOCK_MODE_EXCLUSIVE, owner);
	VBLK_LOG(NOTICE, device, "rbd: image %s: the lock of a process that was killed, %s, %s",
		 name, owner, ret < 0 ? "stays for a while" : "was taken from it");
}

/* Writes the owner to the file. Without it, the next process has to wait after a kill. */
static void
lock_note(const struct image_backend *rbd)
{
	char owner[LOCK_OWNER_MAX];

	if (ftruncate(rbd->lock, 0) < 0 || !lock_owner(rbd, owner))
		return;
	if (pwrite(rbd->lock, owner, strlen(owner), 0) < 0)
		(void)ftruncate(rbd->lock, 0);
}

/* librbd returns -EROFS if another writer does not release the lock. */
static int
lock_error(const char *device, const char *name, int ret)
{
	if (ret != -EROFS && ret != -EBUSY) {
		VBLK_LOG(ERR, device, "rbd: cannot lock image %s: %s", name, strerror(-ret));
		return ret;
	}
	VBLK_LOG(ERR, device,
		 "rbd: image %s: somebody else writes to it, see rbd status and "
		 "rbd lock ls",
		 name);
	return -EBUSY;
}

int
image_lock(struct image_backend *rbd, const char *device, const char *name)
{
	uint64_t features;
	char path[PATH_MAX];
	int ret;

	ret = rbd_get_features(rbd->image, &features);
	if (ret < 0)
		return lock_error(device, name, ret);
	if (!(features & RBD_FEATURE_EXCLUSIVE_LOCK)) {
		VBLK_LOG(WARNING, device,
			 "rbd: image %s has no exclusive-lock: take care that "
			 "nobody else writes to it, or use rbd feature enable",
			 name);
		return 0;
	}
	rbd->lock = lock_file(rbd, path, sizeof(path));
	if (rbd->lock == -EBUSY)
		return lock_error(device, name, -EBUSY);
	if (rbd->lock >= 0)
		lock_break(rbd, device, name);
	ret = rbd_lock_acquire(rbd->image, RBD_LOCK_MODE_EXCLUSIVE);
	if (ret == 0 && rbd->lock >= 0)
		lock_note(rbd);
	if (ret < 0 && rbd->lock >= 0)
		close(rbd->lock);
	return ret < 0 ? lock_error(device, name, ret) : 0;
}

void
image_unlock(struct image_backend *rbd)
{
	char path[PATH_MAX];

	if (rbd->lock < 0)
		return;
	(void)rbd_lock_release(rbd->image);
	if (lock_path(rbd, path, sizeof(path)) == 0)
		(void)unlink(path);
	close(rbd->lock);
}
