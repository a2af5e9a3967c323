/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Properties of a device by its id. Ids of other devices go on to librte_vhost.
 * Thread: the application's.
 */
#include <errno.h>
#include <stdio.h>

#include <numaif.h>

#include <linux/virtio_net.h>

#include <rte_byteorder.h>

#include <vhost/vhost.h>

int
rte_vhost_get_ifname(int vid, char *buf, size_t len)
{
	struct vhost_dev *dev = vhost_dev_get(vid);

	if (dev == NULL)
		return VHOST_REAL(get_ifname, -ENOTSUP, vid, buf, len);
	if (buf == NULL)
		return -1;
	snprintf(buf, len, "%s", dev->path);
	return 0;
}

uint16_t
rte_vhost_get_vring_num(int vid)
{
	struct vhost_dev *dev = vhost_dev_get(vid);

	if (dev == NULL)
		return VHOST_REAL(get_vring_num, 0, vid);
	return dev->conf.nb_vqs;
}

int
rte_vhost_get_negotiated_features(int vid, uint64_t *features)
{
	struct vhost_dev *dev = vhost_dev_get(vid);

	if (dev == NULL)
		return VHOST_REAL(get_negotiated_features, -ENOTSUP, vid, features);
	if (features == NULL)
		return -1;
	*features = vhost_dev_features(dev);
	return 0;
}

/* Protocol features concern vhost-user messages, which VDUSE does not have. */
int
rte_vhost_get_negotiated_protocol_features(int vid, uint64_t *protocol_features)
{
	if (vhost_dev_get(vid) == NULL)
		return VHOST_REAL(get_negotiated_protocol_features, -ENOTSUP, vid,
				  protocol_features);
	if (protocol_features == NULL)
		return -1;
	*protocol_features = 0;
	return 0;
}

int
rte_vhost_get_mtu(int vid, uint16_t *mtu)
{
	struct vhost_dev *dev = vhost_dev_get(vid);
	const struct virtio_net_config *config;

	if (dev == NULL)
		return VHOST_REAL(get_mtu, -ENOTSUP, vid, mtu);
	if (mtu == NULL)
		return -ENODEV;
	if (!(vhost_dev_features(dev) & VHOST_BIT(VIRTIO_NET_F_MTU)))
		return -ENOTSUP;
	config = (const void *)dev->config;
	*mtu = rte_le_to_cpu_16(config->mtu);
	return 0;
}

/* The node of the memory that holds the driver's first ring. */
int
rte_vhost_get_numa_node(int vid)
{
	struct vhost_dev *dev = vhost_dev_get(vid);
	struct vhost_vq *vq;
	int node = -1;

	if (dev == NULL)
		return VHOST_REAL(get_numa_node, -ENOTSUP, vid);
	vq = vhost_vq_get(dev, 0);
	vhost_lock();
	if (vq == NULL || vq->vring.desc == NULL ||
	    get_mempolicy(&node, NULL, 0, vq->vring.desc, MPOL_F_NODE | MPOL_F_ADDR) < 0)
		node = -1;
	vhost_unlock();
	return node;
}
