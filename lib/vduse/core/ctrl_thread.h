/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * The control thread: one per process, made with the first device and kept. In flow messages
 * of all devices and requests of other threads, out flow answers. What it owns no other
 * thread touches, so device state needs no lock.
 */
#ifndef VDUSE_CTRL_THREAD_H
#define VDUSE_CTRL_THREAD_H

struct rte_vduse_dev;

/* Runs call(dev) on the control thread and waits for its result; at once if this is it. */
int
vduse_ctrl_run(int (*call)(struct rte_vduse_dev *dev), struct rte_vduse_dev *dev);

/* Lets the control thread answer a device's messages. 0 or a negative errno. */
int
vduse_ctrl_add(struct rte_vduse_dev *dev);

/* Ends that. When this returns the control thread has forgotten the device. */
void
vduse_ctrl_remove(struct rte_vduse_dev *dev);

/* Makes the control thread look at virtqueues that reported a fault. Any thread. */
void
vduse_ctrl_wake(void);

/* Stops to listen to a device that is broken. Control thread. */
void
vduse_ctrl_silence(struct rte_vduse_dev *dev);

#endif /* VDUSE_CTRL_THREAD_H */
