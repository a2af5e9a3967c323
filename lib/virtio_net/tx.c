/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Sends packets to the driver. With VIRTIO_NET_F_MRG_RXBUF a packet may take several chains.
 * Input: mbufs. Output: used chains of virtqueue 2i, each packet after a header. Thread: polling.
 */
#include <string.h>

#include <rte_memcpy.h>

#include <virtio_net/ctrl.h>
#include <virtio_net/gso.h>
#include <virtio_net/steer.h>
#include <virtio_net/trace.h>
#include <virtio_net/tx.h>

#define TX_PATIENCE 1000 /* pauses: some tens of microseconds */

/* Write position in an array of chains. */
struct tx_cursor {
	struct rte_vduse_chain *chain;
	uint16_t piece;
	uint32_t offset;
};

/* Copies to the chains; the caller checked that there is room. */
static void
tx_copy(struct tx_cursor *cursor, const uint8_t *from, uint32_t len)
{
	while (len > 0) {
		struct rte_vduse_chain *chain = cursor->chain;
		const struct rte_vduse_buf *buf;
		uint32_t n;

		if (cursor->piece == chain->nb_in) {
			cursor->chain++;
			cursor->piece = 0;
			cursor->offset = 0;
			continue;
		}
		buf = &chain->bufs[chain->nb_out + cursor->piece];
		n = RTE_MIN(len, buf->len - cursor->offset);
		rte_memcpy(buf->va + cursor->offset, from, n);
		chain->used_len += n;
		cursor->offset += n;
		if (cursor->offset == buf->len) {
			cursor->piece++;
			cursor->offset = 0;
		}
		from += n;
		len -= n;
	}
}

void
vnet_tx_copy(const struct vnet_queue *queue, struct rte_vduse_chain *chains, uint16_t nb_chains,
	     const struct rte_mbuf *packet, struct vnet_head *head)
{
	struct tx_cursor cursor = { .chain = chains };
	uint32_t skip = head->at, rest = head->rest;
	const struct rte_mbuf *segment;
	uint16_t i;

	/* Section 5.1.6.4.1: num_buffers is 1 without merging. */
	head->hdr.num_buffers = rte_cpu_to_le_16(nb_chains);
	for (i = 0; i < nb_chains; i++)
		chains[i].used_len = 0;
	tx_copy(&cursor, (const uint8_t *)&head->hdr,
		RTE_MIN(queue->hdr_len, (uint32_t)sizeof(head->hdr)));
	if (unlikely(queue->hdr_len == VNET_HASH_HDR_LEN)) {
		struct vnet_hash hash;

		vnet_hash_packet(queue->rss, packet, &hash);
		tx_copy(&cursor, (const uint8_t *)&hash, sizeof(hash));
	}
	tx_copy(&cursor, head->bytes, head->len);
	for (segment = packet; rest > 0; segment = segment->next) {
		uint32_t over = RTE_MIN(skip, (uint32_t)segment->data_len);
		uint32_t n = RTE_MIN(segment->data_len - over, rest);

		skip -= over;
		rest -= n;
		tx_copy(&cursor, rte_pktmbuf_mtod_offset(segment, const uint8_t *, over), n);
	}
}

/*
 * Writes the header only if it differs. Drivers do not change it, so a buffer that is reused holds
 * the right one already, and a cache line that is not written stays in the driver's cache. The
 * lengths are constants, because a call of memcpy() costs more than the copy.
 */
static inline void
tx_copy_header(const struct vnet_queue *queue, uint8_t *to, const struct virtio_net_hdr_v1 *hdr,
	       const struct rte_mbuf *packet)
{
	struct vnet_hash hash;

	if (likely(queue->hdr_len == sizeof(*hdr))) {
		if (memcmp(to, hdr, sizeof(*hdr)) != 0)
			memcpy(to, hdr, sizeof(*hdr));
	} else if (queue->hdr_len == sizeof(struct virtio_net_hdr)) {
		if (memcmp(to, hdr, sizeof(struct virtio_net_hdr)) != 0)
			memcpy(to, hdr, sizeof(struct virtio_net_hdr));
	} else {
		vnet_hash_packet(queue->rss, packet, &hash);
		if (memcmp(to, hdr, sizeof(*hdr)) != 0)
			memcpy(to, hdr, sizeof(*hdr));
		if (memcmp(to + sizeof(*hdr), &hash, sizeof(hash)) != 0)
			memcpy(to + sizeof(*hdr), &hash, sizeof(hash));
	}
}

/* Fast path: one segment, one writable buffer with enough room. */
static inline void
tx_copy_whole(const struct vnet_queue *queue, struct rte_vduse_chain *chain,
	      const struct rte_mbuf *packet)
{
	/* Static: a load of a header just stored field by field would stall (no forwarding). */
	static const struct virtio_net_hdr_v1 hdr = { .num_buffers = RTE_LE16(1) };
	uint8_t *to = chain->bufs[chain->nb_out].va;

	tx_copy_header(queue, to, &hdr, packet);
	rte_memcpy(to + queue->hdr_len, rte_pktmbuf_mtod(packet, const void *), packet->data_len);
	chain->used_len = queue->hdr_len + packet->data_len;
}

enum vnet_tx_result
vnet_tx_room(const struct vnet_queue *queue, struct rte_vduse_chain *chains, uint16_t nb_chains,
	     uint32_t len, uint16_t *taken)
{
	uint64_t want = (uint64_t)queue->hdr_len + len, room = 0;
	uint16_t n = 0;

	/* Section 5.1.6.3.1: the driver must not do this. Use the chain empty, or it stays next. */
	if (unlikely(nb_chains > 0 && chains[0].in_len < queue->hdr_len)) {
		chains[0].used_len = 0;
		*taken = 1;
		return VNET_TX_DROP;
	}
	do {
		if (n == nb_chains)
			return VNET_TX_MORE;
		room += chains[n++].in_len;
	} while (room < want && queue->mergeable);
	if (unlikely(room < want))
		return VNET_TX_DROP;
	*taken = n;
	return VNET_TX_SENT;
}

/* A packet of any layout and with offloads. Otherwise as tx_packet(). */
static enum vnet_tx_result
tx_pieces(struct vnet_queue *queue, struct rte_vduse_chain *chains, uint16_t nb_chains,
	  const struct rte_mbuf *packet, uint16_t *taken)
{
	enum vnet_tx_result result;
	struct vnet_head head;

	if ((packet->ol_flags & queue->tx_flags & VNET_OFFLOAD_TX_SEG) != 0 &&
	    !vnet_offload_tx_takes(queue, packet))
		return VNET_TX_LARGE;
	result = vnet_tx_room(queue, chains, nb_chains, packet->pkt_len, taken);
	if (result != VNET_TX_SENT)
		return result;
	if (unlikely(!vnet_offload_tx(queue, packet, &head))) {
		*taken = 0;
		return VNET_TX_DROP;
	}
	vnet_tx_copy(queue, chains, *taken, packet, &head);
	return VNET_TX_SENT;
}

/* Writes a packet to the first chains. *taken: chains used, also for a drop. */
static inline enum vnet_tx_result
tx_packet(struct vnet_queue *queue, struct rte_vduse_chain *chains, uint16_t nb_chains,
	  const struct rte_mbuf *packet, uint16_t *taken)
{
	if (likely(nb_chains > 0 && chains[0].nb_in == 1 && packet->nb_segs == 1 &&
		   (packet->ol_flags & queue->tx_flags) == 0 &&
		   chains[0].in_len >= (uint64_t)queue->hdr_len + packet->pkt_len)) {
		tx_copy_whole(queue, &chains[0], packet);
		*taken = 1;
		return VNET_TX_SENT;
	}
	return tx_pieces(queue, chains, nb_chains, packet, taken);
}

/* Progress in the chains of one pop. */
struct tx_row {
	uint16_t packets; /* taken from the caller */
	uint16_t chains;  /* used */
	bool more;        /* the next packet needs more chains than were popped */
	bool large;       /* the next packet has to be segmented */
};

static void
tx_row(struct vnet_queue *queue, struct rte_vduse_chain *chains, uint16_t nb_chains,
       struct rte_mbuf *const *mbufs, uint16_t nb, struct tx_row *row)
{
	const struct vnet_filter *filter = queue->filter;

	while (row->packets < nb) {
		uint16_t first = row->packets;
		enum vnet_tx_result result = VNET_TX_SENT;

		while (row->packets < nb && result == VNET_TX_SENT) {
			uint16_t taken = 0;

			if (unlikely(filter != NULL) &&
			    !vnet_filter_passes(filter, mbufs[row->packets])) {
				result = VNET_TX_FILTERED;
				break;
			}
			result = tx_packet(queue, chains + row->chains,
					   (uint16_t)(nb_chains - row->chains), mbufs[row->packets],
					   &taken);
			row->packets += result == VNET_TX_SENT;
			row->chains += taken;
		}
		vnet_stats_count(&queue->stats, mbufs + first, (uint16_t)(row->packets - first));
		row->more = result == VNET_TX_MORE;
		row->large = result == VNET_TX_LARGE;
		if (result != VNET_TX_DROP && result != VNET_TX_FILTERED)
			break;
		vnet_stats_add(
			result == VNET_TX_DROP ? &queue->stats.drops : &queue->stats.filtered, 1);
		row->packets++;
	}
}

/*
 * Whether a packet that does not fit into these chains never will: they are as many as one pop
 * takes, or the ring has no descriptors for one more chain of this size.
 */
static bool
tx_hopeless(const struct vnet_queue *queue, const struct rte_vduse_chain *chains,
	    uint16_t nb_chains)
{
	uint32_t nb_descs = 0;
	uint16_t i;

	if (nb_chains == 0)
		return false;
	for (i = 0; i < nb_chains; i++)
		nb_descs += chains[i].nb_descs;
	return nb_chains == RTE_VDUSE_BURST_MAX ||
	       nb_descs + chains[nb_chains - 1].nb_descs > queue->vq->ring.size;
}

/* Chains to pop for nb packets: a first one that is long takes more, of the size seen last. */
static inline uint16_t
tx_want(const struct vnet_queue *queue, const struct rte_mbuf *first, uint16_t nb)
{
	uint32_t want = nb;

	if (unlikely(queue->mergeable && queue->tx_room != 0 &&
		     first->pkt_len > queue->tx_room - queue->hdr_len))
		want += (first->pkt_len + queue->hdr_len) / queue->tx_room;
	return (uint16_t)RTE_MIN(want, (uint32_t)RTE_VDUSE_BURST_MAX);
}

/*
 * Sends packets into one pop of chains, up to the first that has to be segmented, and that one.
 * Returns packets taken. *all: pop as many chains as possible, and on return whether the next pop
 * should.
 */
static uint16_t
tx_chains(struct vnet_queue *queue, struct rte_mbuf *const *mbufs, uint16_t nb, bool *all,
	  bool *stop)
{
	uint16_t n, want = *all ? RTE_VDUSE_BURST_MAX : tx_want(queue, mbufs[0], nb);
	struct rte_vduse_chain chains[RTE_VDUSE_BURST_MAX];
	struct tx_row row = { 0 };
	bool hopeless;

	n = vring_pop(&queue->vq->ring, chains, want);
	if (n > 0) {
		queue->tx_room = chains[n - 1].in_len;
		tx_row(queue, chains, n, mbufs, nb, &row);
	}
	if (row.chains < n)
		vring_unpop(&queue->vq->ring, chains + row.chains, (uint16_t)(n - row.chains));
	if (row.chains > 0)
		vring_push(&queue->vq->ring, chains, row.chains);
	hopeless = row.more && row.packets == 0 && tx_hopeless(queue, chains, n);
	if (unlikely(hopeless)) {
		vnet_stats_add(&queue->stats.drops, 1);
		row.packets = 1;
	}
	*stop = n < want && !hopeless;
	/* Chains were shorter than the last one seen: the next pop takes what there is. */
	*all = row.more && row.packets == 0;
	vnet_queue_finish(queue, row.chains);
	if (unlikely(row.large)) {
		*stop = !vnet_gso_tx(queue, mbufs[row.packets]);
		row.packets += !*stop;
	}
	return row.packets;
}

uint16_t
vnet_tx_held(struct vnet_queue *queue, struct rte_mbuf *const *mbufs, uint16_t nb)
{
	bool stop = queue->off, all = false;
	uint16_t done = 0;

	while (done < nb && !stop)
		done += tx_chains(queue, mbufs + done, (uint16_t)(nb - done), &all, &stop);
	if (done > 0)
		VDUSE_TRACE(net_tx, queue->vq->name, queue->vq->index, done);
	return done;
}

/*
 * Takes a virtqueue for a burst. Behind an IOMMU the control thread has it often, for microseconds,
 * while a translation changes: an application would drop what it cannot send.
 */
static bool
tx_enter(struct rte_vduse_vq *vq)
{
	unsigned int i;

	if (likely(vduse_vq_enter(vq)))
		return true;
	for (i = 0; i < TX_PATIENCE && vduse_vq_asks(vq); i++) {
		rte_pause();
		if (vduse_vq_enter(vq))
			return true;
	}
	return false;
}

uint16_t
rte_vduse_net_tx_copy(struct rte_vduse_net *net, uint16_t pair, struct rte_mbuf *const *mbufs,
		      uint16_t nb)
{
	struct vnet_queue *queue = &net->queues[2 * pair];
	uint16_t done;

	if (!tx_enter(queue->vq))
		return 0;
	done = vnet_tx_held(queue, mbufs, nb);
	vduse_vq_leave(queue->vq);
	if (unlikely(rte_atomic_load_explicit(&net->coalesces, rte_memory_order_relaxed)))
		vnet_coal_poll(net, pair);
	return done;
}

uint16_t
rte_vduse_net_tx_burst(struct rte_vduse_net *net, uint16_t pair, struct rte_mbuf **mbufs,
		       uint16_t nb)
{
	uint16_t done;

	if (unlikely(net->steer != NULL))
		return vnet_steer_tx(net, pair, mbufs, nb);
	done = rte_vduse_net_tx_copy(net, pair, mbufs, nb);
	if (done > 0)
		rte_pktmbuf_free_bulk(mbufs, done);
	return done;
}
