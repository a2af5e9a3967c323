/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Counters of queues. The polling thread counts a burst at a time; any thread reads.
 */
#include <string.h>

#include "net.h"

/* <64, 64, 65-127, 128-255, 256-511, 512-1023, 1024-1518, larger: as RFC 2819 has them. */
static inline unsigned int
stats_bin(uint32_t len)
{
	if (len < 64)
		return 0;
	if (len == 64)
		return 1;
	if (len < 1024)
		return (unsigned int)(32 - __builtin_clz(len)) - 5;
	return len <= 1518 ? 6 : 7;
}

void
vnet_stats_count(struct rte_vduse_net_stats *stats, struct rte_mbuf *const *mbufs, uint16_t nb)
{
	uint64_t bytes = 0;
	uint16_t i;

	for (i = 0; i < nb; i++) {
		const struct rte_ether_addr *dst =
			rte_pktmbuf_mtod(mbufs[i], const struct rte_ether_addr *);
		uint32_t len = mbufs[i]->pkt_len;

		bytes += len;
		vnet_stats_add(&stats->size_bins[stats_bin(len)], 1);
		if (unlikely(rte_is_multicast_ether_addr(dst)))
			vnet_stats_add(rte_is_broadcast_ether_addr(dst) ? &stats->broadcast
									: &stats->multicast,
				       1);
	}
	vnet_stats_add(&stats->packets, nb);
	vnet_stats_add(&stats->bytes, bytes);
}

void
rte_vduse_net_stats(const struct rte_vduse_net *net, uint16_t pair, bool rx,
		    struct rte_vduse_net_stats *stats)
{
	const uint64_t *from = (const uint64_t *)&net->queues[2 * pair + rx].stats;
	uint64_t *to = (uint64_t *)stats;
	size_t i;

	for (i = 0; i < sizeof(*stats) / sizeof(uint64_t); i++)
		to[i] = __atomic_load_n(&from[i], __ATOMIC_RELAXED);
}

void
rte_vduse_net_stats_reset(struct rte_vduse_net *net, uint16_t pair, bool rx)
{
	uint64_t *counter = (uint64_t *)&net->queues[2 * pair + rx].stats;
	size_t i;

	for (i = 0; i < sizeof(struct rte_vduse_net_stats) / sizeof(uint64_t); i++)
		__atomic_store_n(&counter[i], 0, __ATOMIC_RELAXED);
}
