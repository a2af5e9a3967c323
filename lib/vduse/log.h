/* SPDX-License-Identifier: BSD-3-Clause */
/* Log lines of lib/vduse: each names the device first. */
#ifndef VDUSE_LOG_H
#define VDUSE_LOG_H

#include <rte_log.h>

extern int vduse_logtype_dev;
extern int vduse_logtype_msg;
extern int vduse_logtype_iotlb;

/* VDUSE_LOG(dev, ERR, "net0", "cannot %s: %s", ...): the type is dev, msg or iotlb. */
#define VDUSE_LOG(type, level, name, fmt, ...)                                                     \
	rte_log(RTE_LOG_##level, vduse_logtype_##type, "VDUSE: %s: " fmt "\n", name, ##__VA_ARGS__)

#endif /* VDUSE_LOG_H */
