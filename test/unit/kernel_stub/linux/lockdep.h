/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
#ifndef KERNEL_STUB_LOCKDEP_H
#define KERNEL_STUB_LOCKDEP_H

#include <linux/spinlock.h>

#define lockdep_assert_held(lock)	((void)WARN_ON_ONCE(!READ_ONCE((lock)->held)))

#endif
