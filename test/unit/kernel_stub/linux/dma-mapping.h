/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
#ifndef KERNEL_STUB_DMA_MAPPING_H
#define KERNEL_STUB_DMA_MAPPING_H

#include <linux/dma-direction.h>
#include <linux/types.h>

#define DMA_MAPPING_ERROR	(~(dma_addr_t)0)

#endif
