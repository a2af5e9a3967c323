/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Packets to the driver. In flow mbufs, out flow used chains of virtqueue 2i with a header
 * and the packet in them; a packet takes several chains where the driver lets buffers be
 * merged. Polling thread.
 */
#include <string.h>

#include <rte_memcpy.h>

#include <virtio_net/net.h>

/* What a packet that cannot be written asks of the caller. */
enum tx_result {
	TX_SENT,
	TX_MORE, /* it would fit if there were more chains */
	TX_DROP, /* it does not fit with any number of chains, or a buffer is invalid */
};

/* Where in a row of chains the next byte goes. */
struct tx_cursor {
	struct rte_vduse_chain *chain;
	uint16_t piece;
	uint32_t offset;
};

/* Copies to the chains; the caller has measured that they hold it. */
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

static void
tx_copy_packet(const struct vnet_queue *queue, struct rte_vduse_chain *chains, uint16_t nb_chains,
	       const struct rte_mbuf *packet)
{
	/* Section 5.1.6.4.1: without merging num_buffers is 1; no offload, all else is 0. */
	struct virtio_net_hdr_v1 hdr = { .num_buffers = rte_cpu_to_le_16(nb_chains) };
	struct tx_cursor cursor = { .chain = chains };
	const struct rte_mbuf *segment;
	uint16_t i;

	for (i = 0; i < nb_chains; i++)
		chains[i].used_len = 0;
	tx_copy(&cursor, (const uint8_t *)&hdr, queue->hdr_len);
	for (segment = packet; segment != NULL; segment = segment->next)
		tx_copy(&cursor, rte_pktmbuf_mtod(segment, const uint8_t *), segment->data_len);
}

/*
 * Drivers read a header and leave it as it is, so that in a buffer that comes round again it is
 * right already: a line that is not written stays in the driver's cache. Two lengths that the
 * compiler knows: a call of memcpy() costs more than the copy.
 */
static inline void
tx_copy_header(const struct vnet_queue *queue, uint8_t *to, const struct virtio_net_hdr_v1 *hdr)
{
	if (likely(queue->hdr_len == sizeof(*hdr))) {
		if (memcmp(to, hdr, sizeof(*hdr)) != 0)
			memcpy(to, hdr, sizeof(*hdr));
	} else if (memcmp(to, hdr, sizeof(struct virtio_net_hdr)) != 0) {
		memcpy(to, hdr, sizeof(struct virtio_net_hdr));
	}
}

/* The most common case: one piece to read from, one to write to, and room enough. */
static inline void
tx_copy_whole(const struct vnet_queue *queue, struct rte_vduse_chain *chain,
	      const struct rte_mbuf *packet)
{
	/* Not on the stack: to load what was just stored in pieces waits for all stores before. */
	static const struct virtio_net_hdr_v1 hdr = { .num_buffers = RTE_LE16(1) };
	uint8_t *to = chain->bufs[chain->nb_out].va;

	tx_copy_header(queue, to, &hdr);
	rte_memcpy(to + queue->hdr_len, rte_pktmbuf_mtod(packet, const void *), packet->data_len);
	chain->used_len = queue->hdr_len + packet->data_len;
}

/* Writes a packet to the first chains of a row. *taken: how many are used, also for a drop. */
static inline enum tx_result
tx_packet(const struct vnet_queue *queue, struct rte_vduse_chain *chains, uint16_t nb_chains,
	  const struct rte_mbuf *packet, uint16_t *taken)
{
	uint64_t want = (uint64_t)queue->hdr_len + packet->pkt_len, room = 0;
	uint16_t n = 0;

	if (likely(nb_chains > 0 && chains[0].nb_in == 1 && packet->nb_segs == 1 &&
		   chains[0].in_len >= want)) {
		tx_copy_whole(queue, &chains[0], packet);
		*taken = 1;
		return TX_SENT;
	}
	/* Section 5.1.6.3.1 forbids it. The buffer goes back empty, or it would be met again. */
	if (unlikely(nb_chains > 0 && chains[0].in_len < queue->hdr_len)) {
		chains[0].used_len = 0;
		*taken = 1;
		return TX_DROP;
	}
	do {
		if (n == nb_chains)
			return TX_MORE;
		room += chains[n++].in_len;
	} while (room < want && queue->mergeable);
	if (unlikely(room < want))
		return TX_DROP;
	*taken = n;
	tx_copy_packet(queue, chains, n, packet);
	return TX_SENT;
}

/* What one row of chains did. */
struct tx_row {
	uint16_t packets; /* taken from the caller */
	uint16_t chains;  /* used */
	bool more;        /* the next packet would take more chains than the row had */
};

/* A packet that was not sent. Returns whether the next one may be. */
static bool
tx_row_refused(struct vnet_queue *queue, enum tx_result result, struct tx_row *row)
{
	if (result == TX_MORE) {
		row->more = true;
		return false;
	}
	vnet_stats_add(&queue->stats.drops, 1);
	row->packets++;
	return true;
}

static void
tx_row(struct vnet_queue *queue, struct rte_vduse_chain *chains, uint16_t nb_chains,
       struct rte_mbuf *const *mbufs, uint16_t nb, struct tx_row *row)
{
	bool more = true;

	while (row->packets < nb && more) {
		uint16_t first = row->packets;
		enum tx_result result = TX_SENT;

		while (row->packets < nb && result == TX_SENT) {
			uint16_t taken = 0;

			result = tx_packet(queue, chains + row->chains,
					   (uint16_t)(nb_chains - row->chains), mbufs[row->packets],
					   &taken);
			row->packets += result == TX_SENT;
			row->chains += taken;
		}
		vnet_stats_count(&queue->stats, mbufs + first, (uint16_t)(row->packets - first));
		if (result != TX_SENT)
			more = tx_row_refused(queue, result, row);
	}
}

/*
 * Whether a packet that these chains do not hold will never be held: they are as many as we
 * handle at once, or the ring has no descriptors left for one more of their kind.
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

/* Sends what one pop of chains can take. Returns packets taken; *want: chains to pop. */
static uint16_t
tx_chains(struct vnet_queue *queue, struct rte_mbuf *const *mbufs, uint16_t nb, uint16_t *want,
	  bool *stop)
{
	struct rte_vduse_chain chains[RTE_VDUSE_BURST_MAX];
	struct tx_row row = { 0 };
	bool hopeless;
	uint16_t n;

	n = vring_pop(&queue->vq->ring, chains, *want);
	if (n > 0)
		tx_row(queue, chains, n, mbufs, nb, &row);
	if (row.chains < n)
		vring_unpop(&queue->vq->ring, chains + row.chains, (uint16_t)(n - row.chains));
	if (row.chains > 0)
		vring_push(&queue->vq->ring, chains, row.chains);
	hopeless = row.more && row.packets == 0 && tx_hopeless(queue, chains, n);
	if (unlikely(hopeless)) {
		vnet_stats_add(&queue->stats.drops, 1);
		row.packets = 1;
	}
	*stop = n < *want && !hopeless;
	/* A packet that needs several chains gets as many as there are. */
	*want = row.more ? RTE_VDUSE_BURST_MAX : *want;
	vnet_queue_finish(queue, row.chains > 0);
	return row.packets;
}

uint16_t
rte_vduse_net_tx_copy(struct rte_vduse_net *net, uint16_t pair, struct rte_mbuf *const *mbufs,
		      uint16_t nb)
{
	struct vnet_queue *queue = &net->queues[2 * pair];
	uint16_t done = 0, want;
	bool stop = false;

	if (!vduse_vq_enter(queue->vq))
		return 0;
	want = RTE_MIN(nb, RTE_VDUSE_BURST_MAX);
	while (done < nb && !stop)
		done += tx_chains(queue, mbufs + done, (uint16_t)(nb - done), &want, &stop);
	vduse_vq_leave(queue->vq);
	return done;
}

uint16_t
rte_vduse_net_tx_burst(struct rte_vduse_net *net, uint16_t pair, struct rte_mbuf **mbufs,
		       uint16_t nb)
{
	uint16_t done = rte_vduse_net_tx_copy(net, pair, mbufs, nb);

	if (done > 0)
		rte_pktmbuf_free_bulk(mbufs, done);
	return done;
}
