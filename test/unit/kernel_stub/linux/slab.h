/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
#ifndef KERNEL_STUB_SLAB_H
#define KERNEL_STUB_SLAB_H

#include <stdlib.h>

#include <linux/gfp.h>
#include <linux/kernel.h>

#define kvzalloc(size, gfp)		((void)(gfp), calloc(1, size))
#define kvcalloc(nr, size, gfp)		((void)(gfp), calloc(nr, size))
#define kvmalloc_array(nr, size, gfp)	((void)(gfp), calloc(nr, size))
#define kvfree(ptr)			free(ptr)
#define struct_size(ptr, member, count) \
	(sizeof(*(ptr)) + (count) * sizeof(*(ptr)->member))

#endif
