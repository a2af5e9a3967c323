// SPDX-License-Identifier: GPL-2.0-only
// SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
/*
 * The bodies of the tracepoints.
 */
#define CREATE_TRACE_POINTS
#include "trace.h"
