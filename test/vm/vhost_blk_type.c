/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * The one call that DPDK's examples/vhost_blk needs to serve a VDUSE path: that it is a disk.
 * Linked with --wrap=rte_vhost_driver_register.
 */
#include <linux/virtio_ids.h>

#include <rte_vduse_vhost.h>

int
__real_rte_vhost_driver_register(const char *path, uint64_t flags);
int
__wrap_rte_vhost_driver_register(const char *path, uint64_t flags);

int
__wrap_rte_vhost_driver_register(const char *path, uint64_t flags)
{
	/* The example counts requests in eight bits. */
	const struct rte_vduse_vhost_conf conf = {
		.device_id = VIRTIO_ID_BLOCK,
		.nb_vqs = 1,
		.queue_size = 128,
	};
	int ret = __real_rte_vhost_driver_register(path, flags);

	return ret < 0 ? ret : rte_vduse_vhost_configure(path, &conf);
}
