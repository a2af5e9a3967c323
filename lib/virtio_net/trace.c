/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Registers the events of bursts with EAL, when the library is loaded.
 * Thread: the one that loads the library.
 */
#include <rte_trace_point_register.h>

#include <virtio_net/trace.h>

RTE_TRACE_POINT_REGISTER(vduse_trace_net_rx, lib.virtio_net.rx)
RTE_TRACE_POINT_REGISTER(vduse_trace_net_tx, lib.virtio_net.tx)
