/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Statistics of a port. They count from the creation of the device on, whether attached or not.
 * Input: the counters of lib/virtio_net and lib/vduse. Output: ethdev's structures. Thread: any.
 */
#ifndef VDUSE_XSTATS_H
#define VDUSE_XSTATS_H

#include <stdint.h>

#include <rte_vduse.h>
#include <rte_vduse_net.h>

#include "compat.h"

struct vduse_port;

/* The statistics of one queue. */
struct xstats_queue {
	struct rte_vduse_net_stats net;
	uint64_t faults;
	uint64_t iotlb_misses;
	uint64_t need_reset;
	uint64_t running;
	uint64_t vlan_drops; /* Tx only; counted in net.drops too */
};

/* The statistics of the device. */
struct xstats_device {
	struct rte_vduse_dev_stats dev;
	uint64_t broken;
};

/* Primary process: reads the statistics of the device. */
void
vduse_xstats_device_read(const struct vduse_port *port, struct xstats_device *out);

/* The same of a queue. Rx queues are numbered first, then Tx queues. */
void
vduse_xstats_queue_read(const struct vduse_port *port, unsigned int queue,
			struct xstats_queue *out);

int
vduse_stats_reset(struct rte_eth_dev *dev);

int
vduse_xstats_get(struct rte_eth_dev *dev, struct rte_eth_xstat *xstats, unsigned int nb);

int
vduse_xstats_get_by_id(struct rte_eth_dev *dev, const uint64_t *ids, uint64_t *values,
		       unsigned int nb);

int
vduse_xstats_get_names(struct rte_eth_dev *dev, struct rte_eth_xstat_name *names, unsigned int nb);

#endif /* VDUSE_XSTATS_H */
