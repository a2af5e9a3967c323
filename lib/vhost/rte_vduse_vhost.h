/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
#ifndef RTE_VDUSE_VHOST_H
#define RTE_VDUSE_VHOST_H

/**
 * @file
 * What DPDK's rte_vhost.h cannot say about a VDUSE device.
 *
 * librte_vduse_vhost, linked ahead of DPDK's librte_vhost or preloaded, serves the functions of
 * rte_vhost.h for paths below /dev/vduse/ and passes all others to librte_vhost. A path is a
 * network device of one queue pair unless this call, between rte_vhost_driver_register() and
 * rte_vhost_driver_start(), says something else. Sections are those of the Virtual I/O Device
 * (VIRTIO) specification 1.2.
 */

#include <stdint.h>

#include <rte_vduse.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Configuration of the device of a registered path. A field that is 0 or NULL leaves the value that
 * was there.
 */
struct rte_vduse_vhost_conf {
	uint32_t device_id;  /**< Device type, section 5: 1 network, 2 block. */
	uint16_t nb_vqs;     /**< Virtqueues; two per pair of a network device. */
	uint16_t queue_size; /**< Largest virtqueue, a power of two, 2 to 32768. */
	/**
	 * Configuration space (section 2.5); copied. Of a network device it is a struct
	 * virtio_net_config, of which the MAC address and the MTU (0: none announced) are used.
	 * Other devices need one, either here or from the handler of
	 * rte_vhost_extern_callback_register(), which is asked with VHOST_USER_GET_CONFIG.
	 */
	const void *config;
	uint32_t config_size; /**< Size of config, bytes, up to RTE_VDUSE_VHOST_CONFIG_MAX. */
	/**
	 * Driver to which rte_vhost_driver_start() binds the device. RTE_VDUSE_ATTACH_NONE: that
	 * of DPDK_VDUSE_ATTACH in the environment (none, virtio, vhost), or none.
	 */
	enum rte_vduse_attach attach;
};

/** Largest configuration space, bytes. */
#define RTE_VDUSE_VHOST_CONFIG_MAX 256

/**
 * Configures the device of a path, after rte_vhost_driver_register() and before
 * rte_vhost_driver_start(). On an error one log line says what failed.
 *
 * Any thread.
 *
 * @param path
 *   A path below /dev/vduse/ that is registered.
 * @param conf
 *   The configuration; copied.
 * @return
 *   0; -EINVAL (queue_size or config_size is out of range), -ENOENT (path is not registered) or
 *   -EBUSY (it was started already).
 */
int
rte_vduse_vhost_configure(const char *path, const struct rte_vduse_vhost_conf *conf);

#ifdef __cplusplus
}
#endif

#endif /* RTE_VDUSE_VHOST_H */
