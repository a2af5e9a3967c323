/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * The headers of a segment.
 * Input: the headers of a large packet, and which part of its payload the segment has. Output: the
 * headers with lengths, numbers, flags and checksums of the segment.
 * Thread: polling.
 */
#include <string.h>

#include <rte_byteorder.h>
#include <rte_ip.h>

#include <virtio_net/gso.h>
#include <virtio_net/net.h>
#include <virtio_net/offload.h>

/* Fills in lengths, and the IPv4 id and checksum. Returns the sum of the pseudo header. */
static uint16_t
gso_ip(const struct vnet_gso *gso, uint32_t at, uint16_t l4_len, uint8_t *l3)
{
	struct rte_ipv6_hdr ipv6;
	struct rte_ipv4_hdr ipv4;

	if (gso->ipv6) {
		memcpy(&ipv6, l3, sizeof(ipv6));
		/* Extension headers count as payload, but not for the pseudo header. */
		ipv6.payload_len = rte_cpu_to_be_16((uint16_t)(gso->l3 - sizeof(ipv6) + l4_len));
		memcpy(l3, &ipv6, sizeof(ipv6));
		ipv6.payload_len = rte_cpu_to_be_16(l4_len);
		ipv6.proto = gso->proto;
		return rte_ipv6_phdr_cksum(&ipv6, 0);
	}
	memcpy(&ipv4, l3, sizeof(ipv4));
	ipv4.total_length = rte_cpu_to_be_16(gso->l3 + l4_len);
	ipv4.packet_id =
		rte_cpu_to_be_16((uint16_t)(rte_be_to_cpu_16(ipv4.packet_id) + at / gso->size));
	ipv4.hdr_checksum = 0;
	memcpy(l3, &ipv4, sizeof(ipv4));
	ipv4.hdr_checksum = (uint16_t)~rte_raw_cksum(l3, gso->l3);
	memcpy(l3, &ipv4, sizeof(ipv4));
	/* Options are no part of the pseudo header. */
	ipv4.version_ihl = RTE_IPV4_VHL_DEF;
	ipv4.total_length = rte_cpu_to_be_16((uint16_t)(sizeof(ipv4) + l4_len));
	return rte_ipv4_phdr_cksum(&ipv4, 0);
}

static void
gso_l4(const struct vnet_gso *gso, uint32_t at, uint16_t len, uint8_t *l4)
{
	struct rte_tcp_hdr tcp;
	struct rte_udp_hdr udp;

	if (gso->proto == IPPROTO_UDP) {
		memcpy(&udp, l4, sizeof(udp));
		udp.dgram_len = rte_cpu_to_be_16(gso->l4 + len);
		udp.dgram_cksum = 0;
		memcpy(l4, &udp, sizeof(udp));
		return;
	}
	memcpy(&tcp, l4, sizeof(tcp));
	tcp.sent_seq = rte_cpu_to_be_32(rte_be_to_cpu_32(tcp.sent_seq) + at);
	/* The end of a stream belongs to the last segment, a reduced window to the first one. */
	if (at + len < gso->payload)
		tcp.tcp_flags &= (uint8_t) ~(RTE_TCP_FIN_FLAG | RTE_TCP_PSH_FLAG);
	if (at != 0)
		tcp.tcp_flags &= (uint8_t)~RTE_TCP_CWR_FLAG;
	tcp.cksum = 0;
	memcpy(l4, &tcp, sizeof(tcp));
}

void
vnet_gso_head(const struct vnet_gso *gso, const uint8_t *from, uint32_t at, uint16_t len,
	      const uint16_t *sum, uint8_t *to)
{
	uint8_t *l3 = to + gso->l2, *l4 = l3 + gso->l3;
	uint16_t csum;

	memcpy(to, from, vnet_gso_headers(gso));
	gso_l4(gso, at, len, l4);
	csum = gso_ip(gso, at, gso->l4 + len, l3);
	if (sum != NULL)
		csum = vnet_offload_csum((uint32_t)csum + rte_raw_cksum(l4, gso->l4) + *sum);
	memcpy(l4 + vnet_gso_csum_offset(gso), &csum, sizeof(csum));
}
