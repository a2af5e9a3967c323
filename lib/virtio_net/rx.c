/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Receives packets from the driver. They are copied, so a chain is used in the burst that popped it.
 * Input: chains of virtqueue 2i + 1. Output: mbufs. Thread: polling.
 */
#include <errno.h>
#include <string.h>

#include <rte_arp.h>
#include <rte_memcpy.h>
#include <rte_vduse_compat.h>

#include <virtio_net/gso.h>
#include <virtio_net/offload.h>
#include <virtio_net/rx.h>
#include <virtio_net/steer.h>
#include <virtio_net/trace.h>

/* Result for a chain. */
enum rx_result {
	RX_PACKET,
	RX_DROP,  /* not a packet, or longer than the whole pool */
	RX_LONG,  /* longer than the MTU, or than the one segment that is allowed */
	RX_WAIT,  /* not enough mbufs in the pool */
	RX_LARGE, /* to be segmented */
};

/*
 * Resets an mbuf from the pool to an empty packet. The pool sets one segment and one reference;
 * rte_pktmbuf_alloc_bulk() would write these again, and the second cache line.
 */
static inline void
rx_empty(struct rte_mbuf *mbuf, const struct vnet_rx_mbufs *burst)
{
	mbuf->data_off = burst->headroom;
	mbuf->port = RTE_MBUF_PORT_INVALID;
	mbuf->ol_flags = burst->ol_flags;
	mbuf->packet_type = 0;
	mbuf->pkt_len = 0;
	mbuf->data_len = 0;
	mbuf->vlan_tci = 0;
}

/* One more mbuf for a long packet: from the pool, or the last unused one of the burst. */
static struct rte_mbuf *
rx_segment(struct vnet_rx_mbufs *burst)
{
	struct rte_mbuf *segment = rte_pktmbuf_alloc(burst->pool);

	if (unlikely(segment == NULL) && burst->first < burst->last) {
		segment = burst->mbufs[--burst->last];
		rx_empty(segment, burst);
	}
	/* Without data room the caller would loop forever. */
	if (unlikely(segment != NULL && rte_pktmbuf_tailroom(segment) == 0)) {
		rte_pktmbuf_free(segment);
		return NULL;
	}
	return segment;
}

/* Whether a packet fits into all mbufs of a pool together. */
static bool
rx_pool_fits(struct rte_mempool *pool, uint32_t len)
{
	uint32_t room = rte_pktmbuf_data_room_size(pool);

	return room > RTE_PKTMBUF_HEADROOM &&
	       len <= (uint64_t)(room - RTE_PKTMBUF_HEADROOM) * pool->size;
}

/* Appends len bytes to a packet. False: not enough mbufs. */
static bool
rx_append(struct rte_mbuf *packet, struct rte_mbuf **tail, struct vnet_rx_mbufs *burst,
	  const uint8_t *from, uint32_t len)
{
	while (len > 0) {
		struct rte_mbuf *segment = *tail;
		uint32_t n = RTE_MIN(len, (uint32_t)rte_pktmbuf_tailroom(segment));

		if (n == 0) {
			segment = rx_segment(burst);
			if (unlikely(segment == NULL))
				return false;
			(*tail)->next = segment;
			*tail = segment;
			packet->nb_segs++;
			continue;
		}
		rte_memcpy(rte_pktmbuf_mtod_offset(segment, uint8_t *, segment->data_len), from, n);
		segment->data_len = (uint16_t)(segment->data_len + n);
		packet->pkt_len += n;
		from += n;
		len -= n;
	}
	return true;
}

int
vnet_rx_append(const struct rte_vduse_chain *chain, uint32_t skip, uint32_t len,
	       struct rte_mbuf *packet, struct vnet_rx_mbufs *burst)
{
	uint32_t all = packet->pkt_len + len;
	struct rte_mbuf *tail = packet;
	uint16_t i;

	for (i = 0; len > 0; i++) {
		const struct rte_vduse_buf *buf = &chain->bufs[i];
		uint32_t over = RTE_MIN(skip, buf->len), n = RTE_MIN(buf->len - over, len);

		skip -= over;
		len -= n;
		if (unlikely(!rx_append(packet, &tail, burst, buf->va + over, n)))
			return rx_pool_fits(burst->pool, all) ? -ENOMEM : -EMSGSIZE;
	}
	return 0;
}

bool
vnet_rx_room(const struct vnet_queue *queue, struct rte_mbuf *packet, uint32_t len)
{
	/* One external buffer, or segments if they are allowed. */
	return len <= rte_pktmbuf_tailroom(packet) ||
	       (queue->net->extbuf && vnet_extbuf_attach(packet, len)) || !queue->net->linear;
}

/* First two fields of a header, which may lie at any address. */
struct __rte_packed_begin rx_hdr_start {
	uint16_t flags_gso_type;
} __rte_packed_end __rte_may_alias;

/*
 * Whether the header of a packet asks for something, or lies in pieces. This only chooses the path:
 * rx_header() reads the fields that are used.
 */
static inline bool
rx_asks(const struct rte_vduse_chain *chain)
{
	const volatile struct rx_hdr_start *start = (const void *)chain->bufs[0].va;

	return chain->bufs[0].len < sizeof(*start) || start->flags_gso_type != 0;
}

/*
 * Reads the header of a packet once. volatile keeps the compiler from loading a field of driver
 * memory again.
 */
static void
rx_header(const struct rte_vduse_chain *chain, struct virtio_net_hdr *hdr)
{
	uint8_t bytes[sizeof(*hdr)];
	uint32_t n = 0, at;
	uint16_t i;

	for (i = 0; n < sizeof(*hdr); i++)
		for (at = 0; at < chain->bufs[i].len && n < sizeof(*hdr); at++)
			bytes[n++] = ((const volatile uint8_t *)chain->bufs[i].va)[at];
	memcpy(hdr, bytes, sizeof(*hdr));
}

/* Copies the packet of a chain into an empty mbuf. */
static inline enum rx_result
rx_copy(const struct vnet_queue *queue, const struct rte_vduse_chain *chain,
	struct rte_mbuf *packet, struct vnet_rx_mbufs *burst, uint32_t frame_max)
{
	uint32_t skip = queue->hdr_len, len = chain->out_len - skip;
	int ret;

	if (unlikely(len > frame_max))
		return RX_LONG;
	if (likely(chain->nb_out == 1 && len <= rte_pktmbuf_tailroom(packet))) {
		rte_memcpy(rte_pktmbuf_mtod(packet, void *), chain->bufs[0].va + skip, len);
		packet->data_len = (uint16_t)len;
		packet->pkt_len = len;
		return RX_PACKET;
	}
	if (unlikely(!vnet_rx_room(queue, packet, len)))
		return RX_LONG;
	ret = vnet_rx_append(chain, skip, len, packet, burst);
	if (likely(ret == 0))
		return RX_PACKET;
	return ret == -ENOMEM ? RX_WAIT : RX_DROP;
}

/* Receives a packet whose header may ask for something. Not inlined: plain packets pass by it. */
static __rte_noinline enum rx_result
rx_offload(struct vnet_queue *queue, const struct rte_vduse_chain *chain, struct rte_mbuf *packet,
	   struct vnet_rx_mbufs *burst)
{
	uint32_t frame_max = burst->frame_max;
	struct virtio_net_hdr hdr;
	enum rx_result result;

	rx_header(chain, &hdr);
	if (hdr.gso_type != VIRTIO_NET_HDR_GSO_NONE) {
		if ((vnet_offload_gso_feature(hdr.gso_type) & queue->offloads &
		     rte_atomic_load_explicit(&queue->net->rx_gso, rte_memory_order_relaxed)) ==
		    0) {
			burst->hdr = hdr;
			return RX_LARGE;
		}
		frame_max = VNET_GSO_FRAME_MAX;
	}
	result = rx_copy(queue, chain, packet, burst, frame_max);
	if ((hdr.flags | hdr.gso_type) != 0 && result == RX_PACKET &&
	    !vnet_offload_rx(queue, &hdr, packet, burst->frame_max))
		return RX_DROP;
	return result;
}

/* Receives the packet of a chain, and does what its header asks for. */
static inline enum rx_result
rx_packet(struct vnet_queue *queue, const struct rte_vduse_chain *chain, struct rte_mbuf *packet,
	  struct vnet_rx_mbufs *burst)
{
	if (unlikely(chain->out_len < (uint32_t)queue->hdr_len + RTE_ETHER_HDR_LEN))
		return RX_DROP;
	if (queue->csum && unlikely(rx_asks(chain)))
		return rx_offload(queue, chain, packet, burst);
	return rx_copy(queue, chain, packet, burst, burst->frame_max);
}

/* Allocates nb mbufs, or fewer from a pool that is nearly empty. */
static inline void
rx_alloc(struct vnet_rx_mbufs *burst, uint16_t nb)
{
	while (nb > 0 && unlikely(rte_mempool_get_bulk(burst->pool, (void **)burst->mbufs, nb) < 0))
		nb /= 2;
	burst->last = nb;
	if (unlikely(nb == 0))
		return;
	/* All mbufs of a pool are alike: data inside the mbuf, or a pinned external buffer. */
	burst->headroom = RTE_MIN(RTE_PKTMBUF_HEADROOM, burst->mbufs[0]->buf_len);
	burst->ol_flags = burst->mbufs[0]->ol_flags & RTE_MBUF_F_EXTERNAL;
}

/* Copies chains while there are mbufs. Returns packets; *taken: chains consumed. */
static uint16_t
rx_copy_chains(struct vnet_queue *queue, struct rte_vduse_chain *chains,
	       struct vnet_rx_mbufs *burst, uint16_t *taken)
{
	uint16_t done = 0, i = 0;

	while (i < burst->last) {
		struct rte_mbuf *packet = burst->mbufs[i];
		enum rx_result result;

		burst->first = (uint16_t)(i + 1);
		rx_empty(packet, burst);
		result = rx_packet(queue, &chains[i], packet, burst);
		if (likely(result == RX_PACKET)) {
			burst->mbufs[done++] = packet;
		} else {
			rte_pktmbuf_free(packet);
			burst->segment = result == RX_LARGE;
			if (result == RX_WAIT || result == RX_LARGE)
				break;
			vnet_stats_add(&queue->stats.drops, 1);
			vnet_stats_add(&queue->stats.oversize, result == RX_LONG);
		}
		chains[i++].used_len = 0;
	}
	if (unlikely(burst->first < burst->last)) {
		rte_mempool_put_bulk(burst->pool, (void **)burst->mbufs + burst->first,
				     burst->last - burst->first);
		burst->last = burst->first;
	}
	*taken = i;
	return done;
}

/* Receives from one pop of chains. Returns packets; *taken: chains used, drops included. */
static uint16_t
rx_chains(struct vnet_queue *queue, struct rte_mempool *pool, struct rte_mbuf **mbufs, uint16_t nb,
	  uint16_t *taken)
{
	struct rte_vduse_chain chains[RTE_VDUSE_BURST_MAX];
	const struct rte_vduse_net *net = queue->net;
	struct vnet_rx_mbufs burst = { .pool = pool, .mbufs = mbufs };
	bool half = queue->gso_at != 0;
	uint16_t n, done;

	*taken = 0;
	n = vring_pop(&queue->vq->ring, chains, nb);
	if (n == 0)
		return 0;
	/* A driver that read a larger MTU at start may still send such frames. */
	burst.frame_max =
		RTE_MAX(queue->frame_max,
			rte_atomic_load_explicit(&net->frame_max, rte_memory_order_relaxed));
	rx_alloc(&burst, n);
	done = rx_copy_chains(queue, chains, &burst, taken);
	/* Whatever part of the first chain was received before, it is used now. */
	if (*taken > 0)
		queue->gso_at = 0;
	if (unlikely(burst.segment)) {
		bool finished;

		done += vnet_gso_rx(queue, &chains[*taken], &burst, mbufs + done,
				    (uint16_t)(nb - done), &finished);
		*taken += finished;
	}
	if (unlikely(*taken < n)) {
		/* The remaining packets stay in the ring, which slows the driver down. */
		vring_unpop(&queue->vq->ring, chains + *taken, (uint16_t)(n - *taken));
		vnet_stats_add(&queue->stats.nombuf, !burst.segment);
	}
	if (unlikely(burst.segment || half))
		vnet_position_gso(queue);
	if (likely(*taken > 0))
		vring_push(&queue->vq->ring, chains, *taken);
	return done;
}

/*
 * Makes the RARP packet that a front end asked for, as if the driver had sent it. Returns 1, or 0 if
 * the pool is empty: the next burst tries again.
 */
static uint16_t
rx_announce(struct rte_vduse_net *net, struct rte_mempool *pool, struct rte_mbuf **mbufs)
{
	uint64_t announce = rte_atomic_load_explicit(&net->announce, rte_memory_order_relaxed);
	struct rte_ether_addr address;

	memcpy(&address, &announce, sizeof(address));
	mbufs[0] = rte_net_make_rarp_packet(pool, &address);
	if (mbufs[0] == NULL)
		return 0;
	/* If it changed meanwhile, the next burst sends the new one. */
	(void)rte_atomic_compare_exchange_strong_explicit(
		&net->announce, &announce, 0, rte_memory_order_relaxed, rte_memory_order_relaxed);
	return 1;
}

uint16_t
rte_vduse_net_rx_burst(struct rte_vduse_net *net, uint16_t pair, struct rte_mempool *pool,
		       struct rte_mbuf **mbufs, uint16_t nb)
{
	struct vnet_queue *queue = &net->queues[2 * pair + 1];
	uint16_t done = 0, popped = 0;

	if (!vduse_vq_enter(queue->vq))
		return 0;
	if (unlikely(rte_atomic_load_explicit(&net->announce, rte_memory_order_relaxed) != 0) &&
	    pair == 0 && nb > 0)
		done = popped = rx_announce(net, pool, mbufs);
	if (unlikely(!rte_atomic_load_explicit(&queue->polled, rte_memory_order_relaxed)))
		rte_atomic_store_explicit(&queue->polled, true, rte_memory_order_relaxed);
	/*
	 * Count chains, not packets: a driver that sends only runts must not keep this loop going.
	 * Fewer chains than wanted: the ring is empty, or the chains took long to read.
	 */
	while (popped < nb) {
		uint16_t want = RTE_MIN((uint16_t)(nb - popped), RTE_VDUSE_BURST_MAX), taken;

		done += rx_chains(queue, pool, mbufs + done, want, &taken);
		popped += taken;
		vnet_queue_finish(queue, taken);
		if (taken < want || nb <= RTE_VDUSE_BURST_MAX ||
		    !rte_atomic_load_explicit(&queue->vq->enabled, rte_memory_order_relaxed))
			break;
	}
	if (done != 0) {
		vnet_stats_count(&queue->stats, mbufs, done);
		VDUSE_TRACE(net_rx, queue->vq->name, queue->vq->index, done);
	}
	vduse_vq_leave(queue->vq);
	if (unlikely(net->steer != NULL) && net->steer->learns)
		vnet_steer_learn(net->steer, pair, mbufs, done);
	if (unlikely(rte_atomic_load_explicit(&net->coalesces, rte_memory_order_relaxed)))
		vnet_coal_poll(net, pair);
	return done;
}
