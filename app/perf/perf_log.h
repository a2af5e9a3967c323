/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* Prints a line on stderr. Do not use it on a polling lcore. */
#ifndef PERF_LOG_H
#define PERF_LOG_H

#include <stdio.h>

#define PERF_LOG(fmt, ...) fprintf(stderr, "dpdk-vduse-perf: " fmt "\n", ##__VA_ARGS__)

#endif /* PERF_LOG_H */
