/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Segments large packets from the driver for an application that does not take them.
 * Input: a chain. Output: packets. What does not fit into a burst stays in the chain for the next.
 * Thread: polling.
 */
#include <errno.h>
#include <string.h>

#include <rte_vduse_compat.h>

#include <virtio_net/gso.h>
#include <virtio_net/offload.h>

/* Copies the first bytes of a packet, and finds out how to segment it. */
static bool
gso_rx_layout(const struct vnet_queue *queue, const struct rte_vduse_chain *chain,
	      const struct virtio_net_hdr *hdr, uint8_t bytes[VNET_HEAD_MAX], struct vnet_gso *gso)
{
	uint32_t len = chain->out_len - queue->hdr_len, skip = queue->hdr_len, n, copied = 0;
	struct rte_mbuf head = { .buf_addr = bytes, .nb_segs = 1 };
	uint16_t i;

	for (i = 0; i < chain->nb_out && copied < VNET_HEAD_MAX; i++) {
		uint32_t over = RTE_MIN(skip, chain->bufs[i].len);

		n = RTE_MIN(chain->bufs[i].len - over, VNET_HEAD_MAX - copied);
		memcpy(bytes + copied, chain->bufs[i].va + over, n);
		copied += n;
		skip -= over;
	}
	head.buf_len = (uint16_t)copied;
	head.data_len = (uint16_t)copied;
	head.pkt_len = copied;
	return vnet_offload_gso(queue, hdr, &head, len, gso);
}

/*
 * One segment: payload from the chain, then headers with the sum of what was copied. Returns 0,
 * -ENOMEM without mbufs, or -EMSGSIZE if no mbuf of the pool may hold it.
 */
static int
gso_rx_segment(const struct vnet_queue *queue, const struct rte_vduse_chain *chain,
	       const struct vnet_gso *gso, const uint8_t *bytes, struct vnet_rx_mbufs *burst,
	       struct rte_mbuf **result)
{
	uint16_t headers = vnet_gso_headers(gso), len, sum;
	struct rte_mbuf *packet = rte_pktmbuf_alloc(burst->pool);
	uint8_t head[VNET_HEAD_MAX];
	int ret = -EMSGSIZE;

	if (unlikely(packet == NULL))
		return -ENOMEM;
	len = (uint16_t)RTE_MIN(gso->payload - queue->gso_at, (uint32_t)gso->size);
	if (unlikely(!vnet_rx_room(queue, packet, (uint32_t)headers + len) ||
		     rte_pktmbuf_tailroom(packet) < headers))
		goto fail;
	packet->data_len = headers;
	packet->pkt_len = headers;
	ret = vnet_rx_append(chain, queue->hdr_len + headers + queue->gso_at, len, packet, burst);
	if (unlikely(ret < 0))
		goto fail;
	sum = vnet_offload_sum(packet, headers, len);
	vnet_gso_head(gso, bytes, queue->gso_at, len, &sum, head);
	memcpy(rte_pktmbuf_mtod(packet, void *), head, headers);
	*result = packet;
	return 0;

fail:
	rte_pktmbuf_free(packet);
	return ret;
}

uint16_t
vnet_gso_rx(struct vnet_queue *queue, const struct rte_vduse_chain *chain,
	    struct vnet_rx_mbufs *burst, struct rte_mbuf **mbufs, uint16_t nb, bool *done)
{
	uint32_t len = chain->out_len - queue->hdr_len;
	uint8_t bytes[VNET_HEAD_MAX];
	struct vnet_gso gso;
	uint16_t n = 0;
	int ret;

	*done = true;
	if (!gso_rx_layout(queue, chain, &burst->hdr, bytes, &gso)) {
		vnet_stats_add(&queue->stats.bad_offloads, 1);
		goto drop;
	}
	if (len > VNET_GSO_FRAME_MAX || vnet_gso_longest(&gso) > burst->frame_max)
		goto oversize;
	/* The driver may have changed the packet since the last burst. */
	for (; n == 0 || queue->gso_at < gso.payload; queue->gso_at += gso.size, n++) {
		if (queue->gso_at > gso.payload)
			goto drop;
		if (n == nb)
			break;
		ret = gso_rx_segment(queue, chain, &gso, bytes, burst, &mbufs[n]);
		if (unlikely(ret == -EMSGSIZE))
			goto oversize;
		if (unlikely(ret < 0)) {
			vnet_stats_add(&queue->stats.nombuf, 1);
			break;
		}
	}
	*done = n > 0 && queue->gso_at >= gso.payload;
	if (*done) {
		queue->gso_at = 0;
		vnet_stats_add(&queue->stats.gso_software, 1);
	}
	return n;

oversize:
	vnet_stats_add(&queue->stats.oversize, 1);
drop:
	queue->gso_at = 0;
	vnet_stats_add(&queue->stats.drops, 1);
	return n;
}
