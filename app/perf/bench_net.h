/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* A measurement of network virtqueues: both sides and their connection. */
#ifndef PERF_BENCH_NET_H
#define PERF_BENCH_NET_H

#include <vduse/loopback/loopback.h>

#include "device_side.h"
#include "driver_side.h"
#include "result.h"

struct perf_net {
	struct perf_bench bench;
	struct perf_device device;
	struct perf_driver driver;   /* over the loopback only */
	struct vduse_loopback *loop; /* or NULL */
};

/*
 * Sets up, measures and cleans up; calls done with the result before cleaning up. Returns the result
 * of done, or a negative errno after a line on stderr.
 */
int
perf_net_run(const struct perf_options *options, int (*done)(const struct perf_result *result));

#endif /* PERF_BENCH_NET_H */
