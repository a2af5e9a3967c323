/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Segmentation in software, where one side sends large TCP or UDP packets that the other does not
 * take. rte_gso of DPDK knows neither IPv6 nor UDP segments, and needs pools of the application.
 * Thread: polling.
 */
#ifndef VNET_GSO_H
#define VNET_GSO_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rte_ip.h>
#include <rte_tcp.h>
#include <rte_udp.h>

#include <virtio_net/rx.h>

/* Longest large packet: 64 KiB of IP, and what comes before it. */
#define VNET_GSO_FRAME_MAX ((uint32_t)UINT16_MAX + VNET_FRAME_OVERHEAD)

/* How a large packet is segmented. */
struct vnet_gso {
	uint32_t payload;    /* bytes after the headers */
	uint16_t l2, l3, l4; /* lengths of the headers, together at most VNET_HEAD_MAX */
	uint16_t size;       /* payload of a segment, not 0 */
	uint32_t ptype;      /* of a packet from the driver: RTE_PTYPE_* */
	uint8_t proto;       /* IPPROTO_TCP or IPPROTO_UDP */
	bool ipv6;
};

static inline uint16_t
vnet_gso_headers(const struct vnet_gso *gso)
{
	return gso->l2 + gso->l3 + gso->l4;
}

/* Length of the longest segment, with its headers. */
static inline uint32_t
vnet_gso_longest(const struct vnet_gso *gso)
{
	return vnet_gso_headers(gso) + RTE_MIN(gso->payload, (uint32_t)gso->size);
}

/* Whether the IP header of each segment can tell its length. That of IPv6 does not count itself. */
static inline bool
vnet_gso_fits_ip(const struct vnet_gso *gso)
{
	uint32_t own = gso->ipv6 ? sizeof(struct rte_ipv6_hdr) : 0;

	return vnet_gso_longest(gso) - gso->l2 - own <= UINT16_MAX;
}

static inline uint16_t
vnet_gso_csum_offset(const struct vnet_gso *gso)
{
	return gso->proto == IPPROTO_TCP ? offsetof(struct rte_tcp_hdr, cksum)
					 : offsetof(struct rte_udp_hdr, dgram_cksum);
}

/*
 * gso.c: the headers of the segment that has len bytes from byte at of the payload on, from those
 * of the large packet. sum: that of its payload, for a whole checksum; NULL: only the pseudo
 * header's is filled in, and the receiver does the rest.
 */
void
vnet_gso_head(const struct vnet_gso *gso, const uint8_t *from, uint32_t at, uint16_t len,
	      const uint16_t *sum, uint8_t *to);

/*
 * gso_rx.c: segments the large packet of a chain into up to nb packets, and goes on in the next call
 * where it stopped in the last one. *done: the chain is finished, or dropped and counted. Returns
 * the number of packets.
 */
uint16_t
vnet_gso_rx(struct vnet_queue *queue, const struct rte_vduse_chain *chain,
	    struct vnet_rx_mbufs *burst, struct rte_mbuf **mbufs, uint16_t nb, bool *done);

/*
 * gso_tx.c: sends a large packet in segments. Returns false if it has to wait for more chains;
 * otherwise it was sent, or dropped and counted.
 */
bool
vnet_gso_tx(struct vnet_queue *queue, const struct rte_mbuf *packet);

#endif /* VNET_GSO_H */
