/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Waits for requests in flight without blocking the control thread: the backend may take long, and
 * other devices need answers meanwhile.
 * Input: a device whose memory or virtqueues are about to change. Output: whether they may change.
 * Thread: control.
 */
#include <errno.h>

#include <rte_cycles.h>

#include <vduse/core/device.h>
#include <vduse/core/log.h>

/* The first call waits this long, in which most requests finish; later calls poll once. */
#define DRAIN_SPIN_US 200
#define DRAIN_WARN_S  5

int
vduse_drain(struct rte_vduse_dev *dev, uint16_t first, uint16_t nb, bool stop)
{
	uint64_t hz = rte_get_timer_hz(), now = rte_get_timer_cycles(), end = now;
	unsigned int left;
	uint16_t i;

	if (dev->drain_warn == 0) {
		end += hz * DRAIN_SPIN_US / US_PER_S;
		dev->drain_warn = now + DRAIN_WARN_S * hz;
	}
	do {
		left = 0;
		for (i = first; i < first + nb; i++)
			left += vduse_vq_drain(&dev->vqs[i], stop);
		now = rte_get_timer_cycles();
	} while (left > 0 && now < end);
	if (left == 0) {
		dev->drain_warn = 0;
		return 0;
	}
	if (now >= dev->drain_warn) {
		dev->drain_warn = now + DRAIN_WARN_S * hz;
		VDUSE_LOG_DRIVER(dev, dev, WARNING,
				 "waits for %u requests that its backend has not finished: "
				 "check the backend",
				 left);
	}
	return -EINPROGRESS;
}

void
vduse_drain_end(struct rte_vduse_dev *dev)
{
	uint16_t i;

	dev->drain_warn = 0;
	for (i = 0; i < dev->nb_vqs; i++)
		vduse_vq_drained(&dev->vqs[i]);
}
