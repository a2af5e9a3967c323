/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* The driver's memory: one file that both sides map. Thread: main. */
#ifndef PERF_DRIVER_MEMORY_H
#define PERF_DRIVER_MEMORY_H

#include <stdint.h>

/* Its first address in the driver's address space. */
#define PERF_DRIVER_IOVA UINT64_C(0x100000000)

struct perf_memory {
	int fd;
	uint64_t size;
	uint8_t *va;
};

/* Allocates zeroed memory, in huge pages if EAL uses them. 0, or a negative errno after a line. */
int
perf_memory_create(struct perf_memory *memory, uint64_t size);

/* No-op on a zeroed struct. */
void
perf_memory_free(struct perf_memory *memory);

#endif /* PERF_DRIVER_MEMORY_H */
