/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Paths of devices: their syntax, and which are in use, so that no two devices of this process
 * have the same one.
 * Input: paths, devices that are created and destroyed. Output: names, or errors.
 * Thread: any.
 */
#include <ctype.h>
#include <errno.h>
#include <pthread.h>
#include <string.h>

#include <vduse/core/device.h>
#include <vduse/core/log.h>

static struct {
	pthread_mutex_t lock;
	TAILQ_HEAD(, rte_vduse_dev) devices;
} dev_path = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.devices = TAILQ_HEAD_INITIALIZER(dev_path.devices),
};

bool
rte_vduse_path_is_socket(const char *path)
{
	/* /dev/vduse without a name is a mistake, not a socket. */
	return strncmp(path, RTE_VDUSE_PATH, strlen(RTE_VDUSE_PATH)) != 0 &&
	       strcmp(path, "/dev/vduse") != 0 && strchr(path, '/') != NULL;
}

static bool
dev_name_ok(const char *name)
{
	size_t len = strnlen(name, RTE_VDUSE_NAME_MAX), i;

	if (len == 0 || len == RTE_VDUSE_NAME_MAX || strcmp(name, "control") == 0 ||
	    strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return false;
	for (i = 0; i < len; i++)
		if (!isascii(name[i]) || (!isalnum(name[i]) && strchr("._-", name[i]) == NULL))
			return false;
	return true;
}

const char *
rte_vduse_path_name(const char *path)
{
	const char *name;

	if (path == NULL)
		return NULL;
	if (rte_vduse_path_is_socket(path)) {
		/* The last component. */
		name = strrchr(path, '/') + 1;
		if (strlen(path) >= RTE_VDUSE_SOCKET_MAX || name[0] == '\0' ||
		    strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
			return NULL;
		return name;
	}
	if (strncmp(path, RTE_VDUSE_PATH, strlen(RTE_VDUSE_PATH)) != 0)
		return NULL;
	name = path + strlen(RTE_VDUSE_PATH);
	return dev_name_ok(name) ? name : NULL;
}

int
vduse_dev_path_take(struct rte_vduse_dev *dev)
{
	struct rte_vduse_dev *other;

	if (dev->transport->shares_paths)
		return 0;
	pthread_mutex_lock(&dev_path.lock);
	/* One that is handed over may come from this process, too. */
	TAILQ_FOREACH(other, &dev_path.devices, next_path)
		if (strcmp(other->path, dev->path) == 0 && dev->from == NULL)
			break;
	if (other == NULL)
		TAILQ_INSERT_TAIL(&dev_path.devices, dev, next_path);
	else
		VDUSE_LOG(dev, ERR, dev->owner, "%s of this process has %s: use another path",
			  other->owner, dev->path);
	pthread_mutex_unlock(&dev_path.lock);
	return other == NULL ? 0 : -EBUSY;
}

void
vduse_dev_path_leave(struct rte_vduse_dev *dev)
{
	if (dev->transport->shares_paths)
		return;
	pthread_mutex_lock(&dev_path.lock);
	TAILQ_REMOVE(&dev_path.devices, dev, next_path);
	pthread_mutex_unlock(&dev_path.lock);
}
