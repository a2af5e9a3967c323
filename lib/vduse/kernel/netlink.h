/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * The vDPA bus: what "vdpa dev add", "vdpa dev del" and binding a driver do, over generic
 * netlink and sysfs. In flow names, out flow requests to the kernel. Every call may block
 * while the kernel probes or removes a driver, which needs the control thread: never call
 * them there.
 */
#ifndef VDUSE_NETLINK_H
#define VDUSE_NETLINK_H

#include <stdint.h>

#include <rte_vduse.h>

/* What the vDPA bus knows of a device. */
struct vduse_vdpa_info {
	uint32_t device_id;
	uint32_t max_vqs;
	uint16_t max_vq_size;
	uint64_t features; /* what the device offers; 0 where the kernel does not tell */
};

/*
 * Adds the VDUSE device name to the bus. 0, -EEXIST, -ENOENT (no vdpa), or the kernel's.
 * Here and below -EEXIST and -ENODEV are answers, not failures, and not logged.
 */
int
vduse_vdpa_add(const char *name);

/* Takes a device off the bus. 0, -ENODEV if it is not there, or the kernel's answer. */
int
vduse_vdpa_del(const char *name);

/* Asks for a device on the bus. 0, -ENODEV if it is not there, or the kernel's answer. */
int
vduse_vdpa_get(const char *name, struct vduse_vdpa_info *info);

/* Says so, with one log line, if another driver has a device than the one that attach names. */
void
vduse_vdpa_compare(const char *name, enum rte_vduse_attach attach);

/*
 * Adds (it may be there already) and binds, and takes back what it did when it fails. One log line
 * says what failed and what to do. 0 or a negative errno.
 */
int
vduse_vdpa_attach(const char *name, enum rte_vduse_attach attach);

#endif /* VDUSE_NETLINK_H */
