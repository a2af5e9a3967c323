/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * The control thread: one per process, started with the first device and kept. It serves the
 * messages of all devices and runs calls for other threads. Device state belongs to it alone and
 * so needs no lock.
 * Thread: any, unless a function says otherwise.
 */
#ifndef VDUSE_CTRL_THREAD_H
#define VDUSE_CTRL_THREAD_H

#include <stdbool.h>

#include <rte_common.h>

struct rte_vduse_dev;
struct rte_vduse_vq;

/*
 * Runs call(dev) on the control thread and returns its result; runs it directly if the caller is
 * the control thread. A call that returns -EINPROGRESS is repeated until it returns another value.
 */
int
vduse_ctrl_run(int (*call)(struct rte_vduse_dev *dev), struct rte_vduse_dev *dev);

/* Makes the control thread serve a device's messages. Returns 0 or a negative errno. */
int
vduse_ctrl_add(struct rte_vduse_dev *dev);

/*
 * Stops to serve the messages of a device, which wait, and its virtqueues, or goes on. Nothing is
 * deferred. Thread: control.
 */
void
vduse_ctrl_pause(struct rte_vduse_dev *dev, bool on);

/* Ends that. After it returns, the control thread does not access the device. */
void
vduse_ctrl_remove(struct rte_vduse_dev *dev);

/*
 * Makes the control thread call serve of a virtqueue whenever its driver kicks it. Returns 0 or a
 * negative errno. Thread: control.
 */
int
vduse_ctrl_kicks_add(struct rte_vduse_vq *vq);

/* Ends that, before the kick fd is closed. Thread: control. */
void
vduse_ctrl_kicks_remove(struct rte_vduse_vq *vq);

/* Wakes the control thread, which then serves misses and posted calls of all virtqueues. */
void
vduse_ctrl_wake(void);

/* The earlier one of two times from now, of which -1 is never. */
static inline int
vduse_ctrl_sooner(int ms, int other)
{
	if (ms < 0 || other < 0)
		return RTE_MAX(ms, other);
	return RTE_MIN(ms, other);
}

#endif /* VDUSE_CTRL_THREAD_H */
