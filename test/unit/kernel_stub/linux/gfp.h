/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
#ifndef KERNEL_STUB_GFP_H
#define KERNEL_STUB_GFP_H

#include <linux/mm_types.h>
#include <linux/types.h>

#define GFP_KERNEL		0x01U
#define __GFP_ACCOUNT		0x02U
#define GFP_KERNEL_ACCOUNT	(GFP_KERNEL | __GFP_ACCOUNT)
#define __GFP_ZERO		0x04U
#define __GFP_COMP		0x08U
#define __GFP_NOWARN		0x10U
#define __GFP_NORETRY		0x20U

/* By the test. */
struct page *
alloc_pages_node(int node, gfp_t gfp, unsigned int order);

#endif
