/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Rx and Tx bursts of a port. They pass mbufs between the application and lib/virtio_net, which
 * does the work. A stopped queue passes none. Thread: the lcore that polls the queue.
 */
#include <errno.h>

#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_vduse_compat.h>

#include "port.h"
#include "rxtx.h"
#include "vlan.h"

/* Relaxed: the flag orders nothing. An application stops polling a queue before it stops the queue. */
static inline bool
rxtx_enabled(const struct vduse_queue *queue)
{
	return rte_atomic_load_explicit(&queue->enabled, rte_memory_order_relaxed);
}

static inline bool
rxtx_vlan(const struct vduse_queue *queue)
{
	return rte_atomic_load_explicit(&queue->vlan, rte_memory_order_relaxed);
}

uint16_t
vduse_rx_burst(void *queue, struct rte_mbuf **mbufs, uint16_t nb)
{
	const struct vduse_queue *rxq = queue;
	uint16_t i, received;

	if (unlikely(!rxtx_enabled(rxq)))
		return 0;
	received = rte_vduse_net_rx_burst(rxq->net, rxq->pair, rxq->pool, mbufs, nb);
	for (i = 0; i < received; i++)
		mbufs[i]->port = rxq->port_id;
	if (unlikely(rxtx_vlan(rxq)))
		vduse_vlan_strip(mbufs, received);
	return received;
}

uint16_t
vduse_tx_burst(void *queue, struct rte_mbuf **mbufs, uint16_t nb)
{
	const struct vduse_queue *txq = queue;

	if (unlikely(!rxtx_enabled(txq)))
		return 0;
	if (unlikely(rxtx_vlan(txq)))
		return vduse_vlan_tx_burst(txq, mbufs, nb);
	return rte_vduse_net_tx_burst(txq->net, txq->pair, mbufs, nb);
}

vduse_rx_count_t
vduse_rx_count(void *queue)
{
	const struct vduse_queue *rxq = queue;

	return rxtx_enabled(rxq) ? rte_vduse_net_rx_count(rxq->net, rxq->pair) : 0;
}

/* The driver may have made a larger ring than announced; its size is not known here. */
int
vduse_rx_status(void *queue, uint16_t offset)
{
	const struct vduse_queue *rxq = queue;

	if ((uint32_t)vduse_rx_count(queue) > offset)
		return RTE_ETH_RX_DESC_DONE;
	return offset < rxq->size ? RTE_ETH_RX_DESC_AVAIL : -EINVAL;
}

int
vduse_tx_status(void *queue, uint16_t offset)
{
	const struct vduse_queue *txq = queue;

	if (rxtx_enabled(txq) && rte_vduse_net_tx_count(txq->net, txq->pair) > offset)
		return RTE_ETH_TX_DESC_DONE;
	return offset < txq->size ? RTE_ETH_TX_DESC_FULL : -EINVAL;
}
