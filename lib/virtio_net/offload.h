/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Checksum and segmentation offload: the header of a packet on one side, the flags of its mbuf on
 * the other.
 * Thread: polling.
 */
#ifndef VNET_OFFLOAD_H
#define VNET_OFFLOAD_H

#include <stdbool.h>
#include <stdint.h>

#include <linux/virtio_net.h>

#include <rte_mbuf.h>

/* Missing from the headers of Linux before 6.2. */
#ifndef VIRTIO_NET_F_GUEST_USO4
#define VIRTIO_NET_F_GUEST_USO4 54
#define VIRTIO_NET_F_GUEST_USO6 55
#define VIRTIO_NET_F_HOST_USO   56
#endif
#ifndef VIRTIO_NET_HDR_GSO_UDP_L4
#define VIRTIO_NET_HDR_GSO_UDP_L4 5
#endif

#define VNET_OFFLOAD(name) (UINT64_C(1) << VIRTIO_NET_F_##name)

/* Features that need VIRTIO_NET_F_CSUM, and those that need VIRTIO_NET_F_GUEST_CSUM. */
#define VNET_OFFLOADS_HOST                                                                         \
	(VNET_OFFLOAD(HOST_TSO4) | VNET_OFFLOAD(HOST_TSO6) | VNET_OFFLOAD(HOST_ECN) |              \
	 VNET_OFFLOAD(HOST_USO))
#define VNET_OFFLOADS_GUEST                                                                        \
	(VNET_OFFLOAD(GUEST_TSO4) | VNET_OFFLOAD(GUEST_TSO6) | VNET_OFFLOAD(GUEST_ECN) |           \
	 VNET_OFFLOAD(GUEST_USO4) | VNET_OFFLOAD(GUEST_USO6))

/* Features that conf.offloads may name. */
#define VNET_OFFLOADS                                                                              \
	(VNET_OFFLOAD(CSUM) | VNET_OFFLOAD(GUEST_CSUM) | VNET_OFFLOADS_HOST | VNET_OFFLOADS_GUEST)

/* Flags of a packet to the driver that ask for segmentation. */
#define VNET_OFFLOAD_TX_SEG (RTE_MBUF_F_TX_TCP_SEG | RTE_MBUF_F_TX_UDP_SEG)

/* Flags of a packet to the driver that vnet_offload_tx() looks at. */
#define VNET_OFFLOAD_TX_FLAGS                                                                      \
	(RTE_MBUF_F_TX_IP_CKSUM | RTE_MBUF_F_TX_L4_MASK | VNET_OFFLOAD_TX_SEG |                    \
	 RTE_MBUF_F_TX_OUTER_IP_CKSUM | RTE_MBUF_F_TX_OUTER_UDP_CKSUM)

struct vnet_gso;
struct vnet_queue;

/* Longest Ethernet, IP and L4 headers of a packet that are changed, bytes. */
#define VNET_HEAD_MAX 256

/* A packet to the driver: its header, bytes in place of its first ones, and the rest. */
struct vnet_head {
	struct virtio_net_hdr_v1 hdr; /* without num_buffers */
	uint16_t len;                 /* of bytes */
	uint32_t at, rest;            /* where the rest begins in the mbuf, and its length */
	uint8_t bytes[VNET_HEAD_MAX];
};

/*
 * Features without those that need another one which is missing (section 5.1.3.1). A driver that
 * accepts such a feature all the same does not get it.
 */
static inline uint64_t
vnet_offloads_valid(uint64_t features)
{
	features &= VNET_OFFLOADS;
	if ((features & VNET_OFFLOAD(CSUM)) == 0)
		features &= ~VNET_OFFLOADS_HOST;
	if ((features & VNET_OFFLOAD(GUEST_CSUM)) == 0)
		features &= ~VNET_OFFLOADS_GUEST;
	if ((features & (VNET_OFFLOAD(HOST_TSO4) | VNET_OFFLOAD(HOST_TSO6))) == 0)
		features &= ~VNET_OFFLOAD(HOST_ECN);
	if ((features & (VNET_OFFLOAD(GUEST_TSO4) | VNET_OFFLOAD(GUEST_TSO6))) == 0)
		features &= ~VNET_OFFLOAD(GUEST_ECN);
	return features;
}

/*
 * offload_rx.c: does what the header of a packet from the driver asks for (section 5.1.6.2), which
 * the caller read once. A large packet is not segmented. Returns false if the header is wrong or a
 * segment is longer than frame_max, and counts it: drop the packet.
 */
bool
vnet_offload_rx(struct vnet_queue *queue, const struct virtio_net_hdr *hdr, struct rte_mbuf *packet,
		uint32_t frame_max);

/* offload_rx.c: the feature with which a driver may send large packets of a type; 0: none. */
uint64_t
vnet_offload_gso_feature(uint8_t gso_type);

/*
 * offload_rx.c: how to segment a packet of len bytes, of which packet has the first ones, with all
 * headers. Returns false if its virtio-net header is wrong.
 */
bool
vnet_offload_gso(const struct vnet_queue *queue, const struct virtio_net_hdr *hdr,
		 const struct rte_mbuf *packet, uint32_t len, struct vnet_gso *gso);

/*
 * offload_tx.c: prepares what the flags of a packet to the driver ask for (section 5.1.6.4): the
 * driver completes the L4 checksum if it accepted GUEST_CSUM. The packet is not changed. Returns
 * false if that cannot be done, and counts it: drop the packet.
 */
bool
vnet_offload_tx(struct vnet_queue *queue, const struct rte_mbuf *packet, struct vnet_head *head);

/*
 * offload_tx.c: how to segment a packet whose flags ask for it, and its first bytes, as they are, in
 * head. Returns false if flags and lengths do not go together.
 */
bool
vnet_offload_tx_gso(const struct rte_mbuf *packet, struct vnet_head *head, struct vnet_gso *gso);

/* offload_tx.c: whether the driver takes a packet whose flags ask for segmentation as it is. */
bool
vnet_offload_tx_takes(const struct vnet_queue *queue, const struct rte_mbuf *packet);

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
