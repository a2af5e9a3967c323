/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Registration of paths: those below /dev/vduse/ become devices here, any other goes on to
 * librte_vhost.
 * Input: calls of the application. Output: devices, started or removed.
 * Thread: the application's. The start runs on a thread of its own, because it waits for the
 * kernel, which may wait for callbacks.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <linux/virtio_ids.h>
#include <linux/virtio_net.h>

#include <rte_bitops.h>
#include <rte_ether.h>

#include <compat/thread.h>

#include <vhost/vhost.h>

#define REGISTER_QUEUE_SIZE 1024

/* Who gets the device, from the environment: a preloaded library has no other configuration. */
static enum rte_vduse_attach
register_attach(const char *path)
{
	const char *attach = getenv("DPDK_VDUSE_ATTACH");

	if (attach == NULL || *attach == '\0' || strcmp(attach, "none") == 0)
		return RTE_VDUSE_ATTACH_NONE;
	if (strcmp(attach, "virtio") == 0)
		return RTE_VDUSE_ATTACH_VIRTIO;
	if (strcmp(attach, "vhost") == 0)
		return RTE_VDUSE_ATTACH_VHOST;
	VHOST_LOG(ERR, path, "DPDK_VDUSE_ATTACH=%s is ignored: use none, virtio or vhost", attach);
	return RTE_VDUSE_ATTACH_NONE;
}

/* A network device of one pair. */
static struct vhost_dev *
register_new(const char *path, uint64_t flags)
{
	struct vhost_dev *dev = calloc(1, sizeof(*dev));
	struct virtio_net_config *config;

	if (dev == NULL)
		return NULL;
	strcpy(dev->path, path); /* rte_vduse_path_name() checked its length */
	dev->flags = flags;
	dev->vid = -1;
	dev->builtin = true;
	dev->conf = (struct rte_vduse_vhost_conf){
		.device_id = VIRTIO_ID_NET,
		.nb_vqs = 2,
		.queue_size = REGISTER_QUEUE_SIZE,
		.config_size = sizeof(*config),
		.attach = register_attach(path),
	};
	config = (void *)dev->config;
	rte_eth_random_addr(config->mac);
	config->status = rte_cpu_to_le_16(VIRTIO_NET_S_LINK_UP);
	config->max_virtqueue_pairs = rte_cpu_to_le_16(1);
	vhost_features_init(dev);
	return dev;
}

int
rte_vhost_driver_register(const char *path, uint64_t flags)
{
	struct vhost_dev *dev;

	if (!vhost_path_is_vduse(path))
		return VHOST_REAL(driver_register, -ENOTSUP, path, flags);
	if (rte_vduse_path_name(path) == NULL) {
		VHOST_LOG(ERR, path,
			  "not the path of a VDUSE device: use up to %d letters, "
			  "digits, '.', '_' and '-' after %s",
			  RTE_VDUSE_NAME_MAX - 1, RTE_VDUSE_PATH);
		return -1;
	}
	dev = register_new(path, flags);
	if (dev == NULL)
		return -1;
	vhost_lock();
	if (vhost_dev_find(path) != NULL) {
		vhost_unlock();
		free(dev);
		VHOST_LOG(ERR, path, "registered twice: unregister it first");
		return -1;
	}
	TAILQ_INSERT_TAIL(&vhost_dev_list, dev, next);
	vhost_unlock();
	return 0;
}

static uint32_t
register_start_thread(void *arg)
{
	struct vhost_dev *dev = arg;

	/* A failure is logged; the device stays, so that "vdpa dev add" can be run by hand. */
	(void)rte_vduse_dev_start(dev->dev, dev->conf.attach);
	vhost_lock();
	dev->life = VHOST_DEV_STARTED;
	vhost_changed();
	vhost_unlock();
	return 0;
}

/* Takes the device and its id away from the application. */
static void
register_disconnect(struct vhost_dev *dev)
{
	vhost_lock();
	dev->connect = false;
	vhost_changed();
	vhost_events_settle(dev);
	vhost_dev_unpublish(dev);
	vhost_unlock();
}

/*
 * Asks the application for the configuration space, through the handler that it installs in
 * new_connection. The device keeps its id.
 */
static int
register_ask(struct vhost_dev *dev)
{
	int ret;

	vhost_lock();
	ret = vhost_dev_publish(dev);
	if (ret == 0) {
		dev->connect = true;
		vhost_changed();
		vhost_events_settle(dev);
	}
	vhost_unlock();
	return ret < 0 ? ret : vhost_extern_config(dev);
}

/* Announces a device to the application and its driver. Waits for neither. */
static int
register_show(struct vhost_dev *dev)
{
	int ret = 0;

	vhost_lock();
	if (dev->vid < 0)
		ret = vhost_dev_publish(dev);
	if (ret == 0)
		ret = vduse_thread_create("vduse-start", register_start_thread, dev);
	if (ret == 0)
		dev->connect = true;
	else
		VHOST_LOG(ERR, dev->path, "cannot be started: %s", strerror(-ret));
	vhost_changed();
	vhost_unlock();
	return ret;
}

/* Not under the mutex, because creation waits for the kernel, and the control thread needs it. */
static int
register_start(struct vhost_dev *dev)
{
	int ret;

	ret = vhost_events_start();
	if (ret == 0 && dev->conf.config_size == 0)
		ret = register_ask(dev);
	if (ret == 0)
		ret = vhost_dev_create(dev);
	if (ret < 0)
		goto disconnect;
	ret = register_show(dev);
	if (ret == 0)
		return 0;
	vhost_dev_destroy(dev);
disconnect:
	if (dev->vid >= 0)
		register_disconnect(dev);
	return ret;
}

int
rte_vhost_driver_start(const char *path)
{
	struct vhost_dev *dev;
	int ret;

	if (!vhost_path_is_vduse(path))
		return VHOST_REAL(driver_start, -ENOTSUP, path);
	vhost_lock();
	dev = vhost_dev_find(path);
	if (dev == NULL || dev->life != VHOST_DEV_REGISTERED) {
		vhost_unlock();
		return -1;
	}
	dev->life = VHOST_DEV_STARTING;
	vhost_unlock();
	ret = register_start(dev);
	if (ret < 0) {
		vhost_lock();
		dev->life = VHOST_DEV_REGISTERED;
		vhost_changed();
		vhost_unlock();
	}
	return ret < 0 ? -1 : 0;
}

int
rte_vhost_driver_unregister(const char *path)
{
	struct vhost_dev *dev;
	bool started;

	if (!vhost_path_is_vduse(path))
		return VHOST_REAL(driver_unregister, -ENOTSUP, path);
	if (vhost_events_self()) {
		VHOST_LOG(ERR, path, "cannot be unregistered by a callback: it waits for them");
		return -1;
	}
	vhost_lock();
	dev = vhost_dev_find(path);
	if (dev == NULL) {
		vhost_unlock();
		return -1;
	}
	while (dev->life == VHOST_DEV_STARTING)
		vhost_wait();
	started = dev->life == VHOST_DEV_STARTED;
	dev->life = VHOST_DEV_REMOVING;
	vhost_unlock();
	/* The driver is removed first, then the application is told. */
	if (started) {
		rte_vduse_dev_stop(dev->dev);
		register_disconnect(dev);
		vhost_dev_destroy(dev);
	}
	vhost_lock();
	TAILQ_REMOVE(&vhost_dev_list, dev, next);
	vhost_unlock();
	free(dev);
	return 0;
}

int
rte_vhost_driver_callback_register(const char *path, struct rte_vhost_device_ops const *const ops)
{
	struct vhost_dev *dev;

	if (!vhost_path_is_vduse(path))
		return VHOST_REAL(driver_callback_register, -ENOTSUP, path, ops);
	vhost_lock();
	dev = vhost_dev_find(path);
	if (dev != NULL)
		dev->ops = ops;
	vhost_unlock();
	return dev != NULL ? 0 : -1;
}
