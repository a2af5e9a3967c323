/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
#ifndef RTE_VDUSE_STATE_H
#define RTE_VDUSE_STATE_H

/**
 * @file
 * State that survives the process, for device types.
 *
 * A device has a state file under /run/vduse (or DPDK_VDUSE_RUN_DIR). It holds what the device
 * offered, what its driver accepted and, for each virtqueue, a part whose content belongs to the
 * device type. After a process is killed, the next one reads it and goes on. A device type asks
 * rte_vduse_dev_left() before it creates a device, offers what that driver accepted, then opens
 * the file and its parts. One process at a time has a state file open.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rte_vduse.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Bytes of a configuration space that are kept; a longer one is cut off. */
#define RTE_VDUSE_LEFT_CONFIG_MAX 256

/** A device that a dead process left, and that a driver may still use. */
struct rte_vduse_left {
	uint32_t device_id;   /**< Device type (section 5). */
	uint16_t nb_vqs;      /**< Virtqueues. */
	uint16_t vq_size;     /**< Largest virtqueue that was announced, descriptors. */
	uint64_t offered;     /**< Features that were offered; 0: unknown. */
	uint64_t features;    /**< Features that the driver accepted. */
	uint32_t config_size; /**< Bytes of config that are known; 0: none. */
	bool has_parts;       /**< Its virtqueues have parts in the state file. */
	uint8_t config[RTE_VDUSE_LEFT_CONFIG_MAX]; /**< Configuration space (section 2.5). */
};

/** Memory of one virtqueue in the state file. */
struct rte_vduse_part {
	void *data;  /**< Mapped memory; NULL: closed. */
	size_t size; /**< Its bytes, a multiple of a page. */
	bool kept;   /**< Written by a process that was killed; otherwise zeroed. */
};

/**
 * Reads what a dead process left at the path of a device, if a driver may still use it.
 *
 * Any thread but the control thread.
 *
 * @param path
 *   See struct rte_vduse_dev_conf, as are the next two.
 * @param transport
 *   NULL: the one that path names.
 * @param transport_priv
 *   The transport's.
 * @param[out] left
 *   What was left; written if 0 is returned.
 * @return
 *   0; -ENOENT: nothing was left, a process serves the device, or path names no device.
 */
int
rte_vduse_dev_left(const char *path, const struct vduse_transport_ops *transport,
		   void *transport_priv, struct rte_vduse_left *left);

/**
 * Tells whether a device is one that a dead process left: its driver goes on with what it accepted.
 *
 * Any thread.
 *
 * @param dev
 *   The device.
 * @return
 *   Whether it was taken over.
 */
bool
rte_vduse_dev_taken_over(const struct rte_vduse_dev *dev);

/**
 * Opens the state file of a device that was created. What a killed process wrote counts if the
 * device was taken over from it, or is a socket, and if it is of the same version and device type.
 * Does nothing if the file is open. Any thread but the control thread, one at a time.
 *
 * @param dev
 *   The device.
 * @param quiet
 *   Do not log a failure.
 * @return
 *   0; -EBUSY: another process has it open; -EPROTO: another version of this library wrote it for
 *   a driver that is still there; or the negative errno of the file system. One log line, unless
 *   quiet is set.
 */
int
rte_vduse_state_open(struct rte_vduse_dev *dev, bool quiet);

/**
 * Opens the part of a virtqueue. A part that was kept stays if it is large enough; else a new one
 * replaces it once it exists. The state file must be open. One thread at a time for a device.
 *
 * @param dev
 *   The device.
 * @param index
 *   The virtqueue.
 * @param size
 *   Bytes; 0: the part that exists, whatever its size.
 * @param[in,out] part
 *   Zeroed, or open already. Unchanged on failure.
 * @return
 *   0; -ENOENT: size is 0 and there is none; -ENOSPC or another negative errno of the file system,
 *   with one log line.
 */
int
rte_vduse_part_open(struct rte_vduse_dev *dev, uint16_t index, size_t size,
		    struct rte_vduse_part *part);

/**
 * Unmaps a part; its content stays in the file. The thread that opened it.
 *
 * @param part
 *   The part; one that is closed or zeroed is left alone.
 */
void
rte_vduse_part_close(struct rte_vduse_part *part);

/**
 * Tells where state files are, and creates that folder if it does not exist.
 *
 * Any thread.
 *
 * @return
 *   DPDK_VDUSE_RUN_DIR of the environment, or /run/vduse.
 */
const char *
rte_vduse_state_dir(void);

#ifdef __cplusplus
}
#endif

#endif /* RTE_VDUSE_STATE_H */
