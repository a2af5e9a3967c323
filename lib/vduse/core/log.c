/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Log types, and the rate limit for log lines that a driver can cause: a lock-free token bucket.
 * Input: a line that is about to be written. Output: whether it may be.
 * Thread: any, including the polling threads.
 */
#include <rte_cycles.h>
#include <rte_vduse_compat.h>

#include <vduse/core/log.h>

RTE_LOG_REGISTER(vduse_logtype_dev, lib.vduse.dev, INFO);
RTE_LOG_REGISTER(vduse_logtype_msg, lib.vduse.msg, INFO);
RTE_LOG_REGISTER(vduse_logtype_iotlb, lib.vduse.iotlb, INFO);

bool
vduse_log_may(struct vduse_log_rate *rate, const char *name)
{
	const uint64_t second = rte_get_timer_hz(), now = rte_get_timer_cycles();
	uint64_t full = rte_atomic_load_explicit(&rate->full, rte_memory_order_relaxed), next;
	uint32_t suppressed;

	/* Each line takes a token, so the bucket is full one second later. */
	do {
		next = (full > now ? full : now) + second;
		if (next - now > VDUSE_LOG_BURST * second) {
			rte_atomic_fetch_add_explicit(&rate->suppressed, 1,
						      rte_memory_order_relaxed);
			return false;
		}
	} while (!rte_atomic_compare_exchange_strong_explicit(
		&rate->full, &full, next, rte_memory_order_relaxed, rte_memory_order_relaxed));
	suppressed = rte_atomic_exchange_explicit(&rate->suppressed, 0, rte_memory_order_relaxed);
	if (suppressed > 0)
		VDUSE_LOG(dev, WARNING, name, "%u log lines suppressed: its driver causes too many",
			  suppressed);
	return true;
}
