/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* Readers hold up a grace period, as in the kernel; each thread counts as a CPU. */
#ifndef KERNEL_STUB_RCUPDATE_H
#define KERNEL_STUB_RCUPDATE_H

void
rcu_read_lock(void);
void
rcu_read_unlock(void);
void
synchronize_rcu(void);

#endif
