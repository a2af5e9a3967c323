/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Registers the events of devices with EAL, when the library is loaded.
 * Thread: the one that loads the library.
 */
#include <rte_trace_point_register.h>

#include <vduse/trace.h>

RTE_TRACE_POINT_REGISTER(vduse_trace_vhost_user_msg, lib.vduse.vhost_user_msg)
RTE_TRACE_POINT_REGISTER(vduse_trace_vduse_msg, lib.vduse.vduse_msg)
RTE_TRACE_POINT_REGISTER(vduse_trace_status, lib.vduse.status)
RTE_TRACE_POINT_REGISTER(vduse_trace_region_add, lib.vduse.region_add)
RTE_TRACE_POINT_REGISTER(vduse_trace_region_remove, lib.vduse.region_remove)
RTE_TRACE_POINT_REGISTER(vduse_trace_iotlb_miss, lib.vduse.iotlb_miss)
RTE_TRACE_POINT_REGISTER(vduse_trace_iotlb_update, lib.vduse.iotlb_update)
RTE_TRACE_POINT_REGISTER(vduse_trace_vq_start, lib.vduse.vq_start)
RTE_TRACE_POINT_REGISTER(vduse_trace_vq_stop, lib.vduse.vq_stop)
RTE_TRACE_POINT_REGISTER(vduse_trace_kick, lib.vduse.kick)
RTE_TRACE_POINT_REGISTER(vduse_trace_call, lib.vduse.call)
