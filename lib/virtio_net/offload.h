/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Checksum offload: the header of a packet on one side, the flags of its mbuf on the other.
 * Thread: polling.
 */
#ifndef VNET_OFFLOAD_H
#define VNET_OFFLOAD_H

#include <stdbool.h>
#include <stdint.h>

#include <linux/virtio_net.h>

#include <rte_mbuf.h>

/* Features that conf.offloads may name. */
#define VNET_OFFLOADS (UINT64_C(1) << VIRTIO_NET_F_CSUM | UINT64_C(1) << VIRTIO_NET_F_GUEST_CSUM)

/* Flags of a packet to the driver that vnet_offload_tx() looks at. */
#define VNET_OFFLOAD_TX_FLAGS                                                                      \
	(RTE_MBUF_F_TX_IP_CKSUM | RTE_MBUF_F_TX_L4_MASK | RTE_MBUF_F_TX_TCP_SEG |                  \
	 RTE_MBUF_F_TX_UDP_SEG | RTE_MBUF_F_TX_OUTER_IP_CKSUM | RTE_MBUF_F_TX_OUTER_UDP_CKSUM)

struct vnet_queue;

/* Longest Ethernet, IP and L4 headers of a packet to the driver that are changed, bytes. */
#define VNET_HEAD_MAX 256

/* The beginning of a packet to the driver: its header, and bytes in place of its first ones. */
struct vnet_head {
	struct virtio_net_hdr_v1 hdr; /* without num_buffers */
	uint16_t len;                 /* bytes */
	uint8_t bytes[VNET_HEAD_MAX];
};

/*
 * offload_rx.c: does what the header of a packet from the driver asks for (section 5.1.6.2), which
 * the caller read once. Returns false if the header is wrong, and counts it: drop the packet.
 */
bool
vnet_offload_rx(struct vnet_queue *queue, const struct virtio_net_hdr *hdr,
		struct rte_mbuf *packet);

/*
 * offload_tx.c: prepares what the flags of a packet to the driver ask for (section 5.1.6.4): the
 * driver completes the L4 checksum if it accepted GUEST_CSUM. The packet is not changed. Returns
 * false if that cannot be done, and counts it: drop the packet.
 */
bool
vnet_offload_tx(struct vnet_queue *queue, const struct rte_mbuf *packet, struct vnet_head *head);

/* A sum with its carries added, at most twice 16 bits wide before. */
static inline uint16_t
vnet_offload_fold(uint32_t sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)((sum & 0xffff) + (sum >> 16));
}

/* The checksum of a sum. Never 0, which means that there is no checksum. */
static inline uint16_t
vnet_offload_csum(uint32_t sum)
{
	uint16_t folded = vnet_offload_fold(sum);

	return folded == 0xffff ? folded : (uint16_t)~folded;
}

/* offload_sum.c: the sum of len bytes of a packet from at on, which it has. */
uint16_t
vnet_offload_sum(const struct rte_mbuf *segment, uint32_t at, uint32_t len);

#endif /* VNET_OFFLOAD_H */
