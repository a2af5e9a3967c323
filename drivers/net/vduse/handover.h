/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * A port that a newer process takes over: devarg handover=PATH. The functions do nothing for a port
 * without it. Thread: the application's control thread, unless said otherwise.
 */
#ifndef VDUSE_HANDOVER_PMD_H
#define VDUSE_HANDOVER_PMD_H

#include <stdbool.h>

struct rte_eth_dev;
struct vduse_port;

/*
 * Before the device is created: asks the process that listens at the path for the port, if there is
 * one. 0, or a negative errno with a log line: it serves on.
 */
int
vduse_handover_begin(struct rte_eth_dev *dev);

/* The device was started: it is ours. Listens at the path. Whether it came from another process. */
bool
vduse_handover_started(struct rte_eth_dev *dev);

/* Before the device is destroyed: waits for a handover that is under way. */
void
vduse_handover_end(struct rte_eth_dev *dev);

/* After the device was destroyed. */
void
vduse_handover_free(struct vduse_port *port);

/* Around what changes the device. False, and no leave: another process has it, or still has it. */
bool
vduse_handover_enter(struct vduse_port *port);
void
vduse_handover_leave(struct vduse_port *port);

/* Whether another process has the device. Any thread. */
bool
vduse_handover_given(const struct vduse_port *port);

#endif /* VDUSE_HANDOVER_PMD_H */
