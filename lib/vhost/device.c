/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Devices, by path and by id.
 * Input: the configuration of a path. Output: a device of lib/vduse.
 * Thread: the application's.
 */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <rte_vduse_compat.h>

#include <vhost/vhost.h>

RTE_LOG_REGISTER(vhost_logtype, lib.vduse.vhost, INFO);

static pthread_mutex_t device_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t device_change = PTHREAD_COND_INITIALIZER;

struct vhost_dev_list vhost_dev_list = TAILQ_HEAD_INITIALIZER(vhost_dev_list);
struct vhost_dev *vhost_dev_ids[RTE_MAX_VHOST_DEVICE];

void
vhost_lock(void)
{
	pthread_mutex_lock(&device_mutex);
}

void
vhost_unlock(void)
{
	pthread_mutex_unlock(&device_mutex);
}

void
vhost_changed(void)
{
	pthread_cond_broadcast(&device_change);
}

void
vhost_wait(void)
{
	pthread_cond_wait(&device_change, &device_mutex);
}

bool
vhost_wait_ms(unsigned int ms)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += (long)ms * 1000000;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	return pthread_cond_timedwait(&device_change, &device_mutex, &until) == 0;
}

struct vhost_dev *
vhost_dev_find(const char *path)
{
	struct vhost_dev *dev;

	TAILQ_FOREACH(dev, &vhost_dev_list, next)
		if (dev->life != VHOST_DEV_REMOVING && strcmp(dev->path, path) == 0)
			return dev;
	return NULL;
}

int
vhost_dev_publish(struct vhost_dev *dev)
{
	int vid;

	/* From the top, because librte_vhost takes the lowest free id. */
	for (vid = RTE_MAX_VHOST_DEVICE - 1; vid >= 0; vid--) {
		if (vhost_dev_ids[vid] != NULL)
			continue;
		dev->vid = vid;
		/* Release: pairs with the acquire in vhost_dev_get(). */
		rte_atomic_store_explicit(&vhost_dev_ids[vid], dev, rte_memory_order_release);
		return 0;
	}
	VHOST_LOG(ERR, dev->path, "no device id is free: unregister another device");
	return -ENOSPC;
}

void
vhost_dev_unpublish(struct vhost_dev *dev)
{
	rte_atomic_store_explicit(&vhost_dev_ids[dev->vid], NULL, rte_memory_order_release);
	dev->vid = -1;
}

static int
device_create_raw(struct vhost_dev *dev)
{
	struct rte_vduse_dev_conf conf = {
		.size = sizeof(struct rte_vduse_dev_conf),
		.path = dev->path,
		.device_id = dev->conf.device_id,
		.features = dev->features,
		.nb_vqs = dev->conf.nb_vqs,
		.vq_size = dev->conf.queue_size,
		.config = dev->config,
		.config_size = dev->conf.config_size,
		.socket_id = SOCKET_ID_ANY,
		/* So that pages are mapped that the driver never mapped. */
		.umem = true,
		.ops = &vhost_driver_ops,
		.arg = dev,
	};
	int ret = rte_vduse_dev_create(&conf, &dev->dev);

	if (ret == -ENOTSUP)
		VHOST_LOG(ERR, dev->path,
			  "this kernel's VDUSE refuses device type %u with "
			  "features 0x%" PRIx64,
			  conf.device_id, conf.features);
	return ret;
}

int
vhost_dev_create(struct vhost_dev *dev)
{
	uint16_t i;
	int ret;

	ret = dev->builtin ? vhost_net_create(dev) : device_create_raw(dev);
	if (ret < 0)
		return ret;
	dev->vqs = calloc(dev->conf.nb_vqs, sizeof(*dev->vqs));
	if (dev->vqs == NULL) {
		vhost_dev_destroy(dev);
		return -ENOMEM;
	}
	for (i = 0; i < dev->conf.nb_vqs; i++) {
		rte_spinlock_init(&dev->vqs[i].enqueue);
		dev->vqs[i].vq = rte_vduse_dev_vq(dev->dev, i);
		dev->vqs[i].vring = vhost_ring_none;
	}
	ret = vhost_inflight_open(dev);
	if (ret < 0)
		vhost_dev_destroy(dev);
	return ret;
}

void
vhost_dev_destroy(struct vhost_dev *dev)
{
	if (dev->dev != NULL)
		rte_vduse_dev_stop(dev->dev);
	if (dev->vqs != NULL)
		vhost_inflight_close(dev);
	if (dev->net != NULL)
		rte_vduse_net_destroy(dev->net);
	else
		rte_vduse_dev_destroy(dev->dev);
	dev->net = NULL;
	dev->dev = NULL;
	free(dev->vqs);
	dev->vqs = NULL;
	free(dev->memory);
	dev->memory = NULL;
}
