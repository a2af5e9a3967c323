/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Checksums of packets from the driver that it left to the device, and large packets.
 * Input: the virtio-net header and a copy of the packet. Output: mbuf flags, or a whole checksum.
 * Thread: polling.
 */
#include <netinet/in.h>
#include <string.h>

#include <rte_byteorder.h>
#include <rte_ip.h>
#include <rte_mbuf_ptype.h>
#include <rte_net.h>
#include <rte_tcp.h>
#include <rte_udp.h>
#include <rte_vduse_compat.h>

#include <virtio_net/gso.h>
#include <virtio_net/offload.h>

#define OFFLOAD_PTYPES (RTE_PTYPE_L2_MASK | RTE_PTYPE_L3_MASK | RTE_PTYPE_L4_MASK)

/* Most VLAN tags before an IP header. */
#define OFFLOAD_TAGS 2

/*
 * rte_net_get_ptype() of a packet with up to two VLAN tags. That of DPDK 22.11 knows one of
 * RTE_ETHER_TYPE_VLAN, or two of which the first is RTE_ETHER_TYPE_QINQ, so tags are left out.
 */
static uint32_t
offload_ptype(const struct rte_mbuf *packet, struct rte_net_hdr_lens *lens)
{
	const uint32_t macs = 2 * RTE_ETHER_ADDR_LEN;
	uint32_t tags = 0, ptype = RTE_PTYPE_L2_ETHER, len;
	uint8_t bytes[VNET_HEAD_MAX];
	struct rte_mbuf head = { .buf_addr = bytes, .nb_segs = 1 };
	const void *from;
	rte_be16_t type;

	for (; tags < OFFLOAD_TAGS; tags++) {
		from = rte_pktmbuf_read(packet, macs + tags * RTE_VLAN_HLEN, sizeof(type), &type);
		if (from == NULL)
			break;
		memcpy(&type, from, sizeof(type));
		if (type != RTE_BE16(RTE_ETHER_TYPE_VLAN) && type != RTE_BE16(RTE_ETHER_TYPE_QINQ))
			break;
		if (tags == 0)
			ptype = type == RTE_BE16(RTE_ETHER_TYPE_VLAN) ? RTE_PTYPE_L2_ETHER_VLAN
								      : RTE_PTYPE_L2_ETHER_QINQ;
	}
	*lens = (struct rte_net_hdr_lens){ 0 };
	if (packet->pkt_len < macs + tags * RTE_VLAN_HLEN + sizeof(type))
		return 0;
	if (likely(tags == 0))
		return rte_net_get_ptype(packet, lens, OFFLOAD_PTYPES);
	memset(bytes, 0, macs);
	len = RTE_MIN(packet->pkt_len - tags * RTE_VLAN_HLEN, (uint32_t)sizeof(bytes)) - macs;
	from = rte_pktmbuf_read(packet, macs + tags * RTE_VLAN_HLEN, len, bytes + macs);
	if (from != bytes + macs)
		memcpy(bytes + macs, from, len);
	head.buf_len = head.data_len = (uint16_t)(macs + len);
	head.pkt_len = macs + len;
	ptype |= rte_net_get_ptype(&head, lens, OFFLOAD_PTYPES) & ~RTE_PTYPE_L2_MASK;
	lens->l2_len = (uint8_t)(lens->l2_len + tags * RTE_VLAN_HLEN);
	return ptype;
}

/* Whether it is the checksum of TCP or UDP, which an application can be told of by a flag. */
static bool
offload_is_l4(struct rte_mbuf *packet, uint16_t start, uint16_t offset)
{
	struct rte_net_hdr_lens lens;
	uint32_t ptype = offload_ptype(packet, &lens);
	uint32_t l4 = ptype & RTE_PTYPE_L4_MASK;

	/* What IPv4 headers of a wrong version or length are followed by is not known. */
	if ((ptype & RTE_PTYPE_L3_MASK) == 0 || start != lens.l2_len + lens.l3_len)
		return false;
	if (!(l4 == RTE_PTYPE_L4_TCP && offset == offsetof(struct rte_tcp_hdr, cksum)) &&
	    !(l4 == RTE_PTYPE_L4_UDP && offset == offsetof(struct rte_udp_hdr, dgram_cksum)))
		return false;
	packet->packet_type = ptype;
	return true;
}

/* Writes two bytes, which may lie in two segments. */
static void
offload_write(struct rte_mbuf *segment, uint32_t at, const uint8_t bytes[2])
{
	unsigned int i;

	for (i = 0; i < 2; i++, at++) {
		while (at >= segment->data_len) {
			at -= segment->data_len;
			segment = segment->next;
		}
		*rte_pktmbuf_mtod_offset(segment, uint8_t *, at) = bytes[i];
	}
}

uint64_t
vnet_offload_gso_feature(uint8_t gso_type)
{
	switch (gso_type & ~VIRTIO_NET_HDR_GSO_ECN) {
	case VIRTIO_NET_HDR_GSO_TCPV4:
		return VNET_OFFLOAD(HOST_TSO4);
	case VIRTIO_NET_HDR_GSO_TCPV6:
		return VNET_OFFLOAD(HOST_TSO6);
	case VIRTIO_NET_HDR_GSO_UDP_L4:
		return VNET_OFFLOAD(HOST_USO);
	default:
		return 0;
	}
}

/* Whether a header may ask for segmentation in this way (section 5.1.6.2). */
static bool
offload_gso_allowed(const struct vnet_queue *queue, const struct virtio_net_hdr *hdr)
{
	uint64_t feature = vnet_offload_gso_feature(hdr->gso_type);

	if ((feature & queue->offloads) == 0 || hdr->gso_size == 0 ||
	    (hdr->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) == 0)
		return false;
	return (hdr->gso_type & VIRTIO_NET_HDR_GSO_ECN) == 0 ||
	       (feature != VNET_OFFLOAD(HOST_USO) &&
		(queue->offloads & VNET_OFFLOAD(HOST_ECN)) != 0);
}

bool
vnet_offload_gso(const struct vnet_queue *queue, const struct virtio_net_hdr *hdr,
		 const struct rte_mbuf *packet, uint32_t len, struct vnet_gso *gso)
{
	uint64_t feature = vnet_offload_gso_feature(hdr->gso_type);
	bool udp = feature == VNET_OFFLOAD(HOST_USO);
	struct rte_net_hdr_lens lens;
	uint32_t ptype;

	if (!offload_gso_allowed(queue, hdr))
		return false;
	ptype = offload_ptype(packet, &lens);
	if ((ptype & RTE_PTYPE_L3_MASK) == 0 ||
	    (ptype & RTE_PTYPE_L4_MASK) != (udp ? RTE_PTYPE_L4_UDP : RTE_PTYPE_L4_TCP))
		return false;
	*gso = (struct vnet_gso){
		.l2 = lens.l2_len,
		.l3 = lens.l3_len,
		.l4 = lens.l4_len,
		.size = rte_le_to_cpu_16((uint16_t)hdr->gso_size),
		.ptype = ptype,
		.proto = udp ? IPPROTO_UDP : IPPROTO_TCP,
		.ipv6 = RTE_ETH_IS_IPV6_HDR(ptype),
	};
	if (!udp && gso->ipv6 != (feature == VNET_OFFLOAD(HOST_TSO6)))
		return false;
	if (gso->l4 < (udp ? sizeof(struct rte_udp_hdr) : sizeof(struct rte_tcp_hdr)) ||
	    vnet_gso_headers(gso) > RTE_MIN(packet->pkt_len, (uint32_t)VNET_HEAD_MAX))
		return false;
	gso->payload = len - vnet_gso_headers(gso);
	return vnet_gso_fits_ip(gso) &&
	       rte_le_to_cpu_16((uint16_t)hdr->csum_start) == gso->l2 + gso->l3 &&
	       rte_le_to_cpu_16((uint16_t)hdr->csum_offset) == vnet_gso_csum_offset(gso);
}

/* A large packet, which the application wants as it is. */
static bool
offload_rx_large(struct vnet_queue *queue, const struct virtio_net_hdr *hdr,
		 struct rte_mbuf *packet, uint32_t frame_max)
{
	struct vnet_gso gso;

	if (!vnet_offload_gso(queue, hdr, packet, packet->pkt_len, &gso)) {
		vnet_stats_add(&queue->stats.bad_offloads, 1);
		return false;
	}
	if (vnet_gso_longest(&gso) > frame_max) {
		vnet_stats_add(&queue->stats.oversize, 1);
		return false;
	}
	packet->packet_type = gso.ptype;
	packet->ol_flags |= RTE_MBUF_F_RX_L4_CKSUM_NONE;
	packet->tso_segsz = gso.size;
	/* With one segment there is nothing that was put together. */
	if (gso.payload > gso.size)
		packet->ol_flags |= RTE_MBUF_F_RX_LRO;
	vnet_stats_add(&queue->stats.gso_passed, 1);
	return true;
}

bool
vnet_offload_rx(struct vnet_queue *queue, const struct virtio_net_hdr *hdr, struct rte_mbuf *packet,
		uint32_t frame_max)
{
	uint16_t start = rte_le_to_cpu_16((uint16_t)hdr->csum_start);
	uint16_t offset = rte_le_to_cpu_16((uint16_t)hdr->csum_offset), sum;
	uint32_t at = (uint32_t)start + offset;

	if (hdr->gso_type != VIRTIO_NET_HDR_GSO_NONE)
		return offload_rx_large(queue, hdr, packet, frame_max);
	/* Other flags are hints, which the device ignores. */
	if ((hdr->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) == 0)
		return true;
	/* The sum is one of 16-bit words, so its place in them is even. */
	if (offset % 2 != 0 || at + sizeof(sum) > packet->pkt_len) {
		vnet_stats_add(&queue->stats.bad_offloads, 1);
		return false;
	}
	if (rte_atomic_load_explicit(&queue->net->partial_csum, rte_memory_order_relaxed) &&
	    offload_is_l4(packet, start, offset)) {
		packet->ol_flags |= RTE_MBUF_F_RX_L4_CKSUM_NONE;
		vnet_stats_add(&queue->stats.csum_passed, 1);
		return true;
	}
	sum = vnet_offload_csum(vnet_offload_sum(packet, start, packet->pkt_len - start));
	offload_write(packet, at, (const uint8_t *)&sum);
	vnet_stats_add(&queue->stats.csum_software, 1);
	return true;
}
