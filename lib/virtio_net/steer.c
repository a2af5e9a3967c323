/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Sends each packet to the pair that the driver's key and table name (section 5.1.6.5.7), or to the
 * one on which the driver sent the flow last (section 5.1.6.5.6).
 * Input: packets on a queue of the application. Output: bursts to pairs, of which other threads may
 * use the same. A packet that does not get through is handed back, after those that did; packets of
 * a flow stay in order.
 * Thread: polling, except where a function says control.
 */
#include <stdlib.h>

#include <rte_jhash.h>
#include <rte_pause.h>
#include <rte_vduse_compat.h>

#include <virtio_net/ctrl.h>
#include <virtio_net/net.h>
#include <virtio_net/steer.h>
#include <virtio_net/tx.h>

/*
 * How often to look whether another thread has finished its burst on a pair. A burst takes
 * microseconds, but its thread may have lost its core: the packets are then handed back.
 */
#define STEER_TRIES 1000

#define LOAD(from)      rte_atomic_load_explicit(&(from), rte_memory_order_relaxed)
#define STORE(to, from) rte_atomic_store_explicit(&(to), from, rte_memory_order_relaxed)

struct vnet_steer *
vnet_steer_new(uint8_t mode)
{
	bool learns = mode == RTE_VDUSE_NET_STEER_AUTO;
	struct vnet_steer *steer =
		calloc(1, sizeof(*steer) + (learns ? VNET_STEER_FLOWS : 0) * sizeof(uint32_t));

	if (steer != NULL)
		steer->learns = learns;
	return steer;
}

void
vnet_steer_set(struct rte_vduse_net *net)
{
	const struct vnet_rss *from = &net->ctrl->rss;
	struct vnet_rss *to;
	size_t i;

	if (net->steer == NULL)
		return;
	to = &net->steer->rss;
	STORE(to->types, from->types);
	for (i = 0; i < RTE_DIM(to->key); i++)
		STORE(to->key[i], from->key[i]);
	for (i = 0; i <= from->mask; i++)
		STORE(to->table[i], from->table[i]);
	STORE(to->mask, from->mask);
	STORE(to->unclassified, from->unclassified);
	STORE(to->on, from->on);
}

void
vnet_steer_forget(struct rte_vduse_net *net)
{
	uint32_t i;

	if (net->steer == NULL || !net->steer->learns)
		return;
	for (i = 0; i < VNET_STEER_FLOWS; i++)
		STORE(net->steer->flows[i], 0);
}

/* The hash of a flow as the driver receives it; sent: the driver sends it. False: no flow. */
static bool
steer_flow(const struct rte_mbuf *packet, bool sent, uint32_t *hash)
{
	uint32_t words[VNET_FLOW_WORDS], half, i;
	struct vnet_flow flow;

	if (!vnet_flow_read(packet, &flow))
		return false;
	half = flow.nb / 2;
	for (i = 0; i < flow.nb; i++)
		words[i] = flow.words[sent ? (i + half) % flow.nb : i];
	if (flow.l4 != 0) {
		uint32_t ports = flow.words[flow.nb];

		words[flow.nb] = sent ? ports << 16 | ports >> 16 : ports;
	}
	*hash = rte_jhash_32b(words, flow.nb + (flow.l4 != 0), flow.l4);
	return true;
}

void
vnet_steer_learn(struct vnet_steer *steer, uint16_t pair, struct rte_mbuf *const *mbufs,
		 uint16_t nb)
{
	uint32_t hash, entry;
	uint16_t i;

	for (i = 0; i < nb; i++) {
		uint32_t *flow;

		if (!steer_flow(mbufs[i], true, &hash))
			continue;
		flow = &steer->flows[hash % VNET_STEER_FLOWS];
		entry = (hash & ~UINT32_C(0xff)) | (pair + 1u);
		/* A line that is not written stays in the caches of all pollers. */
		if (LOAD(*flow) != entry)
			STORE(*flow, entry);
	}
}

/* What a burst needs to find the pairs of its packets. */
struct steer_burst {
	const struct rte_vduse_net *net;
	uint16_t own; /* pair of packets that nothing else is known of */
	bool rss;
	uint16_t mask;
	uint32_t types;
	uint32_t key[VNET_FLOW_WORDS + 1];
};

static void
steer_begin(struct steer_burst *burst, const struct rte_vduse_net *net, uint16_t pair)
{
	const struct vnet_rss *rss = &net->steer->rss;
	size_t i;

	burst->net = net;
	burst->own = pair % LOAD(net->pairs_used);
	burst->rss = !net->steer->learns && LOAD(rss->on);
	if (!burst->rss)
		return;
	burst->mask = LOAD(rss->mask);
	burst->types = LOAD(rss->types);
	for (i = 0; i < RTE_DIM(burst->key); i++)
		burst->key[i] = LOAD(rss->key[i]);
}

static uint16_t
steer_rss(const struct steer_burst *burst, const struct rte_mbuf *packet)
{
	const struct vnet_rss *rss = &burst->net->steer->rss;
	struct vnet_flow flow;
	uint32_t value;

	if (!vnet_flow_read(packet, &flow) ||
	    vnet_flow_hash(burst->types, burst->key, &flow, &value) == VIRTIO_NET_HASH_REPORT_NONE)
		return LOAD(rss->unclassified);
	return LOAD(rss->table[value & burst->mask]);
}

static uint16_t
steer_learned(const struct steer_burst *burst, const struct rte_mbuf *packet)
{
	const struct rte_vduse_net *net = burst->net;
	uint32_t hash, entry;
	uint16_t pair;

	if (!steer_flow(packet, false, &hash))
		return burst->own;
	entry = LOAD(net->steer->flows[hash % VNET_STEER_FLOWS]);
	pair = (uint16_t)((entry & 0xff) - 1);
	if ((entry & 0xff) == 0 || ((entry ^ hash) & ~UINT32_C(0xff)) != 0 ||
	    pair >= LOAD(net->pairs_used) ||
	    LOAD(net->queues[2 * pair].vq->state) != RTE_VDUSE_VQ_RUNNING)
		return burst->own;
	return pair;
}

/* Waits for another thread that uses the virtqueue. False: it does not run, or that takes long. */
static bool
steer_enter(struct rte_vduse_vq *vq)
{
	unsigned int i;

	for (i = 0; i < STEER_TRIES; i++) {
		if (vduse_vq_enter(vq))
			return true;
		if (!LOAD(vq->enabled))
			return false;
		rte_pause();
	}
	return false;
}

/* Sends packets to one pair, and frees those that it sent or dropped. Returns how many. */
static uint16_t
steer_send(struct rte_vduse_net *net, uint16_t pair, struct rte_mbuf **mbufs, uint16_t nb)
{
	struct vnet_queue *queue = &net->queues[2 * pair];
	uint16_t done;

	if (!steer_enter(queue->vq))
		return 0;
	done = vnet_tx_held(queue, mbufs, nb);
	vduse_vq_leave(queue->vq);
	rte_pktmbuf_free_bulk(mbufs, done);
	return done;
}

/*
 * Sends up to RTE_VDUSE_BURST_MAX packets, those of each pair together. Returns how many, and moves
 * the others to the end.
 */
static uint16_t
steer_part(struct rte_vduse_net *net, const struct steer_burst *burst, struct rte_mbuf **mbufs,
	   uint16_t nb)
{
	uint64_t left = UINT64_MAX >> (RTE_VDUSE_BURST_MAX - nb), kept = 0, bits;
	struct rte_mbuf *row[RTE_VDUSE_BURST_MAX];
	uint8_t at[RTE_VDUSE_BURST_MAX];
	uint16_t pairs[RTE_VDUSE_BURST_MAX], i, n, to = nb;

	for (i = 0; i < nb; i++) {
		pairs[i] = burst->own;
		if (burst->rss)
			pairs[i] = steer_rss(burst, mbufs[i]);
		else if (net->steer->learns)
			pairs[i] = steer_learned(burst, mbufs[i]);
	}
	while (left != 0) {
		uint16_t pair = pairs[rte_bsf64(left)];

		for (bits = left, n = 0; bits != 0; bits &= bits - 1) {
			i = (uint16_t)rte_bsf64(bits);
			if (pairs[i] != pair)
				continue;
			left &= ~(UINT64_C(1) << i);
			at[n] = (uint8_t)i;
			row[n++] = mbufs[i];
		}
		for (i = steer_send(net, pair, row, n); i < n; i++)
			kept |= UINT64_C(1) << at[i];
	}
	for (i = nb; kept != 0 && i > 0; i--)
		if ((kept >> (i - 1) & 1) != 0)
			mbufs[--to] = mbufs[i - 1];
	return kept != 0 ? to : nb;
}

uint16_t
vnet_steer_tx(struct rte_vduse_net *net, uint16_t pair, struct rte_mbuf **mbufs, uint16_t nb)
{
	struct steer_burst burst;
	uint16_t done = 0, sent, n;

	steer_begin(&burst, net, pair);
	while (done < nb) {
		n = RTE_MIN((uint16_t)(nb - done), RTE_VDUSE_BURST_MAX);
		sent = steer_part(net, &burst, mbufs + done, n);
		done = (uint16_t)(done + sent);
		/* The driver or another thread is slow: the caller tries again later. */
		if (sent < n)
			break;
	}
	return done;
}
