/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* Rx and Tx bursts of a port. Thread: the lcore that polls the queue. */
#ifndef VDUSE_RXTX_H
#define VDUSE_RXTX_H

#include <stdint.h>

#include "compat.h"

struct rte_mbuf;

uint16_t
vduse_rx_burst(void *queue, struct rte_mbuf **mbufs, uint16_t nb);

uint16_t
vduse_tx_burst(void *queue, struct rte_mbuf **mbufs, uint16_t nb);

/* Number of packets available in an Rx queue. */
vduse_rx_count_t
vduse_rx_count(void *queue);

/* Whether so many packets wait in an Rx queue: RTE_ETH_RX_DESC_*, or -EINVAL. */
int
vduse_rx_status(void *queue, uint16_t offset);

/* Whether the driver offers so many buffers to a Tx queue: RTE_ETH_TX_DESC_*, or -EINVAL. */
int
vduse_tx_status(void *queue, uint16_t offset);

#endif /* VDUSE_RXTX_H */
