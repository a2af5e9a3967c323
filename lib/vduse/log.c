/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The rate limit for log lines that a driver can cause: a token bucket without a lock.
 * Input: a line that is about to be written. Output: whether it may be.
 * Thread: any, the polling ones included.
 */
#include <rte_cycles.h>

#include "log.h"

bool
vduse_log_may(struct vduse_log_rate *rate, const char *name)
{
	const uint64_t second = rte_get_timer_hz(), now = rte_get_timer_cycles();
	uint64_t full = __atomic_load_n(&rate->full, __ATOMIC_RELAXED), next;
	uint32_t suppressed;

	/* Each line moves the time at which the bucket is full by a second. */
	do {
		next = (full > now ? full : now) + second;
		if (next - now > VDUSE_LOG_BURST * second) {
			__atomic_add_fetch(&rate->suppressed, 1, __ATOMIC_RELAXED);
			return false;
		}
	} while (!__atomic_compare_exchange_n(&rate->full, &full, next, false, __ATOMIC_RELAXED,
					      __ATOMIC_RELAXED));
	suppressed = __atomic_exchange_n(&rate->suppressed, 0, __ATOMIC_RELAXED);
	if (suppressed > 0)
		VDUSE_LOG(dev, WARNING, name, "%u log lines suppressed: its driver causes too many",
			  suppressed);
	return true;
}
