/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Events of bursts of packets: lib.virtio_net.* of --trace, recorded with VDUSE_TRACE(). A burst
 * without packets is not recorded, because a poller makes millions of them a second.
 * Thread: polling.
 */
#ifndef VIRTIO_NET_TRACE_H
#define VIRTIO_NET_TRACE_H

#include <rte_trace_point.h>

#include <compat/trace.h>

/* Hidden: a site tests its trace point with one instruction, without the global offset table. */
#pragma GCC visibility push(hidden)

/* nb packets came from the driver, respectively went to it. */
RTE_TRACE_POINT(vduse_trace_net_rx, RTE_TRACE_POINT_ARGS(const char *dev, uint16_t vq, uint16_t nb),
		rte_trace_point_emit_string(dev);
		rte_trace_point_emit_u16(vq); rte_trace_point_emit_u16(nb);)
RTE_TRACE_POINT(vduse_trace_net_tx, RTE_TRACE_POINT_ARGS(const char *dev, uint16_t vq, uint16_t nb),
		rte_trace_point_emit_string(dev);
		rte_trace_point_emit_u16(vq); rte_trace_point_emit_u16(nb);)

#pragma GCC visibility pop

#endif /* VIRTIO_NET_TRACE_H */
