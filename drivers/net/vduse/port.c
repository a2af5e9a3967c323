/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Control operations of a port (struct eth_dev_ops), implemented with lib/virtio_net.
 * Thread: the application's control thread, one operation at a time. The link status is updated by
 * the library's control thread as well.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include <linux/virtio_net.h>

#include <ethdev_driver.h>

#include <rte_vduse_compat.h>
#include <rte_vduse_state.h>

#include "handover.h"
#include "intr.h"
#include "mp.h"
#include "port.h"
#include "queue.h"
#include "xstats.h"

/* Longest frame at the largest MTU. */
#define PORT_FRAME_MAX (RTE_VDUSE_NET_MTU_MAX + RTE_ETHER_HDR_LEN + RTE_ETHER_CRC_LEN)

/* Smaller data rooms would make very long chains of mbufs. */
#define PORT_RX_BUFFER_MIN 64

#define PORT_BURST 32

/* Whatever the driver accepts. */
#define PORT_RX_OFFLOADS (RTE_ETH_RX_OFFLOAD_SCATTER | RTE_ETH_RX_OFFLOAD_VLAN_STRIP)
#define PORT_TX_OFFLOADS (RTE_ETH_TX_OFFLOAD_MULTI_SEGS | RTE_ETH_TX_OFFLOAD_VLAN_INSERT)

/*
 * With csum=1 what the driver left out is either handed over or computed. The checksum of an IPv4
 * header is always complete, but RTE_ETH_RX_OFFLOAD_IPV4_CKSUM is left out on purpose. Open vSwitch
 * enables Rx checksum offloads if a port has all three. Versions up to 3.1 ignore
 * RTE_MBUF_F_RX_L4_CKSUM_NONE and would pass packets without checksums on to other ports as they are.
 */
#define PORT_RX_CSUM (RTE_ETH_RX_OFFLOAD_UDP_CKSUM | RTE_ETH_RX_OFFLOAD_TCP_CKSUM)

/* For each driver: what it does not do itself is done in software. */
#define PORT_TX_CSUM                                                                               \
	(RTE_ETH_TX_OFFLOAD_IPV4_CKSUM | RTE_ETH_TX_OFFLOAD_UDP_CKSUM |                            \
	 RTE_ETH_TX_OFFLOAD_TCP_CKSUM | RTE_ETH_TX_OFFLOAD_TCP_TSO | RTE_ETH_TX_OFFLOAD_UDP_TSO)

/* With tso=1. Large UDP packets have no flag of their own, so they are segmented on receive. */
#define PORT_RX_TSO (RTE_BIT64(VIRTIO_NET_F_HOST_TSO4) | RTE_BIT64(VIRTIO_NET_F_HOST_TSO6))

static uint64_t
port_rx_capa(const struct vduse_port *port)
{
	return PORT_RX_OFFLOADS | (port->args.csum ? PORT_RX_CSUM : 0) |
	       (port->args.tso ? RTE_ETH_RX_OFFLOAD_TCP_LRO : 0);
}

static uint64_t
port_tx_capa(const struct vduse_port *port)
{
	return PORT_TX_OFFLOADS | (port->args.csum ? PORT_TX_CSUM : 0);
}

struct rte_eth_link
vduse_port_link(const struct vduse_port *port, bool up)
{
	return (struct rte_eth_link){
		.link_speed = port->args.speed != 0 ? port->args.speed : RTE_ETH_SPEED_NUM_10G,
		.link_duplex = RTE_ETH_LINK_FULL_DUPLEX,
		.link_autoneg = RTE_ETH_LINK_FIXED,
		.link_status = up ? RTE_ETH_LINK_UP : RTE_ETH_LINK_DOWN,
	};
}

int
vduse_port_link_update(struct rte_eth_dev *dev, int wait)
{
	struct vduse_port *port = dev->data->dev_private;
	struct rte_eth_link link;
	bool up;
	int ret;

	RTE_SET_USED(wait);
	/* Two threads run this; without the lock the older status could be stored last. */
	rte_spinlock_lock(&port->link_lock);
	up = !vduse_handover_given(port) &&
	     rte_atomic_load_explicit(&port->started, rte_memory_order_acquire) &&
	     !rte_atomic_load_explicit(&port->link_off, rte_memory_order_acquire) &&
	     rte_vduse_net_link(port->net);
	link = vduse_port_link(port, up);
	ret = rte_eth_linkstatus_set(dev, &link);
	rte_spinlock_unlock(&port->link_lock);
	return ret;
}

/* In the configuration space of a device that another process has nothing is changed. */
static int
port_carrier(struct vduse_port *port, bool up)
{
	int ret;

	if (!vduse_handover_enter(port))
		return -ENODEV;
	ret = rte_vduse_net_set_link(port->net, up);
	vduse_handover_leave(port);
	return ret;
}

/* The carrier of the driver follows. A stopped port has none. */
static int
port_link_set(struct rte_eth_dev *dev, bool up)
{
	struct vduse_port *port = dev->data->dev_private;
	int ret;

	if (!port->started)
		return up ? -EINVAL : 0;
	ret = port_carrier(port, up);
	if (ret < 0)
		return ret;
	rte_atomic_store_explicit(&port->link_off, !up, rte_memory_order_release);
	vduse_port_link_update(dev, 0);
	return 0;
}

static int
port_link_up(struct rte_eth_dev *dev)
{
	return port_link_set(dev, true);
}

static int
port_link_down(struct rte_eth_dev *dev)
{
	return port_link_set(dev, false);
}

/* An MTU that the application sets replaces the one in the device arguments. */
static int
port_mtu_set(struct rte_eth_dev *dev, uint16_t mtu)
{
	struct vduse_port *port = dev->data->dev_private;
	int ret;

	if (mtu == port->args.mtu)
		return 0;
	if (!vduse_handover_enter(port))
		return -ENODEV;
	ret = rte_vduse_net_set_mtu(port->net, mtu);
	vduse_handover_leave(port);
	if (ret == 0)
		port->args.mtu = mtu;
	return ret;
}

static int
port_configure(struct rte_eth_dev *dev)
{
	struct vduse_port *port = dev->data->dev_private;
	int ret;
	uint64_t rx = dev->data->dev_conf.rxmode.offloads;

	ret = vduse_intr_configure(dev);
	if (ret < 0)
		return ret;
	/* The driver may send packets longer than a data room, whatever offloads are set. */
	dev->data->scattered_rx = 1;
	rte_vduse_net_set_partial_csum(port->net, (rx & PORT_RX_CSUM) == PORT_RX_CSUM);
	rte_vduse_net_set_rx_gso(port->net, rx & RTE_ETH_RX_OFFLOAD_TCP_LRO ? PORT_RX_TSO : 0);
	/* ethdev sets the default if the application did not set an MTU. */
	if (dev->data->mtu == RTE_ETHER_MTU)
		dev->data->mtu = port->args.mtu;
	return port_mtu_set(dev, dev->data->mtu);
}

static int
port_stop(struct rte_eth_dev *dev)
{
	struct vduse_port *port = dev->data->dev_private;

	vduse_queues_stop(dev);
	rte_atomic_store_explicit(&port->started, false, rte_memory_order_release);
	/* This fails if the kernel has marked the device broken; the port is stopped anyway. */
	(void)port_carrier(port, false);
	vduse_port_link_update(dev, 0);
	return 0;
}

static int
port_start(struct rte_eth_dev *dev)
{
	struct vduse_port *port = dev->data->dev_private;
	int ret;

	/* Before the start: the driver may come up during rte_vduse_net_start(). */
	rte_atomic_store_explicit(&port->link_off, false, rte_memory_order_release);
	rte_atomic_store_explicit(&port->started, true, rte_memory_order_release);
	if (!port->served) {
		ret = rte_vduse_net_start(port->net, port->args.dev.attach);
		if (ret < 0)
			goto stop;
		port->served = true;
		/* Its driver may have missed what happened meanwhile; most have no such feature. */
		if (!vduse_handover_started(dev) &&
		    rte_vduse_dev_taken_over(rte_vduse_net_dev(port->net)))
			(void)rte_vduse_net_announce(port->net);
	}
	ret = port_carrier(port, true);
	if (ret < 0)
		goto stop;
	vduse_queues_start(dev);
	vduse_port_link_update(dev, 0);
	return 0;

stop:
	port_stop(dev);
	return ret;
}

int
vduse_port_close(struct rte_eth_dev *dev)
{
	struct vduse_port *port = dev->data->dev_private;
	uint16_t i;

	vduse_mp_withdraw(dev);
	if (port->started)
		port_stop(dev);
	vduse_intr_free(dev);
	vduse_handover_end(dev);
	rte_vduse_net_destroy(port->net);
	port->net = NULL;
	vduse_handover_free(port);
	for (i = 0; i < dev->data->nb_rx_queues; i++)
		vduse_rx_queue_release(dev, i);
	for (i = 0; i < dev->data->nb_tx_queues; i++)
		vduse_tx_queue_release(dev, i);
	return 0;
}

int
vduse_port_infos_get(struct rte_eth_dev *dev, struct rte_eth_dev_info *info)
{
	const struct vduse_port *port = dev->process_private;

	info->max_rx_queues = port->args.dev.queues;
	info->max_tx_queues = port->args.dev.queues;
	info->max_mac_addrs = 1;
	info->min_mtu = RTE_VDUSE_NET_MTU_MIN;
	info->max_mtu = RTE_VDUSE_NET_MTU_MAX;
	info->max_rx_pktlen = PORT_FRAME_MAX;
	info->min_rx_bufsize = PORT_RX_BUFFER_MIN;
	info->speed_capa = RTE_ETH_LINK_SPEED_10G;
	info->max_lro_pkt_size = PORT_FRAME_MAX;
	info->rx_offload_capa = port_rx_capa(port);
	info->tx_offload_capa = port_tx_capa(port);
	info->default_rxportconf.burst_size = PORT_BURST;
	info->default_rxportconf.ring_size = port->args.dev.queue_size;
	info->default_rxportconf.nb_queues = port->args.dev.queues;
	info->default_txportconf = info->default_rxportconf;
	return 0;
}

/* The port receives everything that the driver sends: there is no filter to change. */
static int
port_filter_nothing(struct rte_eth_dev *dev)
{
	RTE_SET_USED(dev);
	return 0;
}

/* ethdev sets the address at each start; notify the driver only if it has changed. */
static int
port_mac_addr_set(struct rte_eth_dev *dev, struct rte_ether_addr *mac)
{
	struct vduse_port *port = dev->data->dev_private;
	int ret;

	if (rte_is_same_ether_addr(mac, &port->args.mac))
		return 0;
	if (!vduse_handover_enter(port))
		return -ENODEV;
	ret = rte_vduse_net_set_mac(port->net, mac);
	vduse_handover_leave(port);
	if (ret == 0)
		port->args.mac = *mac;
	return ret;
}

static int
port_priv_dump(struct rte_eth_dev *dev, FILE *file)
{
	const struct vduse_port *port = dev->data->dev_private;
	struct rte_vduse_dev *below = rte_vduse_net_dev(port->net);

	fprintf(file, "\t  - iface: %s\n", port->args.dev.path);
	fprintf(file, "\t  - queue pairs: %u of %u descriptors\n", port->args.dev.queues,
		port->args.dev.queue_size);
	fprintf(file, "\t  - mtu: %u\n", port->args.mtu);
	fprintf(file, "\t  - served: %s\n", port->served ? "yes" : "no");
	fprintf(file, "\t  - started: %s\n", port->started ? "yes" : "no");
	fprintf(file, "\t  - device status: 0x%02x\n", rte_vduse_dev_status(below));
	fprintf(file, "\t  - features: 0x%016" PRIx64 "\n", rte_vduse_dev_features(below));
	return 0;
}

const struct eth_dev_ops vduse_port_ops = {
	.dev_configure = port_configure,
	.dev_start = port_start,
	.dev_stop = port_stop,
	.dev_close = vduse_port_close,
	.dev_infos_get = vduse_port_infos_get,
	.link_update = vduse_port_link_update,
	.dev_set_link_up = port_link_up,
	.dev_set_link_down = port_link_down,
	.promiscuous_enable = port_filter_nothing,
	.promiscuous_disable = port_filter_nothing,
	.allmulticast_enable = port_filter_nothing,
	.allmulticast_disable = port_filter_nothing,
	.mac_addr_set = port_mac_addr_set,
	.mtu_set = port_mtu_set,
	.vlan_offload_set = vduse_vlan_offload_set,
	.stats_get = VDUSE_STATS_GET,
	.stats_reset = vduse_stats_reset,
	.xstats_get = vduse_xstats_get,
	.xstats_get_by_id = vduse_xstats_get_by_id,
	.xstats_get_names = vduse_xstats_get_names,
	.xstats_reset = vduse_stats_reset,
	.rx_queue_setup = vduse_rx_queue_setup,
	.tx_queue_setup = vduse_tx_queue_setup,
	.rx_queue_release = vduse_rx_queue_release,
	.tx_queue_release = vduse_tx_queue_release,
	.rx_queue_start = vduse_rx_queue_start,
	.rx_queue_stop = vduse_rx_queue_stop,
	.tx_queue_start = vduse_tx_queue_start,
	.tx_queue_stop = vduse_tx_queue_stop,
	.rx_queue_intr_enable = vduse_intr_enable,
	.rx_queue_intr_disable = vduse_intr_disable,
	.rxq_info_get = vduse_rxq_info_get,
	.txq_info_get = vduse_txq_info_get,
	.rx_burst_mode_get = vduse_burst_mode,
	.tx_burst_mode_get = vduse_burst_mode,
	.tx_done_cleanup = vduse_tx_done_cleanup,
	.eth_dev_priv_dump = port_priv_dump,
};
