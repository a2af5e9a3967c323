/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Segments large packets to a driver that does not take them.
 * Input: an mbuf whose flags ask for segmentation. Output: used chains, each segment after a header.
 * Thread: polling.
 */
#include <string.h>

#include <rte_byteorder.h>
#include <rte_vduse_compat.h>

#include <virtio_net/gso.h>
#include <virtio_net/tx.h>

/* A packet that is being sent. */
struct gso_tx {
	const struct rte_mbuf *packet;
	struct vnet_gso gso;
	uint32_t at;           /* bytes of its payload that were sent */
	struct vnet_head from; /* its first bytes */
};

/* Makes the headers of the next segment. Returns the length of its payload. */
static uint16_t
gso_tx_head(const struct vnet_queue *queue, const struct gso_tx *tx, struct vnet_head *head)
{
	const struct vnet_gso *gso = &tx->gso;
	uint16_t len = (uint16_t)RTE_MIN(gso->payload - tx->at, (uint32_t)gso->size), sum;

	memset(&head->hdr, 0, sizeof(head->hdr));
	head->len = vnet_gso_headers(gso);
	head->at = head->len + tx->at;
	head->rest = len;
	if ((queue->offloads & VNET_OFFLOAD(GUEST_CSUM)) != 0) {
		head->hdr.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
		head->hdr.csum_start = rte_cpu_to_le_16(gso->l2 + gso->l3);
		head->hdr.csum_offset = rte_cpu_to_le_16(vnet_gso_csum_offset(gso));
		vnet_gso_head(gso, tx->from.bytes, tx->at, len, NULL, head->bytes);
		return len;
	}
	sum = vnet_offload_sum(tx->packet, head->at, len);
	vnet_gso_head(gso, tx->from.bytes, tx->at, len, &sum, head->bytes);
	return len;
}

/*
 * Whether the ring never has as many chains as there are segments: those that are there now show how
 * many descriptors one takes.
 */
static bool
gso_tx_hopeless(struct vnet_queue *queue, uint32_t nb)
{
	struct rte_vduse_chain chains[RTE_VDUSE_BURST_MAX];
	uint16_t n = vring_pop(&queue->vq->ring, chains, RTE_VDUSE_BURST_MAX), i;
	uint64_t nb_descs = 0;

	for (i = 0; i < n; i++)
		nb_descs += chains[i].nb_descs;
	if (n > 0)
		vring_unpop(&queue->vq->ring, chains, n);
	return nb > queue->vq->ring.size || nb * nb_descs > (uint64_t)queue->vq->ring.size * n;
}

/* Sends segments into one pop of chains. Returns false if no segment could be sent. */
static bool
gso_tx_chains(struct vnet_queue *queue, struct gso_tx *tx)
{
	struct rte_vduse_chain chains[RTE_VDUSE_BURST_MAX];
	uint16_t n = vring_pop(&queue->vq->ring, chains, RTE_VDUSE_BURST_MAX), used = 0;
	enum vnet_tx_result result = VNET_TX_SENT;
	uint32_t before = tx->at;
	struct vnet_head head;

	while (tx->at < tx->gso.payload && result == VNET_TX_SENT) {
		uint16_t taken = 0, len;

		len = (uint16_t)RTE_MIN(tx->gso.payload - tx->at, (uint32_t)tx->gso.size);
		result = vnet_tx_room(queue, chains + used, (uint16_t)(n - used),
				      (uint32_t)vnet_gso_headers(&tx->gso) + len, &taken);
		if (result == VNET_TX_SENT) {
			tx->at += gso_tx_head(queue, tx, &head);
			vnet_tx_copy(queue, chains + used, taken, tx->packet, &head);
		}
		used += taken;
	}
	if (used < n)
		vring_unpop(&queue->vq->ring, chains + used, (uint16_t)(n - used));
	if (used > 0)
		vring_push(&queue->vq->ring, chains, used);
	vnet_queue_finish(queue, used);
	return tx->at > before && result != VNET_TX_DROP;
}

bool
vnet_gso_tx(struct vnet_queue *queue, const struct rte_mbuf *packet)
{
	struct gso_tx tx = { .packet = packet };
	struct rte_mbuf *mbuf = (struct rte_mbuf *)(uintptr_t)packet;
	uint32_t nb;

	if (!vnet_offload_tx_gso(packet, &tx.from, &tx.gso) || tx.gso.payload == 0 ||
	    packet->pkt_len > VNET_GSO_FRAME_MAX) {
		vnet_stats_add(&queue->stats.bad_offloads, 1);
		goto drop;
	}
	/* All or nothing as far as one can tell: a receiver asks for the whole stream again. */
	nb = (tx.gso.payload + tx.gso.size - 1) / tx.gso.size;
	if (vring_count(&queue->vq->ring) < nb) {
		if (!gso_tx_hopeless(queue, nb))
			return false;
		goto drop;
	}
	while (tx.at < tx.gso.payload)
		if (!gso_tx_chains(queue, &tx))
			goto drop;
	vnet_stats_count(&queue->stats, &mbuf, 1);
	vnet_stats_add(&queue->stats.gso_software, 1);
	return true;

drop:
	vnet_stats_add(&queue->stats.drops, 1);
	return true;
}
