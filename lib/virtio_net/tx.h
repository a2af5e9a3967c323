/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* The copy of packets to the driver, shared by tx.c and gso_tx.c. Thread: polling. */
#ifndef VNET_TX_H
#define VNET_TX_H

#include <stdint.h>

#include <virtio_net/net.h>
#include <virtio_net/offload.h>

/* Result for a packet. */
enum vnet_tx_result {
	VNET_TX_SENT,
	VNET_TX_MORE,     /* needs more chains */
	VNET_TX_DROP,     /* fits into no number of chains, or a buffer is invalid */
	VNET_TX_LARGE,    /* to be segmented */
	VNET_TX_FILTERED, /* the driver does not want it */
};

/*
 * tx.c: finds the first chains with room for a packet of len bytes. *taken: their number, also for a
 * drop. Returns VNET_TX_SENT if there are such chains, VNET_TX_MORE or VNET_TX_DROP.
 */
enum vnet_tx_result
vnet_tx_room(const struct vnet_queue *queue, struct rte_vduse_chain *chains, uint16_t nb_chains,
	     uint32_t len, uint16_t *taken);

/* tx.c: writes a packet to chains that have room for it. */
void
vnet_tx_copy(const struct vnet_queue *queue, struct rte_vduse_chain *chains, uint16_t nb_chains,
	     const struct rte_mbuf *packet, struct vnet_head *head);

/* tx.c: sends packets to a queue that was entered. Returns packets sent or dropped; frees none. */
uint16_t
vnet_tx_held(struct vnet_queue *queue, struct rte_mbuf *const *mbufs, uint16_t nb);

#endif /* VNET_TX_H */
