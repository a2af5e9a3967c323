/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Events of devices: lib.vduse.* of --trace, recorded with VDUSE_TRACE(). doc/guides/tracing.md
 * lists them. The names of values are those in the record.
 * Thread: control; the poller for call and iotlb_miss.
 */
#ifndef VDUSE_TRACE_H
#define VDUSE_TRACE_H

#include <rte_trace_point.h>

#include <compat/trace.h>

/* Hidden: a site tests its trace point with one instruction, without the global offset table. */
#pragma GCC visibility push(hidden)

/* Messages. request and type: numbers of the vhost-user or VDUSE protocol. */
RTE_TRACE_POINT(vduse_trace_vhost_user_msg,
		RTE_TRACE_POINT_ARGS(const char *dev, uint32_t request, uint32_t size,
				     uint32_t nb_fds),
		rte_trace_point_emit_string(dev);
		rte_trace_point_emit_u32(request); rte_trace_point_emit_u32(size);
		rte_trace_point_emit_u32(nb_fds);)
RTE_TRACE_POINT(vduse_trace_vduse_msg,
		RTE_TRACE_POINT_ARGS(const char *dev, uint32_t type, uint32_t request_id),
		rte_trace_point_emit_string(dev);
		rte_trace_point_emit_u32(type); rte_trace_point_emit_u32(request_id);)

/* The driver's status, once it is in effect. */
RTE_TRACE_POINT(vduse_trace_status, RTE_TRACE_POINT_ARGS(const char *dev, uint8_t status),
		rte_trace_point_emit_string(dev);
		rte_trace_point_emit_u8(status);)

/* Memory. A table of regions is replaced as a whole: all are added, then all old ones removed. */
RTE_TRACE_POINT(vduse_trace_region_add,
		RTE_TRACE_POINT_ARGS(const char *dev, uint64_t iova, uint64_t size, const void *va),
		rte_trace_point_emit_string(dev);
		rte_trace_point_emit_u64(iova); rte_trace_point_emit_u64(size);
		rte_trace_point_emit_ptr(va);)
RTE_TRACE_POINT(vduse_trace_region_remove,
		RTE_TRACE_POINT_ARGS(uint64_t iova, uint64_t size, const void *va),
		rte_trace_point_emit_u64(iova);
		rte_trace_point_emit_u64(size); rte_trace_point_emit_ptr(va);)
RTE_TRACE_POINT(vduse_trace_iotlb_miss,
		RTE_TRACE_POINT_ARGS(const char *dev, uint16_t vq, uint64_t iova, uint8_t write),
		rte_trace_point_emit_string(dev);
		rte_trace_point_emit_u16(vq); rte_trace_point_emit_u64(iova);
		rte_trace_point_emit_u8(write);)
RTE_TRACE_POINT(vduse_trace_iotlb_update,
		RTE_TRACE_POINT_ARGS(const char *dev, uint32_t asid, uint64_t first, uint64_t last),
		rte_trace_point_emit_string(dev);
		rte_trace_point_emit_u32(asid); rte_trace_point_emit_u64(first);
		rte_trace_point_emit_u64(last);)

/* Virtqueues. kick: from the driver, seen by the control thread. call: to the driver. */
RTE_TRACE_POINT(vduse_trace_vq_start,
		RTE_TRACE_POINT_ARGS(const char *dev, uint16_t vq, uint32_t size,
				     uint32_t position),
		rte_trace_point_emit_string(dev);
		rte_trace_point_emit_u16(vq); rte_trace_point_emit_u32(size);
		rte_trace_point_emit_u32(position);)
RTE_TRACE_POINT(vduse_trace_vq_stop, RTE_TRACE_POINT_ARGS(const char *dev, uint16_t vq),
		rte_trace_point_emit_string(dev);
		rte_trace_point_emit_u16(vq);)
RTE_TRACE_POINT(vduse_trace_kick, RTE_TRACE_POINT_ARGS(const char *dev, uint16_t vq),
		rte_trace_point_emit_string(dev);
		rte_trace_point_emit_u16(vq);)
RTE_TRACE_POINT(vduse_trace_call, RTE_TRACE_POINT_ARGS(const char *dev, uint16_t vq),
		rte_trace_point_emit_string(dev);
		rte_trace_point_emit_u16(vq);)

#pragma GCC visibility pop

#endif /* VDUSE_TRACE_H */
