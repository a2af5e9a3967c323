/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* The log type pmd.net.vduse, for every file of the driver and for the tests of its parts. */
#include <rte_common.h>

#include "pmd_log.h"

RTE_LOG_REGISTER(vduse_pmd_logtype, pmd.net.vduse, NOTICE);
