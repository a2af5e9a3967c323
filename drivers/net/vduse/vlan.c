/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * VLAN strip and insert, in software: the driver of the device gets and sends tagged packets.
 * Input: packets of a burst, and their mbuf flags. Output: packets without or with a tag.
 * Thread: the lcore that polls the queue.
 */
#include <rte_ether.h>
#include <rte_mbuf.h>
#include <rte_mbuf_ptype.h>
#include <rte_vduse_compat.h>

#include "port.h"
#include "vlan.h"

/* The flags for which lib/virtio_net reads l2_len, or refuses the packet. */
#define VLAN_L2_LEN_FLAGS                                                                          \
	(RTE_MBUF_F_TX_L4_MASK | RTE_MBUF_F_TX_IP_CKSUM | RTE_MBUF_F_TX_TCP_SEG |                  \
	 RTE_MBUF_F_TX_UDP_SEG)

#define VLAN_L2_LEN_MAX (RTE_BIT32(RTE_MBUF_L2_LEN_BITS) - 1)

void
vduse_vlan_strip(struct rte_mbuf **mbufs, uint16_t nb)
{
	uint16_t i;

	for (i = 0; i < nb; i++) {
		struct rte_mbuf *packet = mbufs[i];

		/* The driver may send a frame that ends in the middle of its tag. */
		if (packet->data_len < sizeof(struct rte_ether_hdr) + sizeof(struct rte_vlan_hdr) ||
		    rte_vlan_strip(packet) < 0)
			continue;
		if ((packet->packet_type & RTE_PTYPE_L2_MASK) == RTE_PTYPE_L2_ETHER_VLAN)
			packet->packet_type =
				(packet->packet_type & ~RTE_PTYPE_L2_MASK) | RTE_PTYPE_L2_ETHER;
	}
}

/* Inserts the tag that the flags of a packet ask for. False: that is impossible. */
static bool
vlan_insert(struct rte_mbuf *packet)
{
	uint64_t flags = packet->ol_flags;

	if ((flags & (RTE_MBUF_F_TX_VLAN | RTE_MBUF_F_TX_QINQ)) == 0)
		return true;
	if ((flags & RTE_MBUF_F_TX_QINQ) != 0)
		return false;
	/* l2_len grows by the tag. It has few bits, and a wrong one moves the checksum. */
	if ((flags & VLAN_L2_LEN_FLAGS) != 0 &&
	    packet->l2_len > VLAN_L2_LEN_MAX - sizeof(struct rte_vlan_hdr))
		return false;
	/* Refuses shared, indirect and external buffers, and those without headroom. */
	return rte_vlan_insert(&packet) == 0;
}

static void
vlan_drop(const struct vduse_queue *queue, struct rte_mbuf *packet)
{
	uint64_t drops = rte_atomic_load_explicit(queue->vlan_drops, rte_memory_order_relaxed);

	/* This lcore is the only one that counts; other threads read, or reset to 0. */
	rte_atomic_store_explicit(queue->vlan_drops, drops + 1, rte_memory_order_relaxed);
	rte_pktmbuf_free(packet);
}

uint16_t
vduse_vlan_tx_burst(const struct vduse_queue *queue, struct rte_mbuf **mbufs, uint16_t nb)
{
	uint16_t done = 0, ready, sent;

	while (done < nb) {
		for (ready = done; ready < nb; ready++)
			if (unlikely(!vlan_insert(mbufs[ready])))
				break;
		sent = rte_vduse_net_tx_burst(queue->net, queue->pair, mbufs + done,
					      (uint16_t)(ready - done));
		done = (uint16_t)(done + sent);
		if (done < ready || done == nb)
			break;
		vlan_drop(queue, mbufs[done++]);
	}
	return done;
}
