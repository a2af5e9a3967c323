/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* Which processors take a device's interrupts. Control thread. */
#ifndef VDUSE_AFFINITY_H
#define VDUSE_AFFINITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AFFINITY_CPUS_MAX 4096
/* Room for a mask of them as the kernel reads it: 8 digits for 32 processors, and commas. */
#define AFFINITY_MASK_MAX (AFFINITY_CPUS_MAX / 32 * 9 + 1)

/* What a processor does for EAL. */
enum affinity_use {
	AFFINITY_FREE,
	AFFINITY_MAIN,
	AFFINITY_WORKER,
	AFFINITY_USES,
};

/*
 * Chooses among nb processors, and writes a mask. The lcores are spared, or at least the worker
 * lcores, if a processor is left. Where all but one are worker lcores, that one is the driver's:
 * the interrupts of a disk, which are the end of requests, then go to the lcores, so that the
 * driver can send meanwhile. Returns the mask's length, 0 if there is nothing to choose.
 */
size_t
vduse_affinity_mask(const enum affinity_use *uses, long nb, bool disk, char *mask, size_t room);

/*
 * The kernel spreads the interrupts of a virtqueue over all processors, those included that
 * busy-poll: work queued there waits for a scheduler tick. Has it take the ones chosen above.
 */
void
vduse_affinity_set(const char *name, uint16_t vq, bool disk);

#endif /* VDUSE_AFFINITY_H */
