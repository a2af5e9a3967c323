/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
#ifndef KERNEL_STUB_MM_H
#define KERNEL_STUB_MM_H

#include <linux/gfp.h>
#include <linux/kernel.h>
#include <linux/log2.h>
#include <linux/mm_types.h>
#include <linux/sched.h>

#define HPAGE_PMD_ORDER		9
#define IS_ENABLED(option)	0
#define BUILD_BUG_ON(x)		_Static_assert(!(x), #x)

#define offset_in_page(offset)	((offset) & (PAGE_SIZE - 1))
#define page_address(page)	((page)->va)
#define compound_order(page)	((page)->order)
#define get_page(page)		((page)->nr_users++)
#define phys_to_virt(phys)	((void *)(phys))

/* By the test. */
void
put_page(struct page *page);

#endif
