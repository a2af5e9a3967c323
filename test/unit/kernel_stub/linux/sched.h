/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
#ifndef KERNEL_STUB_SCHED_H
#define KERNEL_STUB_SCHED_H

#include <linux/kernel.h>

#define current				NULL
#define fatal_signal_pending(task)	((void)(task), false)

/* The test looks at what was done since the last call, and uses the bounce memory. */
void
cond_resched(void);

#endif
