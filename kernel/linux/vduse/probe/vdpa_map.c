// SPDX-License-Identifier: GPL-2.0-only
// SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
/* Do vDPA devices bring mapping operations of their own? */
#include <linux/vdpa.h>

struct probe {
	struct vdpa_device vdpa;
};

struct probe *probe(const struct vdpa_config_ops *ops, const struct virtio_map_ops *map);

struct probe *probe(const struct vdpa_config_ops *ops, const struct virtio_map_ops *map)
{
	return vdpa_alloc_device(struct probe, vdpa, NULL, ops, map, 1, 1, NULL, true);
}
