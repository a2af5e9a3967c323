/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * The fault-injecting backend, for tests: passes operations to another backend (under=) and delays
 * them or makes them fail. Thread: any.
 */
#ifndef VBLK_BACKEND_FAULT_H
#define VBLK_BACKEND_FAULT_H

#include <virtio_blk/backend/backend.h>

/* The next nb operations of this kind (RTE_VDUSE_BLK_OPS: any) fail with result and are not done. */
void
vblk_fault_fail(struct rte_vduse_blk_backend *backend, enum rte_vduse_blk_op op, int result,
		unsigned int nb);

/* Holds finished operations, or stops doing so. */
void
vblk_fault_hold(struct rte_vduse_blk_backend *backend, bool hold);

/* Releases nb held operations, the newest first if newest is set, else the oldest. */
void
vblk_fault_release(struct rte_vduse_blk_backend *backend, unsigned int nb, bool newest);

/* Number of held operations. */
unsigned int
vblk_fault_held(struct rte_vduse_blk_backend *backend);

/* Limits a submit to nb operations. 0: none; UINT16_MAX: any number. */
void
vblk_fault_narrow(struct rte_vduse_blk_backend *backend, uint16_t nb);

#endif /* VBLK_BACKEND_FAULT_H */
