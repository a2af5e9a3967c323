/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KERNEL_STUB_KERNEL_H
#define KERNEL_STUB_KERNEL_H

#include <string.h>

#include <linux/types.h>

/* The build sets the page size: kernels differ in it. */
#define PAGE_SIZE	(1UL << KERNEL_STUB_PAGE_SHIFT)

#define READ_ONCE(x)	__atomic_load_n(&(x), __ATOMIC_RELAXED)
#define likely(x)	__builtin_expect(!!(x), 1)
#define __counted_by(x)

#define container_of(ptr, type, member) \
	((type *)(void *)((char *)(ptr) - offsetof(type, member)))

#endif
