/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Kernel headers for unit tests of kernel code in user space. Each header of this folder has only
 * what the code under test uses, with the meaning that it has in the kernel.
 */
#ifndef KERNEL_STUB_TYPES_H
#define KERNEL_STUB_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the C library's headers take from the real one. */
#include_next <linux/types.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef uintptr_t phys_addr_t;
typedef uint64_t dma_addr_t;
typedef unsigned int gfp_t;

#endif
