/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * rte_vduse_vhost_configure(): what a path is if not a network device of one queue pair.
 * Thread: the application's.
 */
#include <errno.h>
#include <string.h>

#include <rte_bitops.h>

#include <vhost/vhost.h>

static int
configure_check(const char *path, const struct rte_vduse_vhost_conf *conf)
{
	if (conf->config_size > RTE_VDUSE_VHOST_CONFIG_MAX) {
		VHOST_LOG(ERR, path, "%u bytes of configuration space: use up to %u",
			  conf->config_size, RTE_VDUSE_VHOST_CONFIG_MAX);
		return -EINVAL;
	}
	if (conf->queue_size != 0 && (conf->queue_size < 2 || conf->queue_size > 32768 ||
				      !rte_is_power_of_2(conf->queue_size))) {
		VHOST_LOG(ERR, path, "queue size %u: use a power of two from 2 to 32768",
			  conf->queue_size);
		return -EINVAL;
	}
	return 0;
}

/* Under the mutex. */
static void
configure_apply(struct vhost_dev *dev, const struct rte_vduse_vhost_conf *conf)
{
	/* The configuration space of another type is not valid any more. */
	if (conf->device_id != 0 && conf->device_id != dev->conf.device_id) {
		dev->conf.device_id = conf->device_id;
		dev->conf.config_size = 0;
	}
	if (conf->nb_vqs != 0)
		dev->conf.nb_vqs = conf->nb_vqs;
	if (conf->queue_size != 0)
		dev->conf.queue_size = conf->queue_size;
	if (conf->attach != RTE_VDUSE_ATTACH_NONE)
		dev->conf.attach = conf->attach;
	if (conf->config != NULL) {
		memset(dev->config, 0, sizeof(dev->config));
		memcpy(dev->config, conf->config, conf->config_size);
		dev->conf.config_size = conf->config_size;
	}
	if (dev->builtin)
		vhost_features_init(dev);
}

int
rte_vduse_vhost_configure(const char *path, const struct rte_vduse_vhost_conf *conf)
{
	struct vhost_dev *dev;
	int ret = configure_check(path, conf);

	if (ret < 0)
		return ret;
	vhost_lock();
	dev = vhost_dev_find(path);
	if (dev == NULL)
		ret = -ENOENT;
	else if (dev->life != VHOST_DEV_REGISTERED)
		ret = -EBUSY;
	else
		configure_apply(dev, conf);
	vhost_unlock();
	if (ret < 0)
		VHOST_LOG(ERR, path,
			  "cannot be configured: register it first, start it afterwards");
	return ret;
}
