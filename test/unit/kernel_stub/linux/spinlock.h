/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* Spin locks that yield: threads of a test outnumber the processors. */
#ifndef KERNEL_STUB_SPINLOCK_H
#define KERNEL_STUB_SPINLOCK_H

#include <sched.h>

#include <linux/kernel.h>

typedef struct {
	bool held;
} spinlock_t;

static inline void
spin_lock_init(spinlock_t *lock)
{
	__atomic_store_n(&lock->held, false, __ATOMIC_RELAXED);
}

static inline void
spin_lock(spinlock_t *lock)
{
	while (__atomic_exchange_n(&lock->held, true, __ATOMIC_ACQUIRE))
		sched_yield();
}

static inline void
spin_unlock(spinlock_t *lock)
{
	__atomic_store_n(&lock->held, false, __ATOMIC_RELEASE);
}

#define spin_lock_irq(lock)			spin_lock(lock)
#define spin_unlock_irq(lock)			spin_unlock(lock)
#define spin_lock_irqsave(lock, flags)		((flags) = 0, spin_lock(lock))
#define spin_unlock_irqrestore(lock, flags)	((void)(flags), spin_unlock(lock))

#endif
