/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * What a path offers: features, protocol features, queues. On the application's threads,
 * before the start.
 */
#include <errno.h>

#include <linux/vhost.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_net.h>

#include <vhost/path.h>
#include <vhost/vhost.h>

/* Bits that vhost-user uses for itself: no virtio feature. */
#define FEATURES_VHOST (VHOST_BIT(VHOST_F_LOG_ALL) | VHOST_BIT(VHOST_USER_F_PROTOCOL_FEATURES))

/* VDUSE works with neither of them left out. */
#define FEATURES_MUST (VHOST_BIT(VIRTIO_F_VERSION_1) | VHOST_BIT(VIRTIO_F_ACCESS_PLATFORM))

/* Kernels refuse a network device with a control queue; what needs one goes with it. */
#define FEATURES_CTRL_VQ                                                                           \
	(VHOST_BIT(VIRTIO_NET_F_CTRL_VQ) | VHOST_BIT(VIRTIO_NET_F_CTRL_RX) |                       \
	 VHOST_BIT(VIRTIO_NET_F_CTRL_VLAN) | VHOST_BIT(VIRTIO_NET_F_CTRL_RX_EXTRA) |               \
	 VHOST_BIT(VIRTIO_NET_F_GUEST_ANNOUNCE) | VHOST_BIT(VIRTIO_NET_F_MQ) |                     \
	 VHOST_BIT(VIRTIO_NET_F_CTRL_MAC_ADDR))

void
vhost_features_init(struct vhost_dev *dev)
{
	struct rte_vduse_net_conf conf;

	if (dev->conf.device_id != VIRTIO_ID_NET) {
		dev->builtin = false;
		dev->supported = FEATURES_MUST;
	} else {
		vhost_net_conf(dev, &conf);
		conf.features_off = 0;
		/* Not in the layout that rte_vhost_get_vhost_vring() hands out here. */
		dev->supported = rte_vduse_net_features(&conf) & ~VHOST_BIT(VIRTIO_F_RING_PACKED);
	}
	dev->features = dev->supported;
}

/* An application that says what it supports serves the rings itself. */
static void
features_set_raw(struct vhost_dev *dev, uint64_t features)
{
	features = (features & ~FEATURES_VHOST) | FEATURES_MUST;
	/* Not in the layout that rte_vhost_get_vhost_vring() hands out here. */
	features &= ~VHOST_BIT(VIRTIO_F_RING_PACKED);
	if (dev->conf.device_id == VIRTIO_ID_NET)
		features = (features & ~FEATURES_CTRL_VQ) | VHOST_BIT(VIRTIO_NET_F_MAC);
	dev->builtin = false;
	dev->supported = features;
	dev->features = features;
}

/* Finds a device that may still be changed and keeps the mutex, or returns NULL. */
static struct vhost_dev *
features_open(const char *path)
{
	struct vhost_dev *dev;

	vhost_lock();
	dev = vhost_dev_find(path);
	if (dev != NULL && dev->life == VHOST_DEV_REGISTERED)
		return dev;
	vhost_unlock();
	if (dev != NULL)
		VHOST_LOG(ERR, path, "what it offers is settled: change it before the start");
	return NULL;
}

int
rte_vhost_driver_set_features(const char *path, uint64_t features)
{
	struct vhost_dev *dev;

	if (!vhost_path_is_ours(path))
		return VHOST_REAL(driver_set_features, -ENOTSUP, path, features);
	dev = features_open(path);
	if (dev == NULL)
		return -1;
	features_set_raw(dev, features);
	vhost_unlock();
	return 0;
}

int
rte_vhost_driver_enable_features(const char *path, uint64_t features)
{
	struct vhost_dev *dev;
	bool known;

	if (!vhost_path_is_ours(path))
		return VHOST_REAL(driver_enable_features, -ENOTSUP, path, features);
	dev = features_open(path);
	if (dev == NULL)
		return -1;
	known = (features & ~dev->supported) == 0;
	if (known)
		dev->features |= features;
	vhost_unlock();
	return known ? 0 : -1;
}

int
rte_vhost_driver_disable_features(const char *path, uint64_t features)
{
	struct vhost_dev *dev;

	if (!vhost_path_is_ours(path))
		return VHOST_REAL(driver_disable_features, -ENOTSUP, path, features);
	dev = features_open(path);
	if (dev == NULL)
		return -1;
	dev->features &= ~features | FEATURES_MUST;
	vhost_unlock();
	return 0;
}

/* What the application may ask of a path. */
struct features_view {
	uint64_t features;
	uint64_t protocol_features;
	uint16_t nb_vqs;
};

static int
features_view(const char *path, struct features_view *view)
{
	const struct vhost_dev *dev;

	vhost_lock();
	dev = vhost_dev_find(path);
	if (dev != NULL)
		*view = (struct features_view){ dev->features, dev->protocol_features,
						dev->conf.nb_vqs };
	vhost_unlock();
	return dev != NULL ? 0 : -1;
}

int
rte_vhost_driver_get_features(const char *path, uint64_t *features)
{
	struct features_view view;

	if (!vhost_path_is_ours(path))
		return VHOST_REAL(driver_get_features, -ENOTSUP, path, features);
	if (features_view(path, &view) < 0)
		return -1;
	*features = view.features;
	return 0;
}

int
rte_vhost_driver_set_protocol_features(const char *path, uint64_t protocol_features)
{
	struct vhost_dev *dev;

	if (!vhost_path_is_ours(path))
		return VHOST_REAL(driver_set_protocol_features, -ENOTSUP, path, protocol_features);
	dev = features_open(path);
	if (dev == NULL)
		return -1;
	dev->protocol_features = protocol_features;
	vhost_unlock();
	return 0;
}

int
rte_vhost_driver_get_protocol_features(const char *path, uint64_t *protocol_features)
{
	struct features_view view;

	if (!vhost_path_is_ours(path))
		return VHOST_REAL(driver_get_protocol_features, -ENOTSUP, path, protocol_features);
	if (features_view(path, &view) < 0)
		return -1;
	*protocol_features = view.protocol_features;
	return 0;
}

int
rte_vhost_driver_get_queue_num(const char *path, uint32_t *queue_num)
{
	struct features_view view;

	if (!vhost_path_is_ours(path))
		return VHOST_REAL(driver_get_queue_num, -ENOTSUP, path, queue_num);
	if (features_view(path, &view) < 0)
		return -1;
	*queue_num = view.nb_vqs / 2;
	return 0;
}

int
rte_vhost_driver_set_max_queue_num(const char *path, uint32_t max_queue_pairs)
{
	struct vhost_dev *dev;

	if (!vhost_path_is_ours(path))
		return VHOST_REAL(driver_set_max_queue_num, -ENOTSUP, path, max_queue_pairs);
	if (max_queue_pairs == 0 || max_queue_pairs > RTE_VDUSE_NET_PAIRS_MAX) {
		VHOST_LOG(ERR, path, "%u queue pairs: use 1 to %u", max_queue_pairs,
			  RTE_VDUSE_NET_PAIRS_MAX);
		return -1;
	}
	dev = features_open(path);
	if (dev == NULL)
		return -1;
	dev->conf.nb_vqs = (uint16_t)(2 * max_queue_pairs);
	vhost_unlock();
	return 0;
}
