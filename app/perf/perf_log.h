/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* A line on stderr for the user. Never on a lcore that polls. */
#ifndef PERF_LOG_H
#define PERF_LOG_H

#include <stdio.h>

#define PERF_LOG(fmt, ...) fprintf(stderr, "dpdk-vduse-perf: " fmt "\n", ##__VA_ARGS__)

#endif /* PERF_LOG_H */
