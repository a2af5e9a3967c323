/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
#ifndef RTE_VDUSE_VHOST_H
#define RTE_VDUSE_VHOST_H

/**
 * @file
 * rte_vhost.h for VDUSE devices: what vhost has no word for.
 *
 * librte_vduse_vhost, linked ahead of DPDK's librte_vhost or preloaded, serves the functions of
 * rte_vhost.h for paths below /dev/vduse/ and hands all others on. A path is a network device
 * of one queue pair unless this call, between rte_vhost_driver_register() and
 * rte_vhost_driver_start(), says something else.
 */

#include <stdint.h>

#include <rte_vduse.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What a registered path becomes. Fields that are 0 or NULL leave what was there. */
struct rte_vduse_vhost_conf {
	uint32_t device_id;  /**< Device type (VIRTIO 1.2, section 5): 1 network, 2 block. */
	uint16_t nb_vqs;     /**< Virtqueues; of a network device two for each pair. */
	uint16_t queue_size; /**< Largest virtqueue, a power of two, 2 to 32768. */
	/**
	 * Configuration space; copied. Of a network device a struct virtio_net_config, of which
	 * the MAC address and the MTU (0: none announced) count. Other devices need one, here or
	 * from the handler of rte_vhost_extern_callback_register(), asked for
	 * VHOST_USER_GET_CONFIG.
	 */
	const void *config;
	uint32_t config_size; /**< Its bytes, up to RTE_VDUSE_VHOST_CONFIG_MAX. */
	/**
	 * Whom rte_vhost_driver_start() gives the device to. RTE_VDUSE_ATTACH_NONE leaves that
	 * to "vdpa dev add", or to DPDK_VDUSE_ATTACH in the environment (none, virtio, vhost).
	 */
	enum rte_vduse_attach attach;
};

/** Largest configuration space. */
#define RTE_VDUSE_VHOST_CONFIG_MAX 256

/**
 * Says what a path is. Any thread.
 *
 * @return 0; -ENOENT (path is not registered), -EBUSY (it was started), -EINVAL (a number out
 *   of range), with one log line.
 */
int
rte_vduse_vhost_configure(const char *path, const struct rte_vduse_vhost_conf *conf);

#ifdef __cplusplus
}
#endif

#endif /* RTE_VDUSE_VHOST_H */
