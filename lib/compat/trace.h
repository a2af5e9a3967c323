/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * An event for both ways of tracing: a DPDK trace point (--trace of EAL), and a USDT probe of the
 * provider dpdk_vduse if sys/sdt.h was there at build time.
 * Input: an event and its values. Output: a record, if one of the two is enabled.
 * Thread: any.
 */
#ifndef COMPAT_TRACE_H
#define COMPAT_TRACE_H

#include <rte_branch_prediction.h>
#include <rte_vduse_compat.h>

#ifdef VDUSE_HAVE_SDT
#define SDT_USE_VARIADIC
#include <sys/sdt.h>
#define VDUSE_PROBE(event, ...) STAP_PROBEV(dpdk_vduse, event, __VA_ARGS__)
#else
#define VDUSE_PROBE(event, ...)
#endif

/*
 * Records an event. A trace.h defines the trace point vduse_trace_EVENT; the probe has the same
 * values. They may be evaluated twice and while nobody traces: pass variables and fields only. The
 * trace point is tested here, so that a disabled event does not load its values: it costs a load, a
 * branch that is not taken and a nop. Relaxed: the trace point itself loads with acquire.
 */
#define VDUSE_TRACE(event, ...)                                                                    \
	do {                                                                                       \
		if (unlikely(rte_atomic_load_explicit(&__vduse_trace_##event,                      \
						      rte_memory_order_relaxed) &                  \
			     __RTE_TRACE_FIELD_ENABLE_MASK))                                       \
			vduse_trace_##event(__VA_ARGS__);                                          \
		VDUSE_PROBE(event, __VA_ARGS__);                                                   \
	} while (0)

#endif /* COMPAT_TRACE_H */
