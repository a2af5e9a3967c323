/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* The copy of packets from the driver, shared by rx.c and gso_rx.c. Thread: polling. */
#ifndef VNET_RX_H
#define VNET_RX_H

#include <stdbool.h>
#include <stdint.h>

#include <virtio_net/net.h>

/* The mbufs of a burst. Those from first to last - 1 are not used yet, as the pool gave them. */
struct vnet_rx_mbufs {
	struct rte_mempool *pool;
	struct rte_mbuf **mbufs;
	uint16_t first;
	uint16_t last;
	uint16_t headroom;
	uint64_t ol_flags;
	uint32_t frame_max;
	bool segment;              /* the chain at which the burst stopped has to be segmented */
	struct virtio_net_hdr hdr; /* of that chain */
};

/*
 * rx.c: whether a packet of len bytes may go into an empty mbuf of this pool; gives it an external
 * buffer where that is what the application wants.
 */
bool
vnet_rx_room(const struct vnet_queue *queue, struct rte_mbuf *packet, uint32_t len);

/*
 * rx.c: appends len bytes of a chain, which it has, from skip on. Returns 0, -ENOMEM without mbufs,
 * or -EMSGSIZE for a packet that is longer than the whole pool.
 */
int
vnet_rx_append(const struct rte_vduse_chain *chain, uint32_t skip, uint32_t len,
	       struct rte_mbuf *packet, struct vnet_rx_mbufs *burst);

#endif /* VNET_RX_H */
