/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* The packets of a network device that sends back what it gets. */
#ifndef SUSPEND_NET_H
#define SUSPEND_NET_H

#include "load.h"

extern const struct load_ops net_rx_ops;
extern const struct load_ops net_tx_ops;

/* From now on sends no packet. */
void
net_stop(void);

/* What came back, and what did not. */
void
net_report(void);

#endif
