/* SPDX-License-Identifier: BSD-3-Clause */
/* What a kernel does between driver and device over the loopback. Main thread. */
#ifndef PERF_KERNEL_SIDE_H
#define PERF_KERNEL_SIDE_H

#include <rte_vduse_net.h>
#include <transport_loopback.h>

#include "driver_side.h"

/* The driver comes up: returns when all virtqueues run. 0, or a negative errno and a line. */
int
perf_kernel_up(struct vduse_loopback *loop, const struct perf_driver *driver, uint64_t features,
	       struct rte_vduse_net *net);

/* The driver resets the device. */
void
perf_kernel_down(struct vduse_loopback *loop);

#endif /* PERF_KERNEL_SIDE_H */
