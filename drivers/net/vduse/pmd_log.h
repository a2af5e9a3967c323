/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* Logging of the net_vduse driver. Each line begins with the name of the port's device. */
#ifndef VDUSE_PMD_LOG_H
#define VDUSE_PMD_LOG_H

#include <rte_log.h>

extern int vduse_pmd_logtype;

/* VDUSE_PMD_LOG(ERR, "net_vduse0", "cannot %s", ...) */
#define VDUSE_PMD_LOG(level, name, fmt, ...)                                                       \
	rte_log(RTE_LOG_##level, vduse_pmd_logtype, "VDUSE_PMD: %s: " fmt "\n", name, ##__VA_ARGS__)

#endif /* VDUSE_PMD_LOG_H */
