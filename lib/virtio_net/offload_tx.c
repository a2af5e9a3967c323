/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Checksums of packets to the driver that the application left to the device, and large packets.
 * Input: mbuf flags and lengths. Output: the virtio-net header, and a changed copy of the headers of
 * the packet.
 * Thread: polling.
 */
#include <netinet/in.h>
#include <string.h>

#include <rte_byteorder.h>
#include <rte_ip.h>
#include <rte_tcp.h>
#include <rte_udp.h>
#include <rte_vduse_compat.h>

#include <virtio_net/gso.h>
#include <virtio_net/offload.h>

/* Longest TCP header: its length has 4 bits, in words of 4 bytes. */
#define OFFLOAD_TCP_MAX 60

/* Flags of packets with an outer header, for which nothing is done. */
#define OFFLOAD_TUNNEL                                                                             \
	(RTE_MBUF_F_TX_TUNNEL_MASK | RTE_MBUF_F_TX_OUTER_IPV4 | RTE_MBUF_F_TX_OUTER_IPV6 |         \
	 RTE_MBUF_F_TX_OUTER_IP_CKSUM | RTE_MBUF_F_TX_OUTER_UDP_CKSUM)

/* What flags say about the L4 header. */
struct offload_l4 {
	uint16_t size;   /* of the header at least; 0: no L4 checksum is asked for */
	uint16_t offset; /* of the checksum */
	uint8_t proto;   /* IPPROTO_TCP or IPPROTO_UDP */
};

/* Whether the flags ask for what is served, and the lengths go with them. */
static bool
offload_l4(const struct rte_mbuf *packet, struct offload_l4 *l4)
{
	uint64_t flags = packet->ol_flags;
	bool ipv4 = (flags & (RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM)) != 0;
	bool ipv6 = (flags & RTE_MBUF_F_TX_IPV6) != 0;

	*l4 = (struct offload_l4){ 0 };
	/* Lengths of a tunnelled packet are those of its inner headers. */
	if ((flags & OFFLOAD_TUNNEL) != 0 || (flags & VNET_OFFLOAD_TX_SEG) == VNET_OFFLOAD_TX_SEG)
		return false;
	/* Segmentation includes the checksum, with or without its flag. */
	if ((flags & VNET_OFFLOAD_TX_SEG) != 0)
		flags = (flags & ~RTE_MBUF_F_TX_L4_MASK) |
			((flags & RTE_MBUF_F_TX_TCP_SEG) != 0 ? RTE_MBUF_F_TX_TCP_CKSUM
							      : RTE_MBUF_F_TX_UDP_CKSUM);
	if ((flags & RTE_MBUF_F_TX_L4_MASK) == RTE_MBUF_F_TX_TCP_CKSUM)
		*l4 = (struct offload_l4){ sizeof(struct rte_tcp_hdr),
					   offsetof(struct rte_tcp_hdr, cksum), IPPROTO_TCP };
	else if ((flags & RTE_MBUF_F_TX_L4_MASK) == RTE_MBUF_F_TX_UDP_CKSUM)
		*l4 = (struct offload_l4){ sizeof(struct rte_udp_hdr),
					   offsetof(struct rte_udp_hdr, dgram_cksum), IPPROTO_UDP };
	else if ((flags & RTE_MBUF_F_TX_L4_MASK) != 0)
		return false;
	if (ipv4 == ipv6 || ((flags & VNET_OFFLOAD_TX_SEG) != 0 &&
			     (packet->tso_segsz == 0 || packet->l4_len < l4->size ||
			      packet->l4_len > OFFLOAD_TCP_MAX)))
		return false;
	return packet->l2_len >= RTE_ETHER_HDR_LEN &&
	       packet->l3_len >= (ipv4 ? sizeof(struct rte_ipv4_hdr) : sizeof(struct rte_ipv6_hdr));
}

/*
 * The bytes that the L4 checksum covers, and the sum of the pseudo header. Padding after the IP
 * packet is not part of it, nor are IP options. False: the IP header claims more than there is.
 */
static bool
offload_l4_len(const struct rte_mbuf *packet, const uint8_t *l3, uint8_t proto, uint32_t *len,
	       uint16_t *pseudo)
{
	uint32_t room = packet->pkt_len - packet->l2_len - packet->l3_len;
	uint32_t options = packet->l3_len;
	struct rte_ipv6_hdr ipv6;
	struct rte_ipv4_hdr ipv4;

	if ((packet->ol_flags & RTE_MBUF_F_TX_IPV6) != 0) {
		memcpy(&ipv6, l3, sizeof(ipv6));
		options -= (uint32_t)sizeof(ipv6);
		*len = rte_be_to_cpu_16(ipv6.payload_len);
	} else {
		memcpy(&ipv4, l3, sizeof(ipv4));
		*len = rte_be_to_cpu_16(ipv4.total_length);
	}
	if (*len < options || *len - options > room)
		return false;
	*len -= options;
	if ((packet->ol_flags & RTE_MBUF_F_TX_IPV6) != 0) {
		ipv6.payload_len = rte_cpu_to_be_16((uint16_t)*len);
		ipv6.proto = proto;
		*pseudo = rte_ipv6_phdr_cksum(&ipv6, 0);
	} else {
		ipv4.version_ihl = RTE_IPV4_VHL_DEF;
		ipv4.total_length = rte_cpu_to_be_16((uint16_t)(*len + sizeof(ipv4)));
		ipv4.next_proto_id = proto;
		*pseudo = rte_ipv4_phdr_cksum(&ipv4, 0);
	}
	return true;
}

/* Fills in the L4 checksum: the pseudo header's for a driver that does the rest, or all of it. */
static bool
offload_l4_sum(struct vnet_queue *queue, const struct rte_mbuf *packet, struct vnet_head *head,
	       const struct offload_l4 *l4)
{
	uint16_t start = packet->l2_len + packet->l3_len, pseudo, sum, old;
	uint8_t *field = head->bytes + start + l4->offset;
	uint32_t len;

	if (!offload_l4_len(packet, head->bytes + packet->l2_len, l4->proto, &len, &pseudo) ||
	    len < l4->size)
		return false;
	if ((queue->offloads & VNET_OFFLOAD(GUEST_CSUM)) != 0) {
		head->hdr.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
		head->hdr.csum_start = rte_cpu_to_le_16(start);
		head->hdr.csum_offset = rte_cpu_to_le_16(l4->offset);
		memcpy(field, &pseudo, sizeof(pseudo));
		vnet_stats_add(&queue->stats.csum_passed, 1);
		return true;
	}
	/* The sum includes what was in the field: take it off again. */
	memcpy(&old, field, sizeof(old));
	sum = vnet_offload_csum((uint32_t)vnet_offload_sum(packet, start, len) + pseudo +
				(uint16_t)~old);
	memcpy(field, &sum, sizeof(sum));
	vnet_stats_add(&queue->stats.csum_software, 1);
	return true;
}

/*
 * Copies the first bytes of a packet, as many as head->len says. False: they are not there, or the
 * IP header does not begin where the lengths of the packet say.
 */
static bool
offload_bytes(const struct rte_mbuf *packet, struct vnet_head *head)
{
	const void *from = rte_pktmbuf_read(packet, 0, head->len, head->bytes);

	if (from == NULL)
		return false;
	if (from != head->bytes)
		memcpy(head->bytes, from, head->len);
	return head->bytes[packet->l2_len] >> 4 ==
	       ((packet->ol_flags & RTE_MBUF_F_TX_IPV6) != 0 ? 6 : 4);
}

bool
vnet_offload_tx_gso(const struct rte_mbuf *packet, struct vnet_head *head, struct vnet_gso *gso)
{
	struct offload_l4 l4;

	if (!offload_l4(packet, &l4))
		return false;
	*gso = (struct vnet_gso){
		.l2 = packet->l2_len,
		.l3 = packet->l3_len,
		.l4 = packet->l4_len,
		.size = packet->tso_segsz,
		.proto = l4.proto,
		.ipv6 = (packet->ol_flags & RTE_MBUF_F_TX_IPV6) != 0,
	};
	head->len = vnet_gso_headers(gso);
	if (head->len > VNET_HEAD_MAX || head->len > packet->pkt_len)
		return false;
	gso->payload = packet->pkt_len - head->len;
	return vnet_gso_fits_ip(gso) && offload_bytes(packet, head);
}

/* Whether the sender of a TCP packet reduced its window (section 5.1.6.2, VIRTIO_NET_HDR_GSO_ECN). */
static bool
offload_is_ecn(const struct rte_mbuf *packet)
{
	uint32_t at = packet->l2_len + packet->l3_len + offsetof(struct rte_tcp_hdr, tcp_flags);
	const uint8_t *flags;
	uint8_t byte;

	if ((packet->ol_flags & RTE_MBUF_F_TX_TCP_SEG) == 0)
		return false;
	flags = rte_pktmbuf_read(packet, at, sizeof(byte), &byte);
	return flags != NULL && (*flags & RTE_TCP_CWR_FLAG) != 0;
}

bool
vnet_offload_tx_takes(const struct vnet_queue *queue, const struct rte_mbuf *packet)
{
	bool ipv6 = (packet->ol_flags & RTE_MBUF_F_TX_IPV6) != 0;
	uint64_t need;

	if ((packet->ol_flags & RTE_MBUF_F_TX_TCP_SEG) != 0)
		need = ipv6 ? VNET_OFFLOAD(GUEST_TSO6) : VNET_OFFLOAD(GUEST_TSO4);
	else
		need = ipv6 ? VNET_OFFLOAD(GUEST_USO6) : VNET_OFFLOAD(GUEST_USO4);
	if ((queue->offloads & VNET_OFFLOAD(GUEST_ECN)) == 0 && offload_is_ecn(packet))
		return false;
	return (queue->offloads & need) != 0;
}

/* Asks the driver to take a large packet, unless one segment is enough (section 5.1.6.4). */
static bool
offload_large(struct vnet_queue *queue, const struct rte_mbuf *packet, struct vnet_head *head)
{
	uint16_t headers = packet->l2_len + packet->l3_len + packet->l4_len;

	if (packet->pkt_len < headers || packet->pkt_len - packet->l2_len > UINT16_MAX)
		return false;
	if (packet->pkt_len - headers <= packet->tso_segsz)
		return true;
	if ((packet->ol_flags & RTE_MBUF_F_TX_UDP_SEG) != 0)
		head->hdr.gso_type = VIRTIO_NET_HDR_GSO_UDP_L4;
	else if ((packet->ol_flags & RTE_MBUF_F_TX_IPV6) != 0)
		head->hdr.gso_type = VIRTIO_NET_HDR_GSO_TCPV6;
	else
		head->hdr.gso_type = VIRTIO_NET_HDR_GSO_TCPV4;
	if (offload_is_ecn(packet))
		head->hdr.gso_type |= VIRTIO_NET_HDR_GSO_ECN;
	head->hdr.gso_size = rte_cpu_to_le_16(packet->tso_segsz);
	head->hdr.hdr_len = rte_cpu_to_le_16(headers);
	vnet_stats_add(&queue->stats.gso_passed, 1);
	return true;
}

static bool
offload_head(struct vnet_queue *queue, const struct rte_mbuf *packet, struct vnet_head *head)
{
	bool large = (packet->ol_flags & VNET_OFFLOAD_TX_SEG) != 0;
	uint32_t l3 = packet->l2_len, l4 = l3 + packet->l3_len;
	uint8_t *field = head->bytes + l3 + offsetof(struct rte_ipv4_hdr, hdr_checksum);
	struct offload_l4 sum;
	uint16_t l3_sum;

	if (!offload_l4(packet, &sum) || l4 + sum.size > VNET_HEAD_MAX)
		return false;
	head->len = (uint16_t)(l4 + sum.size);
	if (!offload_bytes(packet, head))
		return false;
	if ((packet->ol_flags & RTE_MBUF_F_TX_IP_CKSUM) != 0 ||
	    (large && (packet->ol_flags & RTE_MBUF_F_TX_IPV4) != 0)) {
		memset(field, 0, sizeof(l3_sum));
		l3_sum = (uint16_t)~rte_raw_cksum(head->bytes + l3, packet->l3_len);
		memcpy(field, &l3_sum, sizeof(l3_sum));
	}
	if (sum.size != 0 && !offload_l4_sum(queue, packet, head, &sum))
		return false;
	return !large || offload_large(queue, packet, head);
}

bool
vnet_offload_tx(struct vnet_queue *queue, const struct rte_mbuf *packet, struct vnet_head *head)
{
	memset(&head->hdr, 0, sizeof(head->hdr));
	head->len = 0;
	if (unlikely((packet->ol_flags & queue->tx_flags) != 0 &&
		     !offload_head(queue, packet, head))) {
		vnet_stats_add(&queue->stats.bad_offloads, 1);
		return false;
	}
	head->at = head->len;
	head->rest = packet->pkt_len - head->len;
	return true;
}
