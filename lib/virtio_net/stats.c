/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Counters of queues. Thread: polling writes, once per burst; any thread reads.
 */
#include <assert.h>
#include <string.h>

#include <rte_vduse_compat.h>

#include <vduse/conf.h>

#include <virtio_net/net.h>

/* The size bins of a burst are packed in one word, 8 bits each. */
#define STATS_BINS     8
#define STATS_WORD_MAX UINT8_MAX
static_assert(STATS_BINS == RTE_DIM(((struct rte_vduse_net_stats *)NULL)->size_bins), "one each");

/*
 * Bit position of the bin of a length: <64, 64, 65-127 and so on, as in RFC 2819. Lengths vary at
 * random in most traffic, so a table is faster than mispredicted branches.
 */
static const uint8_t stats_shift[] = {
	[0 ... 63] = 0,       [64] = 8,           [65 ... 127] = 16,
	[128 ... 255] = 24,   [256 ... 511] = 32, [512 ... 1023] = 40,
	[1024 ... 1518] = 48,
};
#define STATS_SHIFT_LARGER 56

/* Counts up to STATS_WORD_MAX packets. */
static void
stats_count_word(struct rte_vduse_net_stats *stats, struct rte_mbuf *const *mbufs, uint16_t nb)
{
	uint64_t bytes = 0, bins = 0;
	uint16_t i;

	for (i = 0; i < nb; i++) {
		const struct rte_ether_addr *dst =
			rte_pktmbuf_mtod(mbufs[i], const struct rte_ether_addr *);
		uint32_t len = mbufs[i]->pkt_len;

		bytes += len;
		bins += UINT64_C(1) << (likely(len < RTE_DIM(stats_shift)) ? stats_shift[len]
									   : STATS_SHIFT_LARGER);
		if (unlikely(rte_is_multicast_ether_addr(dst)))
			vnet_stats_add(rte_is_broadcast_ether_addr(dst) ? &stats->broadcast
									: &stats->multicast,
				       1);
	}
	for (i = 0; i < STATS_BINS; i++)
		vnet_stats_add(&stats->size_bins[i], (uint8_t)(bins >> (8 * i)));
	vnet_stats_add(&stats->packets, nb);
	vnet_stats_add(&stats->bytes, bytes);
}

void
vnet_stats_count(struct rte_vduse_net_stats *stats, struct rte_mbuf *const *mbufs, uint16_t nb)
{
	while (nb > 0) {
		uint16_t n = RTE_MIN(nb, STATS_WORD_MAX);

		stats_count_word(stats, mbufs, n);
		mbufs += n;
		nb = (uint16_t)(nb - n);
	}
}

void
rte_vduse_net_stats(const struct rte_vduse_net *net, uint16_t pair, bool rx,
		    struct rte_vduse_net_stats *stats, size_t size)
{
	const uint64_t *from = (const uint64_t *)&net->queues[2 * pair + rx].stats;
	uint64_t now[sizeof(*stats) / sizeof(uint64_t)];
	size_t i;

	for (i = 0; i < RTE_DIM(now); i++)
		now[i] = rte_atomic_load_explicit(&from[i], rte_memory_order_relaxed);
	vduse_conf_give(stats, size, now, sizeof(now));
}

void
rte_vduse_net_stats_reset(struct rte_vduse_net *net, uint16_t pair, bool rx)
{
	uint64_t *counter = (uint64_t *)&net->queues[2 * pair + rx].stats;
	size_t i;

	for (i = 0; i < sizeof(struct rte_vduse_net_stats) / sizeof(uint64_t); i++)
		rte_atomic_store_explicit(&counter[i], 0, rte_memory_order_relaxed);
}
