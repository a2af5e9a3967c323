/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
#ifndef KERNEL_STUB_SIZES_H
#define KERNEL_STUB_SIZES_H

#define SZ_64K	0x10000
#define SZ_512K	0x80000

#endif
