/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Paths that devices of this process have, so that no two of them take the same one.
 * Input: devices that are created and destroyed. Output: yes, or the name of the other device.
 * Thread: any.
 */
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

int
vduse_dev_path_take(struct rte_vduse_dev *dev)
{
	struct rte_vduse_dev *other;

	if (dev->transport->shares_paths)
		return 0;
	pthread_mutex_lock(&dev_path.lock);
	TAILQ_FOREACH(other, &dev_path.devices, next_path)
		if (strcmp(other->path, dev->path) == 0)
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
