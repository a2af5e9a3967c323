/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Events of a request of a disk: lib.virtio_blk.* of --trace, recorded with VDUSE_TRACE().
 * doc/guides/tracing.md lists them. dev, vq and head identify the request until it is used.
 * Thread: polling; control while it stops a queue.
 */
#ifndef VIRTIO_BLK_TRACE_H
#define VIRTIO_BLK_TRACE_H

#include <rte_trace_point.h>

#include <compat/trace.h>

/* Hidden: a site tests its trace point with one instruction, without the global offset table. */
#pragma GCC visibility push(hidden)

/* An lcore that slept found work. */
RTE_TRACE_POINT(vduse_trace_blk_wake, RTE_TRACE_POINT_ARGS(const char *dev, uint16_t vq),
		rte_trace_point_emit_string(dev);
		rte_trace_point_emit_u16(vq);)
/* Its header was read, as the driver wrote it. out_len includes the header, in_len the status. */
RTE_TRACE_POINT(vduse_trace_blk_take,
		RTE_TRACE_POINT_ARGS(const char *dev, uint16_t vq, uint16_t head, uint32_t type,
				     uint64_t sector, uint32_t out_len, uint32_t in_len),
		rte_trace_point_emit_string(dev);
		rte_trace_point_emit_u16(vq); rte_trace_point_emit_u16(head);
		rte_trace_point_emit_u32(type); rte_trace_point_emit_u64(sector);
		rte_trace_point_emit_u32(out_len); rte_trace_point_emit_u32(in_len);)
/* The backend has an operation: the request or a part of it. op: enum rte_vduse_blk_op. */
RTE_TRACE_POINT(vduse_trace_blk_submit,
		RTE_TRACE_POINT_ARGS(const char *dev, uint16_t vq, uint16_t head, uint32_t op,
				     uint64_t offset, uint64_t len),
		rte_trace_point_emit_string(dev);
		rte_trace_point_emit_u16(vq); rte_trace_point_emit_u16(head);
		rte_trace_point_emit_u32(op); rte_trace_point_emit_u64(offset);
		rte_trace_point_emit_u64(len);)
RTE_TRACE_POINT(vduse_trace_blk_complete,
		RTE_TRACE_POINT_ARGS(const char *dev, uint16_t vq, uint16_t head, uint8_t status),
		rte_trace_point_emit_string(dev);
		rte_trace_point_emit_u16(vq); rte_trace_point_emit_u16(head);
		rte_trace_point_emit_u8(status);)
/* The driver can see its used entry. */
RTE_TRACE_POINT(vduse_trace_blk_used,
		RTE_TRACE_POINT_ARGS(const char *dev, uint16_t vq, uint16_t head),
		rte_trace_point_emit_string(dev);
		rte_trace_point_emit_u16(vq); rte_trace_point_emit_u16(head);)

#pragma GCC visibility pop

#endif /* VIRTIO_BLK_TRACE_H */
