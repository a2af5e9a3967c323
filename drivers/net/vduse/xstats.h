/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Statistics of a port. They count from the creation of the device on, whether attached or not.
 * Input: the counters of lib/virtio_net and lib/vduse. Output: ethdev's structures. Thread: any.
 */
#ifndef VDUSE_XSTATS_H
#define VDUSE_XSTATS_H

#include <stdint.h>

#include "compat.h"

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
