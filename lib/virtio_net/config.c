/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * The configuration space of a network device (VIRTIO 1.2, section 5.1.4) and its features.
 * Thread: the application's; control, for what commands of the driver change.
 */
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include <rte_byteorder.h>
#include <rte_vduse_compat.h>

#include <virtio_net/ctrl.h>
#include <virtio_net/net.h>
#include <virtio_net/offload.h>

#define VNET_BIT(nr) (UINT64_C(1) << (nr))

/* Section 5.1.4. */
#define CONFIG_FULL_DUPLEX 1

uint64_t
rte_vduse_net_features(const struct rte_vduse_net_conf *asked)
{
	struct rte_vduse_net_conf conf;
	uint64_t features = VNET_BIT(VIRTIO_F_VERSION_1) | VNET_BIT(VIRTIO_F_ACCESS_PLATFORM) |
			    VNET_BIT(VIRTIO_RING_F_INDIRECT_DESC) |
			    VNET_BIT(VIRTIO_RING_F_EVENT_IDX) | VNET_BIT(VIRTIO_NET_F_MRG_RXBUF) |
			    VNET_BIT(VIRTIO_NET_F_MAC) | VNET_BIT(VIRTIO_NET_F_STATUS) |
			    VNET_BIT(VIRTIO_F_RING_PACKED) | VNET_BIT(VIRTIO_F_IN_ORDER);
	uint64_t announce = 0;

	if (vnet_conf_take(&conf, asked) < 0)
		return 0;
	if (conf.mtu != 0)
		features |= VNET_BIT(VIRTIO_NET_F_MTU);
	if (conf.speed != 0)
		features |= VNET_BIT(VIRTIO_NET_F_SPEED_DUPLEX);
	/*
	 * Section 5.1.3.1: MQ depends on CTRL_VQ. Front ends of vhost-user serve the control queue
	 * themselves: QEMU and virtio_user never take CTRL_VQ from a back end, others do.
	 */
	if (conf.pairs > 1)
		features |= VNET_BIT(VIRTIO_NET_F_MQ) | VNET_BIT(VIRTIO_NET_F_CTRL_VQ);
	features |= vnet_offloads_valid(conf.offloads & ~conf.features_off);
	/*
	 * Of a socket, the front end has the control queue and the status field that this depends
	 * on. QEMU offers it to its guest only if the device does.
	 */
	if (conf.path != NULL && rte_vduse_path_is_socket(conf.path))
		announce = VNET_BIT(VIRTIO_NET_F_GUEST_ANNOUNCE);
	features |= announce;
	if (conf.ctrl_queue)
		features |= VNET_CTRL_FEATURES;
	if (conf.ctrl_queue && conf.pairs > 1 && conf.steer == RTE_VDUSE_NET_STEER_RSS)
		features |= VNET_BIT(VIRTIO_NET_F_RSS);
	if (conf.ctrl_queue && conf.hash_report)
		features |= VNET_BIT(VIRTIO_NET_F_HASH_REPORT);
	if (conf.ctrl_queue && (features & VNET_GUEST_OFFLOADS) != 0)
		features |= VNET_BIT(VIRTIO_NET_F_CTRL_GUEST_OFFLOADS);
	/* Section 6: VDUSE requires both of these. */
	features &= ~conf.features_off | VNET_BIT(VIRTIO_F_VERSION_1) |
		    VNET_BIT(VIRTIO_F_ACCESS_PLATFORM);
	if ((features & VNET_BIT(VIRTIO_NET_F_CTRL_VQ)) == 0)
		features &= ~VNET_CTRL_NEED_VQ | announce;
	return features;
}

void
vnet_config_init(struct virtio_net_config *config, const struct rte_vduse_net_conf *conf)
{
	memset(config, 0, sizeof(*config));
	memcpy(config->mac, conf->mac.addr_bytes, sizeof(config->mac));
	config->max_virtqueue_pairs = rte_cpu_to_le_16(conf->pairs);
	config->mtu = rte_cpu_to_le_16(conf->mtu);
	if (conf->speed != 0) {
		config->speed = rte_cpu_to_le_32(conf->speed);
		config->duplex = CONFIG_FULL_DUPLEX;
	}
	if (conf->steer == RTE_VDUSE_NET_STEER_RSS)
		config->rss_max_indirection_table_length = rte_cpu_to_le_16(VNET_RSS_TABLE_MAX);
	if (conf->hash_report || conf->steer == RTE_VDUSE_NET_STEER_RSS) {
		config->rss_max_key_size = VNET_HASH_KEY_MAX;
		config->supported_hash_types = rte_cpu_to_le_32(VNET_HASH_TYPES);
	}
}

uint32_t
vnet_frame_max(uint16_t mtu)
{
	return (mtu != 0 ? mtu : RTE_VDUSE_NET_MTU_MAX) + VNET_FRAME_OVERHEAD;
}

/* Sends one field of the configuration space to the driver. */
static int
config_write(struct rte_vduse_net *net, size_t offset, size_t len)
{
	return rte_vduse_dev_config_set(net->dev, (uint32_t)offset,
					(const uint8_t *)&net->config + offset, (uint32_t)len);
}

void
rte_vduse_net_set_partial_csum(struct rte_vduse_net *net, bool partial)
{
	rte_atomic_store_explicit(&net->partial_csum, partial, rte_memory_order_relaxed);
}

void
rte_vduse_net_set_rx_gso(struct rte_vduse_net *net, uint64_t features)
{
	rte_atomic_store_explicit(&net->rx_gso, features & VNET_OFFLOADS_HOST,
				  rte_memory_order_relaxed);
}

/* Sets and clears bits of the link status. The caller holds the lock. */
static int
config_status(struct rte_vduse_net *net, uint16_t set, uint16_t clear)
{
	uint16_t status = rte_le_to_cpu_16(net->config.status);

	net->config.status = rte_cpu_to_le_16((uint16_t)((status & ~clear) | set));
	return config_write(net, offsetof(struct virtio_net_config, status),
			    sizeof(net->config.status));
}

/* Sets the MAC address. The caller holds the lock. */
static int
config_mac(struct rte_vduse_net *net, const struct rte_ether_addr *mac)
{
	memcpy(net->config.mac, mac->addr_bytes, sizeof(net->config.mac));
	return config_write(net, offsetof(struct virtio_net_config, mac), sizeof(net->config.mac));
}

int
vnet_config_set_mac(struct rte_vduse_net *net, const struct rte_ether_addr *mac)
{
	int ret;

	pthread_mutex_lock(&net->config_lock);
	ret = config_mac(net, mac);
	pthread_mutex_unlock(&net->config_lock);
	return ret;
}

bool
vnet_config_end_announce(struct rte_vduse_net *net)
{
	bool asked;

	pthread_mutex_lock(&net->config_lock);
	asked = (net->config.status & RTE_LE16(VIRTIO_NET_S_ANNOUNCE)) != 0;
	if (asked)
		(void)config_status(net, 0, VIRTIO_NET_S_ANNOUNCE);
	pthread_mutex_unlock(&net->config_lock);
	return asked;
}

void
vnet_config_reset(struct rte_vduse_net *net)
{
	pthread_mutex_lock(&net->config_lock);
	if (memcmp(net->config.mac, net->mac.addr_bytes, sizeof(net->config.mac)) != 0)
		(void)config_mac(net, &net->mac);
	if ((net->config.status & RTE_LE16(VIRTIO_NET_S_ANNOUNCE)) != 0)
		(void)config_status(net, 0, VIRTIO_NET_S_ANNOUNCE);
	pthread_mutex_unlock(&net->config_lock);
}

int
rte_vduse_net_set_link(struct rte_vduse_net *net, bool up)
{
	int ret;

	pthread_mutex_lock(&net->config_lock);
	ret = config_status(net, up ? VIRTIO_NET_S_LINK_UP : 0, up ? 0 : VIRTIO_NET_S_LINK_UP);
	pthread_mutex_unlock(&net->config_lock);
	return ret;
}

int
rte_vduse_net_announce(struct rte_vduse_net *net)
{
	int ret;

	if ((rte_vduse_dev_features(net->dev) & VNET_BIT(VIRTIO_NET_F_GUEST_ANNOUNCE)) == 0)
		return -ENOTSUP;
	pthread_mutex_lock(&net->config_lock);
	ret = config_status(net, VIRTIO_NET_S_ANNOUNCE, 0);
	pthread_mutex_unlock(&net->config_lock);
	return ret;
}

int
rte_vduse_net_set_mtu(struct rte_vduse_net *net, uint16_t mtu)
{
	if (mtu < RTE_VDUSE_NET_MTU_MIN)
		return -EINVAL;
	net->config.mtu = rte_cpu_to_le_16(mtu);
	rte_atomic_store_explicit(&net->frame_max, vnet_frame_max(mtu), rte_memory_order_relaxed);
	return config_write(net, offsetof(struct virtio_net_config, mtu), sizeof(net->config.mtu));
}

int
rte_vduse_net_set_mac(struct rte_vduse_net *net, const struct rte_ether_addr *mac)
{
	int ret;

	pthread_mutex_lock(&net->config_lock);
	net->mac = *mac;
	ret = config_mac(net, mac);
	pthread_mutex_unlock(&net->config_lock);
	return ret;
}
