/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Life cycle of a device: create, start, stop, destroy.
 * Input: a configuration from the device type. Output: a device that the control thread serves.
 * Thread: the application's.
 */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <linux/virtio_config.h>

#include <rte_bitops.h>
#include <rte_cycles.h>
#include <rte_string_fns.h>
#include <rte_vduse_compat.h>
#include <rte_vduse_handover.h>

#include <vduse/conf.h>
#include <vduse/core/ctrl_thread.h>
#include <vduse/core/device.h>
#include <vduse/core/log.h>
#include <vduse/handover/handover.h>
#include <vduse/telemetry.h>

static int
dev_conf_check(const struct rte_vduse_dev_conf *conf, const char **name)
{
	*name = rte_vduse_path_name(conf->path);
	if (*name == NULL) {
		VDUSE_LOG(dev, ERR, conf->path == NULL ? "(no path)" : conf->path,
			  "not the path of a device: use " RTE_VDUSE_PATH_USAGE);
		return -EINVAL;
	}
	if (conf->vq_size < 2 || conf->vq_size > 32768 || !rte_is_power_of_2(conf->vq_size)) {
		VDUSE_LOG(dev, ERR, *name, "queue size %u: use a power of two from 2 to 32768",
			  conf->vq_size);
		return -EINVAL;
	}
	if (conf->nb_vqs == 0 || conf->ops == NULL ||
	    (conf->config == NULL && conf->config_size > 0)) {
		VDUSE_LOG(dev, ERR, *name,
			  "%u virtqueues, %u bytes of configuration: a device needs virtqueues, "
			  "ops, and config if config_size is not 0",
			  conf->nb_vqs, conf->config_size);
		return -EINVAL;
	}
	if (conf->ctrl_vqs >= conf->nb_vqs) {
		VDUSE_LOG(dev, ERR, *name,
			  "%u of %u virtqueues in a group of their own: leave at least one in the "
			  "other group",
			  conf->ctrl_vqs, conf->nb_vqs);
		return -EINVAL;
	}
	return 0;
}

static struct rte_vduse_dev *
dev_alloc(const struct rte_vduse_dev_conf *conf, const char *name)
{
	size_t size = sizeof(struct rte_vduse_dev) + conf->nb_vqs * sizeof(struct rte_vduse_vq);
	struct rte_vduse_dev *dev;
	uint16_t i;

	dev = aligned_alloc(RTE_CACHE_LINE_SIZE, RTE_ALIGN_MUL_CEIL(size, RTE_CACHE_LINE_SIZE));
	if (dev == NULL)
		return NULL;
	memset(dev, 0, size);
	(void)rte_strlcpy(dev->path, conf->path, sizeof(dev->path));
	(void)rte_strlcpy(dev->owner, conf->name != NULL ? conf->name : name, sizeof(dev->owner));
	(void)rte_strlcpy(dev->name, rte_vduse_path_is_socket(conf->path) ? dev->owner : name,
			  sizeof(dev->name));
	dev->ops = conf->ops;
	dev->arg = conf->arg;
	dev->fd = -1;
	dev->socket_id = conf->socket_id;
	dev->offered = conf->features;
	dev->config_size = conf->config_size;
	memcpy(dev->config, conf->config, RTE_MIN(conf->config_size, sizeof(dev->config)));
	dev->device_id = conf->device_id;
	dev->socket = rte_vduse_path_is_socket(conf->path);
	dev->memory_limit = conf->memory_limit != 0 ? conf->memory_limit : UINT64_MAX;
	dev->nb_vqs = conf->nb_vqs;
	dev->ctrl_vqs = conf->ctrl_vqs;
	dev->nb_spaces = 1;
	dev->vq_size = conf->vq_size;
	dev->vq_size_max = conf->vq_size;
	dev->want_umem = conf->umem;
	dev->inflight = conf->inflight;
	dev->from = conf->from;
	for (i = 0; i < dev->nb_vqs; i++)
		vduse_vq_init(dev, i);
	return dev;
}

static int
dev_setup_vqs(struct rte_vduse_dev *dev, uint16_t vq_size)
{
	uint16_t i;
	int ret;

	for (i = 0; i < dev->nb_vqs && !dev->taken_over; i++) {
		ret = dev->transport->vq_setup(dev, i, vq_size);
		if (ret < 0) {
			VDUSE_LOG(dev, ERR, dev->name, "virtqueue %u of size %u refused: %s", i,
				  vq_size, strerror(-ret));
			return ret;
		}
	}
	return 0;
}

static_assert(offsetof(struct rte_vduse_dev_conf, path) == sizeof(size_t), "see conf.c");
static_assert(sizeof(struct rte_vduse_dev_conf) ==
		      offsetof(struct rte_vduse_dev_conf, transport_priv) + sizeof(void *),
	      "no padding at the end, see conf.h");

static const struct vduse_transport_ops *
dev_transport(const char *path, const struct vduse_transport_ops *given)
{
	if (given != NULL)
		return given;
	if (path != NULL && rte_vduse_path_is_socket(path))
		return &vduse_transport_vhost_user;
	return &vduse_transport_kernel;
}

int
rte_vduse_dev_create(const struct rte_vduse_dev_conf *conf, struct rte_vduse_dev **result)
{
	const struct vduse_transport_ops *transport;
	struct rte_vduse_dev_conf offer;
	struct rte_vduse_dev *dev;
	const char *name;
	int ret;

	ret = VDUSE_CONF_TAKE(&offer, conf, transport_priv);
	if (ret < 0)
		return ret;
	ret = dev_conf_check(&offer, &name);
	if (ret < 0)
		return ret;
	transport = dev_transport(offer.path, offer.transport);
	ret = vduse_guard_install();
	if (ret < 0)
		return ret;
	/* So that no transport has to check for NULL. */
	if (offer.config == NULL)
		offer.config = "";
	if (!transport->writes_config)
		offer.features &= ~offer.write_features;
	dev = dev_alloc(&offer, name);
	if (dev == NULL) {
		VDUSE_LOG(dev, ERR, name, "no memory for %u virtqueues", offer.nb_vqs);
		return -ENOMEM;
	}
	dev->transport = transport;
	dev->tells_ready = transport->tells_ready;
	dev->transport_priv = offer.transport_priv;
	ret = dev->from != NULL ? vduse_take_check(dev->from, dev->name, &offer) : 0;
	if (ret == 0)
		ret = vduse_dev_path_take(dev);
	if (ret < 0)
		goto free_dev;
	ret = transport->create(dev, &offer);
	if (ret < 0)
		goto leave_path;
	ret = dev_setup_vqs(dev, offer.vq_size);
	if (ret < 0)
		goto destroy;
	/* For the next process, if this one is killed. The device works without the file. */
	if (dev->socket || dev->nb_spaces > 1)
		(void)rte_vduse_state_open(dev, true);
	*result = dev;
	return 0;

destroy:
	transport->destroy(dev);
leave_path:
	vduse_dev_path_leave(dev);
free_dev:
	free(dev);
	return ret;
}

int
vduse_conf_ctrl_vqs(const char *path, const struct vduse_transport_ops *transport)
{
	transport = dev_transport(path, transport);
	return transport->groups != NULL ? transport->groups() : 0;
}

int
rte_vduse_dev_left(const char *path, const struct vduse_transport_ops *transport,
		   void *transport_priv, struct rte_vduse_left *left)
{
	if (rte_vduse_path_name(path) == NULL)
		return -ENOENT;
	memset(left, 0, sizeof(*left));
	return dev_transport(path, transport)->left(path, transport_priv, left);
}

bool
rte_vduse_dev_taken_over(const struct rte_vduse_dev *dev)
{
	return dev->taken_over;
}

uint64_t
rte_vduse_dev_offered(const struct rte_vduse_dev *dev)
{
	return dev->offered;
}

/*
 * The driver of a device that was taken over does not set the status again. The kernel accepts a
 * configuration interrupt only while the driver is up.
 */
static int
dev_resume(struct rte_vduse_dev *dev)
{
	if (dev->transport->config_call(dev) < 0)
		return 0;
	dev->status = VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER |
		      VIRTIO_CONFIG_S_FEATURES_OK | VIRTIO_CONFIG_S_DRIVER_OK;
	dev->resuming = true;
	vduse_status_driver_ok(dev);
	dev->resuming = false;
	return 0;
}

int
rte_vduse_dev_start(struct rte_vduse_dev *dev, enum rte_vduse_attach attach)
{
	int ret;

	ret = dev->from != NULL ? vduse_take(dev) : 0;
	if (ret == 0)
		ret = vduse_ctrl_add(dev);
	if (ret < 0)
		return ret;
	vduse_telemetry_add(dev);
	if (dev->taken_over)
		(void)vduse_ctrl_run(dev_resume, dev);
	if (dev->transport->start != NULL)
		ret = dev->transport->start(dev);
	if (ret == 0 && attach != RTE_VDUSE_ATTACH_NONE && dev->transport->attach != NULL)
		ret = dev->transport->attach(dev, attach);
	if (ret < 0) {
		vduse_ctrl_remove(dev);
		vduse_telemetry_remove(dev);
	} else {
		dev->started = true;
	}
	dev->from = NULL;
	return ret;
}

void
rte_vduse_dev_stop(struct rte_vduse_dev *dev)
{
	if (dev->stopped)
		return;
	/* Before the control thread stops to answer: removing the driver resets the device. */
	if (dev->transport->detach != NULL && !vduse_dev_leaves(dev))
		dev->transport->detach(dev);
	vduse_ctrl_remove(dev);
	dev->stopped = true;
}

void
rte_vduse_dev_leave(struct rte_vduse_dev *dev)
{
	if (dev->stopped)
		return;
	dev->left = true;
	vduse_ctrl_remove(dev);
	dev->stopped = true;
	VDUSE_LOG(dev, NOTICE, dev->name, "left to the next process: its driver stays");
}

bool
rte_vduse_dev_leaving(const struct rte_vduse_dev *dev)
{
	return dev->left;
}

void
rte_vduse_dev_destroy(struct rte_vduse_dev *dev)
{
	uint16_t i;

	if (dev == NULL)
		return;
	rte_vduse_dev_stop(dev);
	/* However it was stopped: left, or handed over. */
	vduse_telemetry_remove(dev);
	vduse_state_close(dev, !vduse_dev_leaves(dev));
	dev->transport->destroy(dev);
	vduse_dev_path_leave(dev);
	/* The driver of a device that is left still uses the bounce buffer there. */
	if (!dev->left)
		vduse_umem_free(dev);
	for (i = 0; i < dev->nb_vqs; i++)
		vduse_vq_free(&dev->vqs[i]);
	free(dev);
}

bool
rte_vduse_dev_may_log(struct rte_vduse_dev *dev)
{
	return vduse_log_may(&dev->log_rate, dev->name);
}

const char *
rte_vduse_dev_name(const struct rte_vduse_dev *dev)
{
	return dev->name;
}

uint8_t
rte_vduse_dev_status(const struct rte_vduse_dev *dev)
{
	return rte_atomic_load_explicit(&dev->status, rte_memory_order_relaxed);
}

uint64_t
rte_vduse_dev_features(const struct rte_vduse_dev *dev)
{
	return rte_atomic_load_explicit(&dev->features, rte_memory_order_relaxed);
}

const struct rte_vduse_region *
rte_vduse_dev_regions(const struct rte_vduse_dev *dev, uint32_t *nb)
{
	const struct vduse_iotlb *table = dev->iotlb[0];

	*nb = table == NULL ? 0 : table->nb;
	return *nb == 0 ? NULL : table->regions;
}

void
rte_vduse_dev_stats(const struct rte_vduse_dev *dev, struct rte_vduse_dev_stats *stats, size_t size)
{
	const struct rte_vduse_dev_stats *from = &dev->stats;
	struct rte_vduse_dev_stats now = {
		.messages = rte_atomic_load_explicit(&from->messages, rte_memory_order_relaxed),
		.resets = rte_atomic_load_explicit(&from->resets, rte_memory_order_relaxed),
		.iotlb_updates =
			rte_atomic_load_explicit(&from->iotlb_updates, rte_memory_order_relaxed),
		.regions = rte_atomic_load_explicit(&from->regions, rte_memory_order_relaxed),
		.broken = rte_atomic_load_explicit(&from->broken, rte_memory_order_relaxed),
	};

	vduse_conf_give(stats, size, &now, sizeof(now));
}

int
rte_vduse_dev_config_set(struct rte_vduse_dev *dev, uint32_t offset, const void *data, uint32_t len)
{
	int ret;

	if (len == 0 || offset > dev->config_size || len > dev->config_size - offset)
		return -EINVAL;
	ret = dev->transport->config_set(dev, offset, data, len);
	if (ret < 0) {
		VDUSE_LOG(dev, ERR, dev->name, "cannot change %u bytes of configuration at %u: %s",
			  len, offset, strerror(-ret));
		return ret;
	}
	vduse_state_config(dev, offset, data, len);
	/*
	 * Fails while no driver is up: the next driver reads the new value. The kernel refuses it while
	 * the device is suspended, too, also if the suspension begins in between.
	 */
	if (!rte_atomic_load_explicit(&dev->suspended, rte_memory_order_relaxed))
		(void)dev->transport->config_call(dev);
	return 0;
}
