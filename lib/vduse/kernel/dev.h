/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Devices in /dev/vduse: creation, take-over of one that a dead process left, and removal.
 * Thread: the one that creates or destroys the device, never control.
 */
#ifndef VDUSE_KERNEL_DEV_H
#define VDUSE_KERNEL_DEV_H

struct rte_vduse_dev;
struct rte_vduse_dev_conf;
struct rte_vduse_left;

/* The transport's operation left. */
int
vduse_kernel_left(const char *path, void *priv, struct rte_vduse_left *left);

/* The transport's operation groups. */
int
vduse_kernel_groups(void);

int
vduse_kernel_create(struct rte_vduse_dev *dev, const struct rte_vduse_dev_conf *conf);

void
vduse_kernel_destroy(struct rte_vduse_dev *dev);

#endif /* VDUSE_KERNEL_DEV_H */
