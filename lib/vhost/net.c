/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * A network device whose rings lib/virtio_net serves.
 * Input: the configuration of a path. Output: a device of lib/virtio_net.
 * Thread: the application's; interrupts of the driver are sent by polling threads.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include <linux/virtio_net.h>

#include <rte_byteorder.h>

#include <vhost/vhost.h>

/* Those of librte_vhost, apart from UFO, which is not served. */
#define NET_OFFLOADS                                                                               \
	(VHOST_BIT(VIRTIO_NET_F_CSUM) | VHOST_BIT(VIRTIO_NET_F_HOST_TSO4) |                        \
	 VHOST_BIT(VIRTIO_NET_F_HOST_TSO6) | VHOST_BIT(VIRTIO_NET_F_HOST_ECN) |                    \
	 VHOST_BIT(VIRTIO_NET_F_GUEST_CSUM) | VHOST_BIT(VIRTIO_NET_F_GUEST_TSO4) |                 \
	 VHOST_BIT(VIRTIO_NET_F_GUEST_TSO6) | VHOST_BIT(VIRTIO_NET_F_GUEST_ECN))

/* The callback guest_notify exists since 23.07, in a slot that was reserved before. */
typedef bool (*net_guest_notify_t)(int vid, uint16_t queue_id);

static net_guest_notify_t
net_guest_notify(const struct rte_vhost_device_ops *ops)
{
	static_assert(sizeof(*ops) == 8 * sizeof(void *), "guest_notify is the last of 8 slots");
	const void *slot = (const char *)ops + 7 * sizeof(void *);

	return *(const net_guest_notify_t *)slot;
}

static void
net_call(struct rte_vduse_vq *vq, void *arg)
{
	const struct vhost_dev *dev = arg;
	const struct rte_vhost_device_ops *ops = dev->ops;

	if (ops != NULL && net_guest_notify(ops) != NULL &&
	    net_guest_notify(ops)(dev->vid, rte_vduse_vq_index(vq)))
		return; /* rte_vhost_notify_guest() will follow */
	/* Fails only while the driver goes down, when it needs no interrupt. */
	(void)rte_vduse_vq_call(vq);
	if (ops != NULL && ops->guest_notified != NULL)
		ops->guest_notified(dev->vid);
}

/* Linux uses several pairs with a control queue only, which some kernels refuse. */
static bool
net_ctrl_queue(const struct vhost_dev *dev)
{
	return dev->conf.nb_vqs > 2 && rte_vduse_net_may_ctrl_queue(dev->path);
}

void
vhost_net_conf(const struct vhost_dev *dev, struct rte_vduse_net_conf *conf)
{
	const struct virtio_net_config *config = (const void *)dev->config;

	*conf = (struct rte_vduse_net_conf){
		.size = sizeof(struct rte_vduse_net_conf),
		.path = dev->path,
		.pairs = dev->conf.nb_vqs / 2,
		.queue_size = dev->conf.queue_size,
		.mtu = rte_le_to_cpu_16(config->mtu),
		.socket_id = SOCKET_ID_ANY,
		.umem = true,
		.linear = (dev->flags & RTE_VHOST_USER_LINEARBUF_SUPPORT) != 0,
		.extbuf = (dev->flags & RTE_VHOST_USER_EXTBUF_SUPPORT) != 0,
		.watch = &vhost_driver_ops,
		.call = net_call,
		.arg = (void *)(uintptr_t)dev,
		.features_off = ~dev->features,
		.offloads = dev->features & NET_OFFLOADS,
		.ctrl_queue = net_ctrl_queue(dev),
	};
	memcpy(conf->mac.addr_bytes, config->mac, sizeof(config->mac));
}

uint64_t
vhost_net_features(const struct vhost_dev *dev)
{
	struct rte_vduse_net_conf conf;

	vhost_net_conf(dev, &conf);
	return rte_vduse_net_features(&conf);
}

/*
 * Hands over to the application what its features allow, not what the driver of a device that was
 * taken over accepted from another one.
 */
static void
net_offloads(struct vhost_dev *dev)
{
	uint64_t features = vhost_net_features(dev);
	bool csum = (features & VHOST_BIT(VIRTIO_NET_F_CSUM)) != 0;

	rte_vduse_net_set_partial_csum(dev->net, csum);
	rte_vduse_net_set_rx_gso(dev->net, features);
	dev->legacy_flags = csum && (dev->flags & RTE_VHOST_USER_NET_COMPLIANT_OL_FLAGS) == 0;
}

int
vhost_net_create(struct vhost_dev *dev)
{
	struct rte_vduse_net_conf conf;
	int ret;

	vhost_net_conf(dev, &conf);
	ret = rte_vduse_net_create(&conf, &dev->net);
	if (ret == -ENOTSUP && conf.pairs > 1) {
		VHOST_LOG(NOTICE, dev->path, "uses one queue pair, not %u", conf.pairs);
		dev->conf.nb_vqs = 2;
		vhost_net_conf(dev, &conf);
		ret = rte_vduse_net_create(&conf, &dev->net);
	}
	if (ret < 0)
		return ret;
	dev->conf.nb_vqs = (uint16_t)(2 * rte_vduse_net_pairs(dev->net));
	dev->dev = rte_vduse_net_dev(dev->net);
	net_offloads(dev);
	/* vhost has no link state, so the link is always up. A failure is logged. */
	(void)rte_vduse_net_set_link(dev->net, true);
	return 0;
}
