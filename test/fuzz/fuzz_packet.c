/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* See fuzz_packet.h. */
#include "fuzz_packet.h"

#include <rte_mbuf_ptype.h>
#include <rte_memory.h>
#include <rte_net.h>
#include <rte_vduse_compat.h>

#define PTYPES (RTE_PTYPE_L2_MASK | RTE_PTYPE_L3_MASK | RTE_PTYPE_L4_MASK)

struct rte_mempool *
fuzz_pool_new(const char *name, unsigned int nb, uint16_t room)
{
	/* Without a cache all that are free are in the ring, where they are counted. */
	struct rte_mempool *pool = rte_pktmbuf_pool_create(
		name, nb, 0, 0, (uint16_t)(RTE_PKTMBUF_HEADROOM + room), SOCKET_ID_ANY);

	fuzz_check(pool != NULL, "no pool");
	return pool;
}

void
fuzz_pool_check(struct rte_mempool *pool, unsigned int nb)
{
	unsigned int now = rte_mempool_avail_count(pool);

	fuzz_check(now == nb, "%u mbufs of %u are free", now, nb);
}

void
fuzz_check_used(const struct vnet_queue *queue)
{
	const struct vring_vq *ring = &queue->vq->ring;

	if (rte_atomic_load_explicit(&queue->vq->state, rte_memory_order_acquire) !=
	    RTE_VDUSE_VQ_RUNNING)
		return;
	if (queue->packed)
		fuzz_check(ring->packed.used == ring->packed.avail && ring->packed.nb_held == 0,
			   "virtqueue %u: a chain was popped and not used", queue->vq->index);
	else
		fuzz_check(ring->next_used == ring->next_avail &&
				   ring->published == ring->next_used,
			   "virtqueue %u: a chain was popped and not used", queue->vq->index);
}

/* The headers that the type of a packet tells of are there, as far as its flags need them. */
static void
check_headers(const struct rte_mbuf *mbuf, bool large)
{
	struct rte_net_hdr_lens lens = { 0 };
	uint32_t ptype = rte_net_get_ptype(mbuf, &lens, PTYPES), len,
		 l4 = ptype & RTE_PTYPE_L4_MASK;

	/* rte_net_get_ptype() does not know two tags of any kind. */
	if ((mbuf->packet_type & RTE_PTYPE_L2_MASK) != RTE_PTYPE_L2_ETHER)
		return;
	fuzz_check(ptype == mbuf->packet_type, "packet type 0x%x, not 0x%x", mbuf->packet_type,
		   ptype);
	fuzz_check(l4 == RTE_PTYPE_L4_TCP || l4 == RTE_PTYPE_L4_UDP, "packet type 0x%x", ptype);
	len = lens.l2_len + lens.l3_len;
	if (large)
		len += lens.l4_len;
	else
		len += l4 == RTE_PTYPE_L4_TCP ? 18 : 8; /* to the end of the checksum */
	fuzz_check(len <= mbuf->pkt_len, "headers of %u bytes in a packet of %u", len,
		   mbuf->pkt_len);
}

void
fuzz_check_received(const struct rte_vduse_net *net, const struct rte_mbuf *mbuf)
{
	bool lro = (mbuf->ol_flags & RTE_MBUF_F_RX_LRO) != 0;
	const char *why;

	fuzz_check(rte_mbuf_check(mbuf, 1, &why) == 0, "%s", why);
	fuzz_check(!net->linear || mbuf->nb_segs == 1, "%u segments", mbuf->nb_segs);
	fuzz_check(!lro || (mbuf->tso_segsz != 0 && mbuf->pkt_len > mbuf->tso_segsz),
		   "no large packet");
	if ((mbuf->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK) == RTE_MBUF_F_RX_L4_CKSUM_NONE)
		check_headers(mbuf, lro);
	else
		fuzz_check(!lro, "a large packet with a whole checksum");
}
