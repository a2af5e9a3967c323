/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Checksums of packets from the driver that it left to the device.
 * Input: the virtio-net header and a copy of the packet. Output: mbuf flags, or a whole checksum.
 * Thread: polling.
 */
#include <rte_byteorder.h>
#include <rte_ip.h>
#include <rte_mbuf_ptype.h>
#include <rte_net.h>
#include <rte_tcp.h>
#include <rte_udp.h>
#include <rte_vduse_compat.h>

#include <virtio_net/net.h>
#include <virtio_net/offload.h>

#define OFFLOAD_PTYPES (RTE_PTYPE_L2_MASK | RTE_PTYPE_L3_MASK | RTE_PTYPE_L4_MASK)

/* Whether it is the checksum of TCP or UDP, which an application can be told of by a flag. */
static bool
offload_is_l4(struct rte_mbuf *packet, uint16_t start, uint16_t offset)
{
	struct rte_net_hdr_lens lens;
	uint32_t ptype = rte_net_get_ptype(packet, &lens, OFFLOAD_PTYPES);
	uint32_t l4 = ptype & RTE_PTYPE_L4_MASK;

	if (start != lens.l2_len + lens.l3_len)
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

bool
vnet_offload_rx(struct vnet_queue *queue, const struct virtio_net_hdr *hdr, struct rte_mbuf *packet)
{
	uint16_t start = rte_le_to_cpu_16((uint16_t)hdr->csum_start);
	uint16_t offset = rte_le_to_cpu_16((uint16_t)hdr->csum_offset), sum;
	uint32_t at = (uint32_t)start + offset;

	/* No segmentation is offered. Other flags are hints, which the device ignores. */
	if (hdr->gso_type == VIRTIO_NET_HDR_GSO_NONE &&
	    (hdr->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) == 0)
		return true;
	/* The sum is one of 16-bit words, so its place in them is even. */
	if (hdr->gso_type != VIRTIO_NET_HDR_GSO_NONE || offset % 2 != 0 ||
	    at + sizeof(sum) > packet->pkt_len) {
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
