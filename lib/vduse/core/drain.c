/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Waits for requests in flight without holding up the control thread: their backend may take as
 * long as the driver or a disk likes, and other devices want answers meanwhile.
 * Input: a device whose memory or virtqueues are about to change. Output: whether it may.
 * Thread: control.
 */
#include <errno.h>

#include <rte_cycles.h>

#include <vduse/core/device.h>
#include <vduse/core/log.h>

/* Most requests are finished within that time; who asks again later looks once each time. */
#define DRAIN_SPIN_US 200
#define DRAIN_WARN_S  5

static unsigned int
drain_look(struct rte_vduse_dev *dev, uint16_t first, uint16_t nb, bool stop)
{
	unsigned int left = 0;
	uint16_t i;

	for (i = first; i < first + nb; i++)
		left += vduse_vq_drain(&dev->vqs[i], stop);
	return left;
}

static void
drain_warn(struct rte_vduse_dev *dev, unsigned int left)
{
	uint64_t now = rte_get_timer_cycles();

	if (now < dev->drain_warn)
		return;
	dev->drain_warn = now + DRAIN_WARN_S * rte_get_timer_hz();
	VDUSE_LOG_DRIVER(dev, dev, WARNING,
			 "waits for %u requests that its backend has not finished: "
			 "see whether it works",
			 left);
}

int
vduse_drain(struct rte_vduse_dev *dev, uint16_t first, uint16_t nb, bool stop)
{
	uint64_t hz = rte_get_timer_hz(), now = rte_get_timer_cycles(), end = now;
	unsigned int left;

	if (dev->drain_warn == 0) {
		end += hz * DRAIN_SPIN_US / US_PER_S;
		dev->drain_warn = now + DRAIN_WARN_S * hz;
	}
	do {
		left = drain_look(dev, first, nb, stop);
	} while (left > 0 && rte_get_timer_cycles() < end);
	if (left > 0) {
		drain_warn(dev, left);
		return -EINPROGRESS;
	}
	dev->drain_warn = 0;
	return 0;
}

void
vduse_drain_end(struct rte_vduse_dev *dev)
{
	uint16_t i;

	dev->drain_warn = 0;
	for (i = 0; i < dev->nb_vqs; i++)
		vduse_vq_drained(&dev->vqs[i]);
}
