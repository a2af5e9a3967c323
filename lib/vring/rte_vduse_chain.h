/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
#ifndef RTE_VDUSE_CHAIN_H
#define RTE_VDUSE_CHAIN_H

/**
 * @file
 * Chains of descriptors as a device type takes them from a virtqueue, and gives them back.
 */

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Chains that one call takes at most. */
#define RTE_VDUSE_BURST_MAX 64

/** A piece of a driver's buffer, contiguous in our memory. */
struct rte_vduse_buf {
	uint8_t *va;  /**< Where it is. */
	uint32_t len; /**< Bytes. */
};

/** One descriptor chain (section 2.6): nb_out pieces to read, then nb_in pieces to write. */
struct rte_vduse_chain {
	struct rte_vduse_buf *bufs; /**< Valid until the next call that takes chains. */
	uint32_t out_len;           /**< Bytes to read; saturates at UINT32_MAX. */
	uint32_t in_len;            /**< Bytes that may be written; saturates as well. */
	uint32_t used_len;          /**< To be set: bytes that the device wrote. */
	uint16_t nb_out;            /**< Pieces to read. */
	uint16_t nb_in;             /**< Pieces to write, behind those. */
	uint16_t head;              /**< The ring's name of it. */
	uint16_t nb_descs;          /**< Descriptors of the ring itself that it takes. */
};

#ifdef __cplusplus
}
#endif

#endif /* RTE_VDUSE_CHAIN_H */
