/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * The net_vduse driver: probe and remove. Each port is the device side of a virtio-net device.
 * Input: device arguments (--vdev net_vduseN,...). Output: Ethernet ports.
 * Thread: the thread on which the application probes or removes devices, usually main; changes of
 * the link and of queues come on the library's control thread.
 */
#include <errno.h>

#include <linux/virtio_config.h>
#include <linux/virtio_net.h>

#include <ethdev_driver.h>
#include <ethdev_vdev.h>
#include <rte_malloc.h>

#include "devargs.h"
#include "handover.h"
#include "mp.h"
#include "pmd_log.h"
#include "port.h"
#include "rxtx.h"
#include "secondary.h"

/* The string that dpdk-pmdinfo searches for. DPDK's build generates it for drivers in its tree. */
extern const char vduse_pmd_info[];
const char vduse_pmd_info[] __rte_used = "PMD_INFO_STRING= {\"name\": \"net_vduse\", "
					 "\"params\": \"" VDUSE_DEVARGS_USAGE "\", "
					 "\"pci_ids\": []}";

/* Feature bits that the headers of Linux before 6.2 do not have. */
#define ETHDEV_F_GUEST_USO4 54
#define ETHDEV_F_GUEST_USO6 55
#define ETHDEV_F_HOST_USO   56

/* The driver came up or went down. */
static void
ethdev_link_changed(struct rte_vduse_net *net, bool up, void *arg)
{
	struct rte_eth_dev *dev = arg;

	RTE_SET_USED(net);
	RTE_SET_USED(up);
	if (vduse_port_link_update(dev, 0) == 0)
		rte_eth_dev_callback_process(dev, RTE_ETH_EVENT_INTR_LSC, NULL);
}

static uint64_t
ethdev_offloads(const struct vduse_devargs *args)
{
	uint64_t offloads = 0;

	if (args->csum)
		offloads |= RTE_BIT64(VIRTIO_NET_F_CSUM) | RTE_BIT64(VIRTIO_NET_F_GUEST_CSUM);
	if (args->tso)
		offloads |= RTE_BIT64(VIRTIO_NET_F_HOST_TSO4) | RTE_BIT64(VIRTIO_NET_F_HOST_TSO6) |
			    RTE_BIT64(VIRTIO_NET_F_HOST_ECN) | RTE_BIT64(VIRTIO_NET_F_GUEST_TSO4) |
			    RTE_BIT64(VIRTIO_NET_F_GUEST_TSO6) | RTE_BIT64(VIRTIO_NET_F_GUEST_ECN);
	if (args->uso)
		offloads |= RTE_BIT64(ETHDEV_F_HOST_USO) | RTE_BIT64(ETHDEV_F_GUEST_USO4) |
			    RTE_BIT64(ETHDEV_F_GUEST_USO6);
	return offloads;
}

/* The driver enabled or disabled a virtqueue: the extended statistic "running" of its queue. */
static void
ethdev_queue_changed(struct rte_vduse_vq *vq, bool runs, void *arg)
{
	RTE_SET_USED(vq);
	RTE_SET_USED(runs);
	rte_eth_dev_callback_process(arg, RTE_ETH_EVENT_QUEUE_STATE, NULL);
}

static const struct rte_vduse_dev_ops ethdev_watch = { .vq_runs = ethdev_queue_changed };

static int
ethdev_net_create(struct rte_eth_dev *dev)
{
	struct vduse_port *port = dev->data->dev_private;
	const struct rte_vduse_net_conf conf = {
		.size = sizeof(struct rte_vduse_net_conf),
		.path = port->args.dev.path,
		.client = port->args.dev.client,
		.any_memory = port->args.dev.any_memory,
		.iommu = port->args.dev.iommu,
		.postcopy = port->args.dev.postcopy,
		.memory_limit = port->args.dev.memory_limit,
		.name = dev->data->name,
		.socket_mode = port->args.dev.socket_mode,
		.socket_group =
			port->args.dev.socket_group[0] != '\0' ? port->args.dev.socket_group : NULL,
		.pairs = port->args.dev.queues,
		.ctrl_queue = rte_vduse_net_may_ctrl_queue(port->args.dev.path),
		.hash_report = port->args.hash_report,
		.steer = (uint8_t)port->args.steer,
		.queue_size = port->args.dev.queue_size,
		.mac = port->args.mac,
		.mtu = port->args.mtu,
		.speed = port->args.speed,
		.socket_id = dev->data->numa_node,
		.umem = port->args.dev.umem,
		.features_off = (port->args.dev.packed ? 0 : RTE_BIT64(VIRTIO_F_RING_PACKED)) |
				(port->args.dev.in_order ? 0 : RTE_BIT64(VIRTIO_F_IN_ORDER)) |
				(port->args.mergeable ? 0 : RTE_BIT64(VIRTIO_NET_F_MRG_RXBUF)),
		.offloads = ethdev_offloads(&port->args),
		.link = ethdev_link_changed,
		.watch = &ethdev_watch,
		.from = port->from,
		.arg = dev,
	};
	int ret = rte_vduse_net_create(&conf, &port->net);

	/* A driver that a dead process left may have more pairs than this start asks for. */
	if (ret == 0)
		port->args.dev.queues = rte_vduse_net_pairs(port->net);
	return ret;
}

/* Initialises a new port, of which only the device arguments are set. */
static int
ethdev_init(struct rte_eth_dev *dev)
{
	struct vduse_port *port = dev->data->dev_private;
	struct rte_eth_dev_data *data = dev->data;
	int ret;

	data->mac_addrs =
		rte_zmalloc_socket("vduse_mac", sizeof(*data->mac_addrs), 0, data->numa_node);
	if (data->mac_addrs == NULL) {
		VDUSE_PMD_LOG(ERR, data->name, "no memory for a port");
		return -ENOMEM;
	}
	ret = vduse_handover_begin(dev);
	if (ret < 0)
		return ret;
	if (rte_is_zero_ether_addr(&port->args.mac))
		rte_eth_random_addr(port->args.mac.addr_bytes);
	data->mac_addrs[0] = port->args.mac;
	data->mtu = port->args.mtu;
	data->dev_flags = RTE_ETH_DEV_INTR_LSC;
	if (port->handover != NULL)
		data->dev_flags |= RTE_ETH_DEV_INTR_RMV;
	data->promiscuous = 1;
	data->all_multicast = 1;
	data->dev_link = vduse_port_link(port, false);
	rte_spinlock_init(&port->link_lock);
	dev->dev_ops = &vduse_port_ops;
	dev->rx_pkt_burst = vduse_rx_burst;
	dev->tx_pkt_burst = vduse_tx_burst;
	dev->rx_queue_count = vduse_rx_count;
	dev->rx_descriptor_status = vduse_rx_status;
	dev->tx_descriptor_status = vduse_tx_status;
	ret = ethdev_net_create(dev);
	if (ret < 0)
		vduse_handover_free(port);
	return ret;
}

static int
ethdev_probe(struct rte_vdev_device *vdev)
{
	const char *name = rte_vdev_device_name(vdev);
	struct vduse_devargs args;
	struct rte_eth_dev *dev;
	struct vduse_port *port;
	size_t size;
	int ret;

	if (rte_eal_process_type() != RTE_PROC_PRIMARY)
		return vduse_secondary_probe(vdev);
	ret = vduse_devargs_parse(name, rte_vdev_device_args(vdev), &args);
	if (ret < 0)
		return ret;
	size = sizeof(*port) + args.dev.queues * sizeof(port->vlan_drops[0]);
	dev = rte_eth_vdev_allocate(vdev, size);
	if (dev == NULL) {
		VDUSE_PMD_LOG(ERR, name, "no memory or no number left for a port");
		return -ENOMEM;
	}
	port = dev->data->dev_private;
	port->args = args;
	dev->process_private = port;
	ret = ethdev_init(dev);
	if (ret < 0) {
		rte_eth_dev_release_port(dev);
		return ret;
	}
	vduse_mp_serve(dev);
	rte_eth_dev_probing_finish(dev);
	return 0;
}

static int
ethdev_remove(struct rte_vdev_device *vdev)
{
	struct rte_eth_dev *dev;

	if (rte_eal_process_type() != RTE_PROC_PRIMARY)
		return vduse_secondary_remove(vdev);
	dev = rte_eth_dev_allocated(rte_vdev_device_name(vdev));
	/* The application may have closed the port before. */
	if (dev == NULL)
		return 0;
	vduse_port_close(dev);
	return rte_eth_dev_release_port(dev);
}

static struct rte_vdev_driver ethdev_driver = {
	.probe = ethdev_probe,
	.remove = ethdev_remove,
};

RTE_PMD_REGISTER_VDEV(net_vduse, ethdev_driver);
RTE_PMD_REGISTER_PARAM_STRING(net_vduse, VDUSE_DEVARGS_USAGE);
