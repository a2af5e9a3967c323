/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
#ifndef KERNEL_STUB_KERNEL_H
#define KERNEL_STUB_KERNEL_H

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <linux/types.h>

/* The build sets the page size: kernels differ in it. */
#define PAGE_SHIFT	KERNEL_STUB_PAGE_SHIFT
#define PAGE_SIZE	(1UL << PAGE_SHIFT)

#define READ_ONCE(x)			__atomic_load_n(&(x), __ATOMIC_RELAXED)
#define WRITE_ONCE(x, value)		__atomic_store_n(&(x), value, __ATOMIC_RELAXED)
#define smp_load_acquire(ptr)		__atomic_load_n(ptr, __ATOMIC_ACQUIRE)
#define smp_store_release(ptr, value)	__atomic_store_n(ptr, value, __ATOMIC_RELEASE)

#define likely(x)		__builtin_expect(!!(x), 1)
#define unlikely(x)		__builtin_expect(!!(x), 0)
#define min_t(type, a, b)	((type)(a) < (type)(b) ? (type)(a) : (type)(b))
#define max_t(type, a, b)	((type)(a) > (type)(b) ? (type)(a) : (type)(b))
#define round_up(x, y)		(((x) + (y) - 1) & ~((__typeof__(x))(y) - 1))
#undef __counted_by /* the headers of the C library may have one */
#define __counted_by(x)

/* What the kernel only warns of is the end of a test. */
#define WARN_ON_ONCE(x)		((x) ? (abort(), true) : false)

#define container_of(ptr, type, member) \
	((type *)(void *)((char *)(ptr) - offsetof(type, member)))

#endif
