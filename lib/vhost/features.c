/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * What a path offers: features, protocol features, queues.
 * Thread: the application's, before the start.
 */
#include <errno.h>

#include <linux/vhost.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_net.h>

#include <vhost/vhost.h>

/* Bits with a meaning in vhost-user only: no virtio features. */
#define FEATURES_VHOST (VHOST_BIT(VHOST_F_LOG_ALL) | VHOST_BIT(VHOST_USER_F_PROTOCOL_FEATURES))

/* rte_vhost_get_vhost_vring() returns the layout of a split ring. */
#define FEATURES_PACKED VHOST_BIT(VIRTIO_F_RING_PACKED)

/* VDUSE needs both. */
#define FEATURES_MUST (VHOST_BIT(VIRTIO_F_VERSION_1) | VHOST_BIT(VIRTIO_F_ACCESS_PLATFORM))

/* An application that serves the rings has no control queue. These need one. */
#define FEATURES_CTRL_VQ                                                                           \
	(VHOST_BIT(VIRTIO_NET_F_CTRL_VQ) | VHOST_BIT(VIRTIO_NET_F_CTRL_RX) |                       \
	 VHOST_BIT(VIRTIO_NET_F_CTRL_VLAN) | VHOST_BIT(VIRTIO_NET_F_CTRL_RX_EXTRA) |               \
	 VHOST_BIT(VIRTIO_NET_F_GUEST_ANNOUNCE) | VHOST_BIT(VIRTIO_NET_F_MQ) |                     \
	 VHOST_BIT(VIRTIO_NET_F_CTRL_MAC_ADDR))

/* Large packets of the driver. */
#define FEATURES_LARGE (VHOST_BIT(VIRTIO_NET_F_HOST_TSO4) | VHOST_BIT(VIRTIO_NET_F_HOST_TSO6))

/* What a network device may offer. Large packets do not fit into one mbuf of a pool. */
static uint64_t
features_net(const struct vhost_dev *dev)
{
	uint64_t one = RTE_VHOST_USER_LINEARBUF_SUPPORT | RTE_VHOST_USER_EXTBUF_SUPPORT;

	if ((dev->flags & one) == RTE_VHOST_USER_LINEARBUF_SUPPORT)
		return ~(FEATURES_PACKED | FEATURES_LARGE);
	return ~FEATURES_PACKED;
}

void
vhost_features_init(struct vhost_dev *dev)
{
	uint64_t disabled = dev->supported & ~dev->features;

	if (dev->conf.device_id != VIRTIO_ID_NET) {
		dev->builtin = false;
		dev->supported = FEATURES_MUST;
	} else {
		dev->features = features_net(dev);
		dev->supported = vhost_net_features(dev);
	}
	dev->features = dev->supported & ~disabled;
}

/* Returns a device that is not started yet with the mutex locked, or NULL with it unlocked. */
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

	if (!vhost_path_is_vduse(path))
		return VHOST_REAL(driver_set_features, -ENOTSUP, path, features);
	dev = features_open(path);
	if (dev == NULL)
		return -1;
	/* An application that sets the supported features serves the rings itself. */
	dev->builtin = false;
	dev->supported = (features & ~FEATURES_VHOST & ~FEATURES_PACKED) | FEATURES_MUST;
	if (dev->conf.device_id == VIRTIO_ID_NET)
		dev->supported = (dev->supported & ~FEATURES_CTRL_VQ) | VHOST_BIT(VIRTIO_NET_F_MAC);
	dev->features = dev->supported;
	vhost_unlock();
	return 0;
}

int
rte_vhost_driver_enable_features(const char *path, uint64_t features)
{
	struct vhost_dev *dev;
	bool known;

	if (!vhost_path_is_vduse(path))
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

	if (!vhost_path_is_vduse(path))
		return VHOST_REAL(driver_disable_features, -ENOTSUP, path, features);
	dev = features_open(path);
	if (dev == NULL)
		return -1;
	dev->features &= ~features | FEATURES_MUST;
	vhost_unlock();
	return 0;
}

int
rte_vhost_driver_get_features(const char *path, uint64_t *features)
{
	const struct vhost_dev *dev;

	if (!vhost_path_is_vduse(path))
		return VHOST_REAL(driver_get_features, -ENOTSUP, path, features);
	vhost_lock();
	dev = vhost_dev_find(path);
	if (dev != NULL)
		*features = dev->builtin ? vhost_net_features(dev) : dev->features;
	vhost_unlock();
	return dev != NULL ? 0 : -1;
}

int
rte_vhost_driver_set_protocol_features(const char *path, uint64_t protocol_features)
{
	struct vhost_dev *dev;

	if (!vhost_path_is_vduse(path))
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
	const struct vhost_dev *dev;

	if (!vhost_path_is_vduse(path))
		return VHOST_REAL(driver_get_protocol_features, -ENOTSUP, path, protocol_features);
	vhost_lock();
	dev = vhost_dev_find(path);
	if (dev != NULL)
		*protocol_features = dev->protocol_features;
	vhost_unlock();
	return dev != NULL ? 0 : -1;
}

int
rte_vhost_driver_get_queue_num(const char *path, uint32_t *queue_num)
{
	const struct vhost_dev *dev;

	if (!vhost_path_is_vduse(path))
		return VHOST_REAL(driver_get_queue_num, -ENOTSUP, path, queue_num);
	vhost_lock();
	dev = vhost_dev_find(path);
	/* Rounded up: other devices than those of networks may have an odd number. */
	if (dev != NULL)
		*queue_num = (dev->conf.nb_vqs + 1u) / 2;
	vhost_unlock();
	return dev != NULL ? 0 : -1;
}

int
rte_vhost_driver_set_max_queue_num(const char *path, uint32_t max_queue_pairs)
{
	struct vhost_dev *dev;

	if (!vhost_path_is_vduse(path))
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
	/* A control queue comes with features. */
	if (dev->builtin && dev->conf.device_id == VIRTIO_ID_NET)
		vhost_features_init(dev);
	vhost_unlock();
	return 0;
}
