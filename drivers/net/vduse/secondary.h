/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* Ports in secondary processes. Thread: the one that probes or removes devices. */
#ifndef VDUSE_SECONDARY_H
#define VDUSE_SECONDARY_H

struct rte_vdev_device;

/* 0, or a negative errno with one log line. */
int
vduse_secondary_probe(struct rte_vdev_device *vdev);

int
vduse_secondary_remove(struct rte_vdev_device *vdev);

#endif /* VDUSE_SECONDARY_H */
