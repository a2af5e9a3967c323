/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Flags of dequeued packets for an application that registered its path without
 * RTE_VHOST_USER_NET_COMPLIANT_OL_FLAGS: those of a packet to transmit, as librte_vhost sets them.
 * Input: packets of lib/virtio_net, with flags of received packets. Output: the same packets, with
 * flags and header lengths for transmission.
 * Thread: polling.
 */
#include <rte_mbuf.h>
#include <rte_mbuf_ptype.h>
#include <rte_net.h>

#include <vhost/vhost.h>

#define LEGACY_PTYPES (RTE_PTYPE_L2_MASK | RTE_PTYPE_L3_MASK | RTE_PTYPE_L4_MASK)

/* A packet whose checksum the driver left out. lib/virtio_net checked its headers. */
static void
legacy_packet(struct rte_mbuf *packet)
{
	bool large = (packet->ol_flags & RTE_MBUF_F_RX_LRO) != 0;
	uint16_t segment = packet->tso_segsz;
	struct rte_net_hdr_lens lens;
	uint32_t ptype = rte_net_get_ptype(packet, &lens, LEGACY_PTYPES);
	bool udp = (ptype & RTE_PTYPE_L4_MASK) == RTE_PTYPE_L4_UDP;

	packet->ol_flags &= ~(RTE_MBUF_F_RX_L4_CKSUM_MASK | RTE_MBUF_F_RX_LRO);
	packet->ol_flags |= RTE_ETH_IS_IPV6_HDR(ptype) ? RTE_MBUF_F_TX_IPV6 : RTE_MBUF_F_TX_IPV4;
	packet->ol_flags |= udp ? RTE_MBUF_F_TX_UDP_CKSUM : RTE_MBUF_F_TX_TCP_CKSUM;
	/* The lengths of the last packet that was in this mbuf. */
	packet->tx_offload = 0;
	packet->l2_len = lens.l2_len;
	packet->l3_len = lens.l3_len;
	packet->l4_len = lens.l4_len;
	if (!large)
		return;
	packet->ol_flags |= udp ? RTE_MBUF_F_TX_UDP_SEG : RTE_MBUF_F_TX_TCP_SEG;
	packet->tso_segsz = segment;
}

void
vhost_legacy_flags(struct rte_mbuf *const *packets, uint16_t nb)
{
	uint16_t i;

	for (i = 0; i < nb; i++)
		if (unlikely((packets[i]->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK) ==
			     RTE_MBUF_F_RX_L4_CKSUM_NONE))
			legacy_packet(packets[i]);
}
