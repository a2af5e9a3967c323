/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Registers the events of disks with EAL, when the library is loaded.
 * Thread: the one that loads the library.
 */
#include <rte_trace_point_register.h>

#include <virtio_blk/trace.h>

RTE_TRACE_POINT_REGISTER(vduse_trace_blk_wake, lib.virtio_blk.wake)
RTE_TRACE_POINT_REGISTER(vduse_trace_blk_take, lib.virtio_blk.take)
RTE_TRACE_POINT_REGISTER(vduse_trace_blk_submit, lib.virtio_blk.submit)
RTE_TRACE_POINT_REGISTER(vduse_trace_blk_complete, lib.virtio_blk.complete)
RTE_TRACE_POINT_REGISTER(vduse_trace_blk_used, lib.virtio_blk.used)
