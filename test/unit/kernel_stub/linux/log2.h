/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
#ifndef KERNEL_STUB_LOG2_H
#define KERNEL_STUB_LOG2_H

#include <linux/kernel.h>

#define ilog2(x)	(63 - __builtin_clzll(x))
#define __ffs(x)	__builtin_ctzl(x)

#endif
