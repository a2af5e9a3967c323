/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * The vDPA bus: what "vdpa dev add", "vdpa dev del" and binding a driver do, over generic netlink
 * and sysfs.
 * Input: names of devices. Output: requests to the kernel.
 * Thread: any but control. A call blocks while the kernel probes or removes a driver, which needs
 * answers of the control thread.
 */
#ifndef VDUSE_NETLINK_H
#define VDUSE_NETLINK_H

#include <stdint.h>

#include <rte_vduse.h>

/* A device on the vDPA bus. */
struct vduse_vdpa_info {
	uint32_t device_id;
	uint32_t max_vqs;
	uint16_t max_vq_size;
	uint64_t features; /* that the device offers; 0 if the kernel does not report them */
};

/*
 * Adds the VDUSE device name to the bus. Returns 0, -EEXIST, -ENOENT (no vdpa), or another error of
 * the kernel. Here and below, -EEXIST and -ENODEV are not logged.
 */
int
vduse_vdpa_add(const char *name);

/* Removes a device from the bus. Returns 0, -ENODEV if it is not there, or the kernel's error. */
int
vduse_vdpa_del(const char *name);

/* Queries a device on the bus. Returns 0, -ENODEV if it is not there, or the kernel's error. */
int
vduse_vdpa_get(const char *name, struct vduse_vdpa_info *info);

/* Logs one line if a device is bound to another driver than the one for attach. */
void
vduse_vdpa_compare(const char *name, enum rte_vduse_attach attach);

/* Whether a device is bound to the driver for attach. */
bool
vduse_vdpa_is_bound(const char *name, enum rte_vduse_attach attach);

/*
 * Adds a device to the bus, if it is not there, and binds it to the driver for attach. Undoes that
 * and logs one line if it fails. Returns 0 or a negative errno.
 */
int
vduse_vdpa_attach(const char *name, enum rte_vduse_attach attach);

#endif /* VDUSE_NETLINK_H */
