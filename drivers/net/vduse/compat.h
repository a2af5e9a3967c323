/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* Differences between DPDK releases in the driver interface. meson detects them. */
#ifndef VDUSE_PMD_COMPAT_H
#define VDUSE_PMD_COMPAT_H

#include <stddef.h>
#include <string.h>

#include <ethdev_driver.h>

/* The type of an Rx queue count: uint32_t, from 25.11 on int. */
typedef __typeof__(((eth_rx_queue_count_t)NULL)(NULL)) vduse_rx_count_t;

#ifndef VDUSE_HAVE_ETH_QUEUE_STATS
/* Before 25.11 the counters of queues were part of struct rte_eth_stats. */
struct eth_queue_stats {
	uint64_t q_ipackets[RTE_ETHDEV_QUEUE_STAT_CNTRS];
	uint64_t q_opackets[RTE_ETHDEV_QUEUE_STAT_CNTRS];
	uint64_t q_ibytes[RTE_ETHDEV_QUEUE_STAT_CNTRS];
	uint64_t q_obytes[RTE_ETHDEV_QUEUE_STAT_CNTRS];
	uint64_t q_errors[RTE_ETHDEV_QUEUE_STAT_CNTRS];
};
#endif

/* Fills stats, and queues unless it is NULL. This is the interface from 25.11 on. */
int
vduse_stats_get(struct rte_eth_dev *dev, struct rte_eth_stats *stats,
		struct eth_queue_stats *queues);

#ifdef VDUSE_HAVE_ETH_QUEUE_STATS
#define VDUSE_STATS_GET vduse_stats_get
#else
static inline int
vduse_stats_get_compat(struct rte_eth_dev *dev, struct rte_eth_stats *stats)
{
	struct eth_queue_stats queues = { 0 };
	int ret;

	ret = vduse_stats_get(dev, stats, &queues);
	memcpy(stats->q_ipackets, queues.q_ipackets, sizeof(stats->q_ipackets));
	memcpy(stats->q_opackets, queues.q_opackets, sizeof(stats->q_opackets));
	memcpy(stats->q_ibytes, queues.q_ibytes, sizeof(stats->q_ibytes));
	memcpy(stats->q_obytes, queues.q_obytes, sizeof(stats->q_obytes));
	memcpy(stats->q_errors, queues.q_errors, sizeof(stats->q_errors));
	return ret;
}
#define VDUSE_STATS_GET vduse_stats_get_compat
#endif

#endif /* VDUSE_PMD_COMPAT_H */
