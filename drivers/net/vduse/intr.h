/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* Receive interrupts of a port. */
#ifndef VDUSE_INTR_H
#define VDUSE_INTR_H

#include <stdint.h>

struct rte_eth_dev;

/* Sets dev->intr_handle as the configuration of the port says. Thread: the application's control. */
int
vduse_intr_configure(struct rte_eth_dev *dev);

/* Frees it. Thread: the application's control. */
void
vduse_intr_free(struct rte_eth_dev *dev);

/* Thread: the one that polls the queue. */
int
vduse_intr_enable(struct rte_eth_dev *dev, uint16_t id);

int
vduse_intr_disable(struct rte_eth_dev *dev, uint16_t id);

#endif /* VDUSE_INTR_H */
