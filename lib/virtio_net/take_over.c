/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Takes over a port whose process died while a driver uses it: the port keeps the configuration
 * that its driver knows, whatever the arguments of this start are.
 * Input: the state that was left and the new arguments. Output: the configuration to serve.
 * Thread: the application's.
 */
#include <inttypes.h>
#include <string.h>

#include <linux/virtio_config.h>
#include <linux/virtio_ids.h>

#include <rte_byteorder.h>

#include <virtio_net/ctrl.h>
#include <virtio_net/net.h>
#include <virtio_net/offload.h>

#define TAKE_OVER_BIT(nr) (UINT64_C(1) << (nr))

/* Reads the configuration space that the driver knows. False: it was not recorded. */
static bool
take_over_config(const struct rte_vduse_left *left, struct virtio_net_config *config)
{
	if (left->config_size < sizeof(*config))
		return false;
	memcpy(config, left->config, sizeof(*config));
	return true;
}

/*
 * The MTU that the driver knows, which a device must not change (section 5.1.4.1): the driver sends
 * frames of that length and takes no longer ones. If it was not recorded, the MTU asked for.
 */
static uint16_t
take_over_mtu(const struct rte_vduse_left *left, uint16_t asked)
{
	struct virtio_net_config config;
	uint16_t mtu;

	if (!take_over_config(left, &config))
		return asked != 0 ? asked : RTE_ETHER_MTU;
	mtu = rte_le_to_cpu_16(config.mtu);
	return RTE_MAX(mtu, (uint16_t)RTE_VDUSE_NET_MTU_MIN);
}

/* The speed that the driver knows. Not 0: the device would offer less than before. */
static uint32_t
take_over_speed(const struct rte_vduse_left *left)
{
	struct virtio_net_config config;
	uint32_t speed = 0;

	if (take_over_config(left, &config))
		speed = RTE_MIN(rte_le_to_cpu_32(config.speed), (uint32_t)RTE_VDUSE_NET_SPEED_MAX);
	return RTE_MAX(speed, 1u);
}

/*
 * A driver keeps the pairs that it knows. More of them than it knows do no harm on a socket: it does
 * not set them up.
 */
static uint16_t
take_over_pairs(const struct rte_vduse_left *left, uint16_t asked)
{
	struct virtio_net_config config;
	uint16_t pairs = left->nb_vqs / 2;

	if ((left->offered & VNET_CTRL_SEVERAL) == 0)
		return asked;
	if (take_over_config(left, &config))
		pairs = rte_le_to_cpu_16(config.max_virtqueue_pairs);
	pairs = RTE_MIN(pairs, (uint16_t)RTE_VDUSE_NET_PAIRS_MAX);
	return RTE_MAX(pairs, asked);
}

void
vnet_take_over(struct rte_vduse_net_conf *conf, const char *name, const struct rte_vduse_left *left)
{
	uint64_t before = rte_vduse_net_features(conf);
	uint16_t size = conf->queue_size, mtu = conf->mtu, pairs = conf->pairs;

	/* The device is refused on creation if the type differs; nothing is changed here. */
	if (left->device_id != VIRTIO_ID_NET)
		return;
	/* A vhost-user front end chooses the ring sizes itself. */
	if (!rte_vduse_path_is_socket(conf->path))
		conf->queue_size = left->vq_size;
	conf->pairs = take_over_pairs(left, conf->pairs);
	conf->features_off &= ~left->features;
	conf->offloads |= left->features & VNET_OFFLOADS;
	/* The device has as many virtqueues as before, whether its driver uses them or not. */
	if ((conf->from != NULL || left->features != 0) && !rte_vduse_path_is_socket(conf->path))
		conf->ctrl_queue = left->nb_vqs % 2 != 0;
	if ((left->features & TAKE_OVER_BIT(VIRTIO_NET_F_RSS)) != 0)
		conf->steer = RTE_VDUSE_NET_STEER_RSS;
	conf->hash_report |= (left->features & TAKE_OVER_BIT(VIRTIO_NET_F_HASH_REPORT)) != 0;
	if ((left->features & TAKE_OVER_BIT(VIRTIO_NET_F_SPEED_DUPLEX)) != 0 && conf->speed == 0)
		conf->speed = take_over_speed(left);
	if ((left->features & TAKE_OVER_BIT(VIRTIO_NET_F_MTU)) != 0)
		conf->mtu = take_over_mtu(left, conf->mtu);
	if (size != conf->queue_size || mtu != conf->mtu || pairs != conf->pairs ||
	    before != rte_vduse_net_features(conf))
		VNET_LOG(NOTICE, name,
			 "goes on as its driver has it: queues %u, queue size %u, MTU %u, features "
			 "0x%" PRIx64 "; other arguments hold when it is made again",
			 conf->pairs, conf->queue_size, conf->mtu, left->features);
}
