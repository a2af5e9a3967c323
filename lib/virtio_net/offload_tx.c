/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Checksums of packets to the driver that the application left to the device.
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

#include <virtio_net/net.h>
#include <virtio_net/offload.h>

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
	if ((flags & (RTE_MBUF_F_TX_TCP_SEG | RTE_MBUF_F_TX_UDP_SEG | RTE_MBUF_F_TX_OUTER_IP_CKSUM |
		      RTE_MBUF_F_TX_OUTER_UDP_CKSUM)) != 0)
		return false;
	if ((flags & RTE_MBUF_F_TX_L4_MASK) == RTE_MBUF_F_TX_TCP_CKSUM)
		*l4 = (struct offload_l4){ sizeof(struct rte_tcp_hdr),
					   offsetof(struct rte_tcp_hdr, cksum), IPPROTO_TCP };
	else if ((flags & RTE_MBUF_F_TX_L4_MASK) == RTE_MBUF_F_TX_UDP_CKSUM)
		*l4 = (struct offload_l4){ sizeof(struct rte_udp_hdr),
					   offsetof(struct rte_udp_hdr, dgram_cksum), IPPROTO_UDP };
	else if ((flags & RTE_MBUF_F_TX_L4_MASK) != 0)
		return false;
	if (ipv4 == ipv6)
		return false;
	return packet->l3_len >= (ipv4 ? sizeof(struct rte_ipv4_hdr) : sizeof(struct rte_ipv6_hdr));
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
	if (queue->guest_csum) {
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

static bool
offload_head(struct vnet_queue *queue, const struct rte_mbuf *packet, struct vnet_head *head)
{
	uint32_t l3 = packet->l2_len, l4 = l3 + packet->l3_len;
	uint8_t *field = head->bytes + l3 + offsetof(struct rte_ipv4_hdr, hdr_checksum);
	struct offload_l4 sum;
	uint16_t l3_sum;
	const void *from;

	if (!offload_l4(packet, &sum) || l4 + sum.size > VNET_HEAD_MAX)
		return false;
	head->len = (uint16_t)(l4 + sum.size);
	from = rte_pktmbuf_read(packet, 0, head->len, head->bytes);
	if (from == NULL)
		return false;
	if (from != head->bytes)
		memcpy(head->bytes, from, head->len);
	if ((packet->ol_flags & RTE_MBUF_F_TX_IP_CKSUM) != 0) {
		memset(field, 0, sizeof(l3_sum));
		l3_sum = (uint16_t)~rte_raw_cksum(head->bytes + l3, packet->l3_len);
		memcpy(field, &l3_sum, sizeof(l3_sum));
	}
	return sum.size == 0 || offload_l4_sum(queue, packet, head, &sum);
}

bool
vnet_offload_tx(struct vnet_queue *queue, const struct rte_mbuf *packet, struct vnet_head *head)
{
	memset(&head->hdr, 0, sizeof(head->hdr));
	head->len = 0;
	if (likely((packet->ol_flags & queue->tx_flags) == 0))
		return true;
	if (likely(offload_head(queue, packet, head)))
		return true;
	vnet_stats_add(&queue->stats.bad_offloads, 1);
	return false;
}
