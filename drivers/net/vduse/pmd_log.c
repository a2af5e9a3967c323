/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* Registers the log type pmd.net.vduse. In a file of its own, because unit tests need it too. */
#include <rte_common.h>

#include "pmd_log.h"

RTE_LOG_REGISTER(vduse_pmd_logtype, pmd.net.vduse, NOTICE);
