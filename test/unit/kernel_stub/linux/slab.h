/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KERNEL_STUB_SLAB_H
#define KERNEL_STUB_SLAB_H

#include <stdlib.h>

#include <linux/kernel.h>

#define GFP_KERNEL		0
#define GFP_KERNEL_ACCOUNT	0
#define kvzalloc(size, gfp)	((void)(gfp), calloc(1, size))
#define kvfree(ptr)		free(ptr)
#define struct_size(ptr, member, count) \
	(sizeof(*(ptr)) + (count) * sizeof(*(ptr)->member))

#endif
