// SPDX-License-Identifier: GPL-2.0-only
// SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
/* Must a work queue that is not unbound say so? */
#include <linux/workqueue.h>

unsigned int probe(void);

unsigned int probe(void)
{
	return WQ_PERCPU;
}
