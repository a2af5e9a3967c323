/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
#ifndef KERNEL_STUB_HIGHMEM_H
#define KERNEL_STUB_HIGHMEM_H

#include <linux/mm.h>

/* By the test, which counts the bytes. */
void
memcpy_page(struct page *to, size_t to_offset, struct page *from, size_t from_offset, size_t len);

#endif
