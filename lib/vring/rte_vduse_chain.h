/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
#ifndef RTE_VDUSE_CHAIN_H
#define RTE_VDUSE_CHAIN_H

/**
 * @file
 * Chains of descriptors, as a device type takes them from a virtqueue and gives them back. Nothing
 * here is shared: a chain belongs to the polling thread that took it. Sections are those of the
 * Virtual I/O Device (VIRTIO) specification 1.2.
 */

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Most chains that one call of rte_vduse_vq_dequeue() takes. */
#define RTE_VDUSE_BURST_MAX 64

/** A piece of a driver's buffer that is contiguous in this process. */
struct rte_vduse_buf {
	uint8_t *va;  /**< Its address in this process. */
	uint32_t len; /**< Its length, bytes. */
};

/**
 * One descriptor chain (sections 2.7.5 and 2.8.5): nb_out pieces to read, then nb_in pieces to
 * write.
 */
struct rte_vduse_chain {
	struct rte_vduse_buf
		*bufs;     /**< The pieces; valid until the next rte_vduse_vq_dequeue() or leave.
			    * A chain that is used later has NULL here, see
			    * rte_vduse_vq_written().
			    */
	uint32_t out_len;  /**< Bytes to read; at most UINT32_MAX is said. */
	uint32_t in_len;   /**< Bytes that may be written; at most UINT32_MAX is said. */
	uint32_t used_len; /**< Bytes written; the device type sets it. */
	uint16_t nb_out;   /**< Number of pieces to read. */
	uint16_t nb_in;    /**< Number of pieces to write, after those to read. */
	uint16_t head;     /**< Id of the chain in its ring; not to be changed. */
	uint16_t nb_descs; /**< Descriptors of the ring that it takes, without indirect ones. */
};

#ifdef __cplusplus
}
#endif

#endif /* RTE_VDUSE_CHAIN_H */
