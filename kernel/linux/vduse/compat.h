/* SPDX-License-Identifier: GPL-2.0-only */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Differences between kernels. probe/ detects them when the module is built,
 * because distributions backport interfaces.
 */
#ifndef VDUSE_COMPAT_H
#define VDUSE_COMPAT_H

#include <linux/vdpa.h>

#include "vduse.h"

/* In older kernels a work queue that is not unbound is per CPU. */
#ifdef VDUSE_HAVE_WQ_PERCPU
#define VDUSE_WQ_PERCPU	WQ_PERCPU
#else
#define VDUSE_WQ_PERCPU	0
#endif

/* Addresses are those of the process: vhost_vdpa passes files, not pages. */
#ifdef VDUSE_HAVE_VDPA_MAP
extern const struct virtio_map_ops vduse_virtio_map_ops;
#define vduse_vdpa_alloc(parent, ops, ngroups, nas, name)			\
	vdpa_alloc_device(struct vduse_vdpa, vdpa, parent, ops,			\
			  &vduse_virtio_map_ops, ngroups, nas, name, true)
#else
#define vduse_vdpa_alloc(parent, ops, ngroups, nas, name)			\
	vdpa_alloc_device(struct vduse_vdpa, vdpa, parent, ops, ngroups, nas, name, true)
#endif

#endif
