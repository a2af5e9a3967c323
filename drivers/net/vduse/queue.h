/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* ethdev's operations on the queues of a port. Thread: the application's control thread. */
#ifndef VDUSE_QUEUE_H
#define VDUSE_QUEUE_H

#include <stdint.h>

#include <ethdev_driver.h>

int
vduse_vlan_offload_set(struct rte_eth_dev *dev, int mask);

int
vduse_rx_queue_start(struct rte_eth_dev *dev, uint16_t id);

int
vduse_rx_queue_stop(struct rte_eth_dev *dev, uint16_t id);

int
vduse_tx_queue_start(struct rte_eth_dev *dev, uint16_t id);

int
vduse_tx_queue_stop(struct rte_eth_dev *dev, uint16_t id);

void
vduse_queues_start(struct rte_eth_dev *dev);

void
vduse_queues_stop(struct rte_eth_dev *dev);

void
vduse_rx_queue_release(struct rte_eth_dev *dev, uint16_t id);

void
vduse_tx_queue_release(struct rte_eth_dev *dev, uint16_t id);

int
vduse_rx_queue_setup(struct rte_eth_dev *dev, uint16_t id, uint16_t nb_desc, unsigned int socket_id,
		     const struct rte_eth_rxconf *conf, struct rte_mempool *pool);

int
vduse_tx_queue_setup(struct rte_eth_dev *dev, uint16_t id, uint16_t nb_desc, unsigned int socket_id,
		     const struct rte_eth_txconf *conf);

void
vduse_rxq_info_get(struct rte_eth_dev *dev, uint16_t id, struct rte_eth_rxq_info *info);

void
vduse_txq_info_get(struct rte_eth_dev *dev, uint16_t id, struct rte_eth_txq_info *info);

/* For Rx and Tx queues: the ring format of the driver that is up. */
int
vduse_burst_mode(struct rte_eth_dev *dev, uint16_t id, struct rte_eth_burst_mode *mode);

int
vduse_tx_done_cleanup(void *queue, uint32_t nb);

#endif /* VDUSE_QUEUE_H */
