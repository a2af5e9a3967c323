/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
#ifndef KERNEL_STUB_MM_TYPES_H
#define KERNEL_STUB_MM_TYPES_H

struct page {
	void *va;
	unsigned int order;	/* of the first page of a piece */
	unsigned int nr_users;
};

#endif
