/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* The kernel's part between driver and device over the loopback. Thread: main. */
#ifndef PERF_KERNEL_SIDE_H
#define PERF_KERNEL_SIDE_H

#include <rte_vduse.h>
#include <vduse/loopback/loopback.h>

#include "driver_memory.h"
#include "ring.h"

/* Sets the addresses of a virtqueue. Call it before the driver comes up. */
void
perf_kernel_vq(struct vduse_loopback *loop, uint16_t index, const struct perf_ring *ring);

/* Brings the driver up. Returns when all virtqueues run: 0, or a negative errno after one line. */
int
perf_kernel_up(struct vduse_loopback *loop, const struct perf_memory *memory, uint64_t features,
	       struct rte_vduse_dev *dev, uint16_t nb_vqs);

/* The driver resets the device. */
void
perf_kernel_down(struct vduse_loopback *loop);

#endif /* PERF_KERNEL_SIDE_H */
