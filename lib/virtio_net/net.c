/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Creates, starts and destroys a network device.
 * Input: a configuration. Output: a VDUSE device whose virtqueues rx.c and tx.c serve.
 * Thread: the application's.
 */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <linux/virtio_ids.h>

#include <rte_vduse_handover.h>

#include <vduse/conf.h>

#include <virtio_net/ctrl.h>
#include <virtio_net/net.h>
#include <virtio_net/offload.h>
#include <virtio_net/steer.h>

RTE_LOG_REGISTER(vnet_logtype, lib.vduse.net, INFO);

static int
net_conf_check(const struct rte_vduse_net_conf *conf, const char **name)
{
	*name = rte_vduse_path_name(conf->path);
	if (*name == NULL) {
		VNET_LOG(ERR, conf->path == NULL ? "(no path)" : conf->path,
			 "not the path of a device: use " RTE_VDUSE_PATH_USAGE);
		return -EINVAL;
	}
	if (conf->name != NULL && rte_vduse_path_is_socket(conf->path))
		*name = conf->name;
	if (conf->pairs == 0 || conf->pairs > RTE_VDUSE_NET_PAIRS_MAX) {
		VNET_LOG(ERR, *name, "%u queue pairs: use 1 to %u", conf->pairs,
			 RTE_VDUSE_NET_PAIRS_MAX);
		return -EINVAL;
	}
	if (conf->mtu != 0 && conf->mtu < RTE_VDUSE_NET_MTU_MIN) {
		VNET_LOG(ERR, *name, "MTU %u: use %u to %u", conf->mtu, RTE_VDUSE_NET_MTU_MIN,
			 RTE_VDUSE_NET_MTU_MAX);
		return -EINVAL;
	}
	if (conf->speed > RTE_VDUSE_NET_SPEED_MAX) {
		VNET_LOG(ERR, *name, "speed %u: use Mbit/s, at most %u", conf->speed,
			 RTE_VDUSE_NET_SPEED_MAX);
		return -EINVAL;
	}
	if (conf->pairs > 1 && !conf->ctrl_queue && !rte_vduse_path_is_socket(conf->path)) {
		VNET_LOG(ERR, *name,
			 "queues=%u: several pairs need a control queue, which this kernel's VDUSE "
			 "refuses for network devices: use 1, or the project's module",
			 conf->pairs);
		return -ENOTSUP;
	}
	if (conf->ctrl_queue && rte_vduse_path_is_socket(conf->path)) {
		VNET_LOG(ERR, *name,
			 "a control queue over a socket belongs to its client: leave ctrl_queue "
			 "out");
		return -EINVAL;
	}
	if (conf->steer > RTE_VDUSE_NET_STEER_AUTO) {
		VNET_LOG(ERR, *name, "steering %u: use one of enum rte_vduse_net_steer",
			 conf->steer);
		return -EINVAL;
	}
	if (conf->steer == RTE_VDUSE_NET_STEER_RSS && !conf->ctrl_queue) {
		VNET_LOG(ERR, *name,
			 "steering by RSS needs a control queue, which a socket and this kernel's "
			 "VDUSE do not have: use app or auto, or the project's module");
		return -ENOTSUP;
	}
	if (!rte_is_valid_assigned_ether_addr(&conf->mac)) {
		VNET_LOG(ERR, *name, "the MAC address is zero or a group's: use a unicast one");
		return -EINVAL;
	}
	return 0;
}

/* Creates the device below. */
static int
net_dev_create(struct rte_vduse_net *net, const struct rte_vduse_net_conf *conf, const char *name)
{
	struct rte_vduse_dev_conf dev_conf = {
		.size = sizeof(dev_conf),
		.path = conf->path,
		.client = conf->client,
		.any_memory = conf->any_memory,
		.iommu = conf->iommu,
		.postcopy = conf->postcopy,
		.memory_limit = conf->memory_limit,
		.name = conf->name,
		.socket_mode = conf->socket_mode,
		.socket_group = conf->socket_group,
		.device_id = VIRTIO_ID_NET,
		.vendor_id = 0,
		.features = rte_vduse_net_features(conf),
		.nb_vqs = (uint16_t)(2 * conf->pairs + conf->ctrl_queue),
		.ctrl_vqs = conf->ctrl_queue,
		.vq_size = conf->queue_size,
		.config = &net->config,
		.config_size = sizeof(net->config),
		.socket_id = conf->socket_id,
		.umem = conf->umem,
		.positions = true,
		.from = conf->from,
		.ops = &vnet_dev_ops,
		.arg = net,
		.transport = conf->transport,
		.transport_priv = conf->transport_priv,
	};
	int ret = rte_vduse_dev_create(&dev_conf, &net->dev);

	/* Without a control queue; why it cannot have one is logged already. */
	if (ret == -ENOTSUP && !conf->ctrl_queue)
		VNET_LOG(ERR, name,
			 "this kernel's VDUSE refuses a network device with features "
			 "0x%" PRIx64 ": use a kernel of 6.6 or later",
			 dev_conf.features);
	return ret;
}

static_assert(offsetof(struct rte_vduse_net_conf, path) == sizeof(size_t), "see conf.c");
static_assert(sizeof(struct rte_vduse_net_conf) ==
		      offsetof(struct rte_vduse_net_conf, from) + sizeof(void *),
	      "no padding at the end, see conf.h");

static const char *
conf_name(const struct rte_vduse_net_conf *conf)
{
	const char *name = rte_vduse_path_name(conf->path);

	return name != NULL ? name : "(no path)";
}

int
vnet_conf_take(struct rte_vduse_net_conf *conf, const struct rte_vduse_net_conf *asked)
{
	static const uint8_t none[sizeof(conf->reserved)];
	int ret = VDUSE_CONF_TAKE(conf, asked, transport_priv);

	if (ret < 0 || memcmp(conf->reserved, none, sizeof(none)) == 0)
		return ret;
	VNET_LOG(
		ERR, conf_name(conf),
		"reserved bytes of its configuration are set: leave them 0 or use a newer library");
	return -E2BIG;
}

static void
net_free(struct rte_vduse_net *net)
{
	pthread_mutex_destroy(&net->config_lock);
	free(net->ctrl);
	free(net->steer);
	free(net);
}

/* Allocates the device with its queues. */
static struct rte_vduse_net *
net_new(const struct rte_vduse_net_conf *conf)
{
	uint16_t nb_queues = (uint16_t)(2 * conf->pairs + conf->ctrl_queue);
	struct rte_vduse_net *net;
	size_t size = sizeof(*net) + nb_queues * sizeof(net->queues[0]);

	net = aligned_alloc(RTE_CACHE_LINE_SIZE, RTE_ALIGN_MUL_CEIL(size, RTE_CACHE_LINE_SIZE));
	if (net == NULL)
		return NULL;
	memset(net, 0, size);
	net->pairs = conf->pairs;
	net->nb_queues = nb_queues;
	net->pairs_used = conf->ctrl_queue ? 1 : conf->pairs;
	pthread_mutex_init(&net->config_lock, NULL);
	if (conf->ctrl_queue)
		net->ctrl = calloc(1, sizeof(*net->ctrl));
	if (conf->steer != RTE_VDUSE_NET_STEER_APP)
		net->steer = vnet_steer_new(conf->steer);
	if ((conf->ctrl_queue && net->ctrl == NULL) ||
	    (conf->steer != RTE_VDUSE_NET_STEER_APP && net->steer == NULL)) {
		net_free(net);
		return NULL;
	}
	return net;
}

/* What the driver of a device has that comes from another process, or that one left. */
static bool
net_left(const struct rte_vduse_net_conf *conf, struct rte_vduse_left *left)
{
	if (conf->from == NULL)
		return rte_vduse_dev_left(conf->path, conf->transport, conf->transport_priv,
					  left) == 0;
	rte_vduse_handover_left(conf->from, left);
	return true;
}

/* The driver of a device that changes hands reads the configuration space as it was. */
static void
net_config_keep(struct rte_vduse_net *net, const struct rte_vduse_left *left)
{
	struct virtio_net_config config;
	struct rte_ether_addr mac;

	if (left->config_size != sizeof(config))
		return;
	memcpy(&config, left->config, sizeof(config));
	memcpy(mac.addr_bytes, config.mac, sizeof(mac.addr_bytes));
	if (!rte_is_valid_assigned_ether_addr(&mac))
		return;
	net->config = config;
	net->mac = mac;
}

int
rte_vduse_net_create(const struct rte_vduse_net_conf *asked, struct rte_vduse_net **result)
{
	struct rte_vduse_net_conf wanted;
	const struct rte_vduse_net_conf *conf = &wanted;
	struct rte_vduse_net *net;
	struct rte_vduse_left left;
	const char *name;
	uint16_t i;
	int ret;

	ret = vnet_conf_take(&wanted, asked);
	if (ret < 0)
		return ret;
	ret = net_conf_check(conf, &name);
	if (ret < 0)
		return ret;
	if (net_left(conf, &left))
		vnet_take_over(&wanted, name, &left);
	net = net_new(conf);
	if (net == NULL) {
		VNET_LOG(ERR, name, "no memory for %u queue pairs", conf->pairs);
		return -ENOMEM;
	}
	net->mac = conf->mac;
	net->frame_max = vnet_frame_max(conf->mtu);
	net->linear = conf->linear;
	net->offloads = (conf->offloads & VNET_OFFLOADS) != 0;
	net->extbuf = conf->extbuf;
	net->link = conf->link;
	net->watch = conf->watch;
	net->call = conf->call;
	net->arg = conf->arg;
	vnet_config_init(&net->config, conf);
	if (conf->from != NULL)
		net_config_keep(net, &left);
	ret = net_dev_create(net, conf, name);
	if (ret < 0) {
		net_free(net);
		return ret;
	}
	for (i = 0; i < net->nb_queues; i++)
		net->queues[i].vq = rte_vduse_dev_vq(net->dev, i);
	ret = vnet_position_open(net, conf->from != NULL);
	if (ret < 0) {
		rte_vduse_net_destroy(net);
		return ret;
	}
	*result = net;
	return 0;
}

bool
rte_vduse_net_may_ctrl_queue(const char *path)
{
	return !rte_vduse_path_is_socket(path) && vduse_conf_ctrl_vqs(path, NULL) == 0;
}

int
rte_vduse_net_start(struct rte_vduse_net *net, enum rte_vduse_attach attach)
{
	return rte_vduse_dev_start(net->dev, attach);
}

void
rte_vduse_net_destroy(struct rte_vduse_net *net)
{
	if (net == NULL)
		return;
	rte_vduse_dev_destroy(net->dev);
	vnet_position_close(net);
	net_free(net);
}

struct rte_vduse_dev *
rte_vduse_net_dev(struct rte_vduse_net *net)
{
	return net->dev;
}

uint16_t
rte_vduse_net_pairs(const struct rte_vduse_net *net)
{
	return net->pairs;
}

bool
rte_vduse_net_link(const struct rte_vduse_net *net)
{
	return (rte_vduse_dev_status(net->dev) & VIRTIO_CONFIG_S_DRIVER_OK) != 0;
}
