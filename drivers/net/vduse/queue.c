/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Queues of a port: set-up, start, stop and information. The rings are in the driver's memory, so
 * no ring is allocated here. Thread: the application's control thread, while the queue is not polled.
 */
#include <errno.h>
#include <stdio.h>

#include <linux/virtio_config.h>

#include <ethdev_driver.h>
#include <rte_malloc.h>
#include <rte_vduse_compat.h>

#include "pmd_log.h"
#include "port.h"
#include "queue.h"

static void
queue_enable(struct vduse_queue *queue, bool enable)
{
	rte_atomic_store_explicit(&queue->enabled, enable, rte_memory_order_relaxed);
}

static void
queue_vlan(struct vduse_queue *queue, bool on)
{
	rte_atomic_store_explicit(&queue->vlan, on, rte_memory_order_relaxed);
}

static bool
queue_strips(const struct rte_eth_dev *dev)
{
	return (dev->data->dev_conf.rxmode.offloads & RTE_ETH_RX_OFFLOAD_VLAN_STRIP) != 0;
}

/* ethdev has put the new offloads into dev_conf. Lcores may poll the queues meanwhile. */
int
vduse_vlan_offload_set(struct rte_eth_dev *dev, int mask)
{
	uint16_t i;

	if ((mask & RTE_ETH_VLAN_STRIP_MASK) == 0)
		return 0;
	for (i = 0; i < dev->data->nb_rx_queues; i++)
		if (dev->data->rx_queues[i] != NULL)
			queue_vlan(dev->data->rx_queues[i], queue_strips(dev));
	return 0;
}

int
vduse_rx_queue_start(struct rte_eth_dev *dev, uint16_t id)
{
	queue_vlan(dev->data->rx_queues[id], queue_strips(dev));
	queue_enable(dev->data->rx_queues[id], true);
	dev->data->rx_queue_state[id] = RTE_ETH_QUEUE_STATE_STARTED;
	return 0;
}

int
vduse_rx_queue_stop(struct rte_eth_dev *dev, uint16_t id)
{
	queue_enable(dev->data->rx_queues[id], false);
	dev->data->rx_queue_state[id] = RTE_ETH_QUEUE_STATE_STOPPED;
	return 0;
}

int
vduse_tx_queue_start(struct rte_eth_dev *dev, uint16_t id)
{
	queue_vlan(dev->data->tx_queues[id],
		   (dev->data->dev_conf.txmode.offloads & RTE_ETH_TX_OFFLOAD_VLAN_INSERT) != 0);
	queue_enable(dev->data->tx_queues[id], true);
	dev->data->tx_queue_state[id] = RTE_ETH_QUEUE_STATE_STARTED;
	return 0;
}

int
vduse_tx_queue_stop(struct rte_eth_dev *dev, uint16_t id)
{
	queue_enable(dev->data->tx_queues[id], false);
	dev->data->tx_queue_state[id] = RTE_ETH_QUEUE_STATE_STOPPED;
	return 0;
}

static bool
queue_wanted(const struct vduse_queue *queue)
{
	return queue != NULL && !queue->deferred;
}

void
vduse_queues_start(struct rte_eth_dev *dev)
{
	uint16_t i;

	for (i = 0; i < dev->data->nb_rx_queues; i++)
		if (queue_wanted(dev->data->rx_queues[i]))
			vduse_rx_queue_start(dev, i);
	for (i = 0; i < dev->data->nb_tx_queues; i++)
		if (queue_wanted(dev->data->tx_queues[i]))
			vduse_tx_queue_start(dev, i);
}

void
vduse_queues_stop(struct rte_eth_dev *dev)
{
	uint16_t i;

	for (i = 0; i < dev->data->nb_rx_queues; i++)
		if (dev->data->rx_queues[i] != NULL)
			vduse_rx_queue_stop(dev, i);
	for (i = 0; i < dev->data->nb_tx_queues; i++)
		if (dev->data->tx_queues[i] != NULL)
			vduse_tx_queue_stop(dev, i);
}

void
vduse_rx_queue_release(struct rte_eth_dev *dev, uint16_t id)
{
	rte_free(dev->data->rx_queues[id]);
	dev->data->rx_queues[id] = NULL;
}

void
vduse_tx_queue_release(struct rte_eth_dev *dev, uint16_t id)
{
	rte_free(dev->data->tx_queues[id]);
	dev->data->tx_queues[id] = NULL;
}

static struct vduse_queue *
queue_new(struct rte_eth_dev *dev, uint16_t id, unsigned int socket_id)
{
	const struct vduse_port *port = dev->data->dev_private;
	struct vduse_queue *queue;

	queue = rte_zmalloc_socket("vduse_queue", sizeof(*queue), RTE_CACHE_LINE_SIZE, socket_id);
	if (queue == NULL) {
		VDUSE_PMD_LOG(ERR, dev->device->name, "no memory for queue %u", id);
		return NULL;
	}
	queue->pair = id;
	queue->port_id = dev->data->port_id;
	queue->size = port->args.dev.queue_size;
	queue->net = port->net;
	return queue;
}

/* The driver chooses the ring size, so nb_desc is ignored. */
int
vduse_rx_queue_setup(struct rte_eth_dev *dev, uint16_t id, uint16_t nb_desc, unsigned int socket_id,
		     const struct rte_eth_rxconf *conf, struct rte_mempool *pool)
{
	struct vduse_queue *queue = queue_new(dev, id, socket_id);

	RTE_SET_USED(nb_desc);
	if (queue == NULL)
		return -ENOMEM;
	queue->pool = pool;
	queue->deferred = conf->rx_deferred_start != 0;
	dev->data->rx_queues[id] = queue;
	return 0;
}

int
vduse_tx_queue_setup(struct rte_eth_dev *dev, uint16_t id, uint16_t nb_desc, unsigned int socket_id,
		     const struct rte_eth_txconf *conf)
{
	struct vduse_queue *queue = queue_new(dev, id, socket_id);
	struct vduse_port *port = dev->data->dev_private;

	RTE_SET_USED(nb_desc);
	if (queue == NULL)
		return -ENOMEM;
	queue->vlan_drops = &port->vlan_drops[id];
	queue->deferred = conf->tx_deferred_start != 0;
	dev->data->tx_queues[id] = queue;
	return 0;
}

void
vduse_rxq_info_get(struct rte_eth_dev *dev, uint16_t id, struct rte_eth_rxq_info *info)
{
	const struct vduse_port *port = dev->data->dev_private;
	const struct vduse_queue *queue = dev->data->rx_queues[id];

	info->mp = queue->pool;
	info->scattered_rx = dev->data->scattered_rx;
	info->nb_desc = port->args.dev.queue_size;
	info->rx_buf_size = rte_pktmbuf_data_room_size(queue->pool) - RTE_PKTMBUF_HEADROOM;
	info->conf.rx_deferred_start = queue->deferred;
	info->conf.offloads = dev->data->dev_conf.rxmode.offloads;
}

void
vduse_txq_info_get(struct rte_eth_dev *dev, uint16_t id, struct rte_eth_txq_info *info)
{
	const struct vduse_port *port = dev->data->dev_private;
	const struct vduse_queue *queue = dev->data->tx_queues[id];

	info->nb_desc = port->args.dev.queue_size;
	info->conf.tx_deferred_start = queue->deferred;
	info->conf.offloads = dev->data->dev_conf.txmode.offloads;
}

/* The same for each queue and direction: plain C that copies packets, for either ring format. */
int
vduse_burst_mode(struct rte_eth_dev *dev, uint16_t id, struct rte_eth_burst_mode *mode)
{
	const struct vduse_port *port = dev->data->dev_private;
	uint64_t features = rte_vduse_dev_features(rte_vduse_net_dev(port->net));
	const char *ring = "no driver";

	RTE_SET_USED(id);
	if (rte_vduse_net_link(port->net))
		ring = features & RTE_BIT64(VIRTIO_F_RING_PACKED) ? "packed ring" : "split ring";
	snprintf(mode->info, sizeof(mode->info), "Scalar, %s", ring);
	return 0;
}

/* Tx bursts copy and free the mbufs, so none is pending. */
int
vduse_tx_done_cleanup(void *queue, uint32_t nb)
{
	RTE_SET_USED(queue);
	RTE_SET_USED(nb);
	return 0;
}
