/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * The backend that goes wrong on order, for tests: it hands everything to another one (under=)
 * and changes when and how it comes back. All of these from any thread.
 */
#ifndef VBLK_BACKEND_FAULT_H
#define VBLK_BACKEND_FAULT_H

#include <virtio_blk/backend/backend.h>

/* The next nb operations of this kind (RTE_VDUSE_BLK_OPS: of any) fail with result, undone. */
void
vblk_fault_fail(struct rte_vduse_blk_backend *backend, enum rte_vduse_blk_op op, int result,
		unsigned int nb);

/* Finished operations are kept back, or not any more. */
void
vblk_fault_hold(struct rte_vduse_blk_backend *backend, bool hold);

/* Lets nb of those kept back go, the newest first if newest says so, else the oldest. */
void
vblk_fault_release(struct rte_vduse_blk_backend *backend, unsigned int nb, bool newest);

/* Operations that are kept back. */
unsigned int
vblk_fault_held(struct rte_vduse_blk_backend *backend);

/* It takes no more than nb operations at a time, or 0: none. UINT16_MAX: any number. */
void
vblk_fault_narrow(struct rte_vduse_blk_backend *backend, uint16_t nb);

#endif /* VBLK_BACKEND_FAULT_H */
