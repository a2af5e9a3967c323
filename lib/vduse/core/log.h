/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Log lines of lib/vduse: each names the device first. Lines that a driver can cause repeatedly go
 * through the rate limit of its device.
 * Thread: any, including the polling threads.
 */
#ifndef VDUSE_LOG_H
#define VDUSE_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_log.h>

extern int vduse_logtype_dev;
extern int vduse_logtype_msg;
extern int vduse_logtype_iotlb;

/* VDUSE_LOG(dev, ERR, "net0", "cannot %s: %s", ...): the type is dev, msg or iotlb. */
#define VDUSE_LOG(type, level, name, fmt, ...)                                                     \
	rte_log(RTE_LOG_##level, vduse_logtype_##type, "VDUSE: %s: " fmt "\n", name, ##__VA_ARGS__)

/* A limit for the lines of one source: VDUSE_LOG_BURST at once, then one a second. */
#define VDUSE_LOG_BURST 64

struct vduse_log_rate {
	uint64_t full;       /* time at which the bucket is full, in timer cycles; atomic */
	uint32_t suppressed; /* lines since the last one that was written; atomic */
};

/* log.c: whether a line may be written; if so, logs how many were suppressed before it. */
bool
vduse_log_may(struct vduse_log_rate *rate, const char *name);

/* VDUSE_LOG() for what a driver can cause: rate is a struct vduse_log_rate *. */
#define VDUSE_LOG_RATED(rate, type, level, name, fmt, ...)                                         \
	do {                                                                                       \
		if (vduse_log_may(rate, name))                                                     \
			VDUSE_LOG(type, level, name, fmt, ##__VA_ARGS__);                          \
	} while (0)

#endif /* VDUSE_LOG_H */
