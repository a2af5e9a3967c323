/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* The choice of the processors that run a device's interrupts. Thread: control. */
#ifndef VDUSE_AFFINITY_H
#define VDUSE_AFFINITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AFFINITY_CPUS_MAX 4096
/* Bytes of a mask as the kernel reads it: 8 digits for 32 processors, and commas. */
#define AFFINITY_MASK_MAX (AFFINITY_CPUS_MAX / 32 * 9 + 1)

/* EAL's use of a processor. */
enum affinity_use {
	AFFINITY_FREE,
	AFFINITY_MAIN,
	AFFINITY_WORKER,
	AFFINITY_USES,
};

/*
 * Chooses among nb processors, and writes a mask. It avoids all lcores if another processor is
 * left, else the worker lcores. If all processors but one are worker lcores, the driver runs on
 * that one: interrupts that cost the driver much (heavy) then go to the worker lcores, so that the
 * driver can submit meanwhile. Returns the length of the mask, 0 if there is no choice.
 */
size_t
vduse_affinity_mask(const enum affinity_use *uses, long nb, bool heavy, char *mask, size_t room);

/*
 * Whether a virtqueue's interrupts cost the driver much. Those of a disk complete requests. Those of
 * a receive virtqueue of a network driver that takes large packets receive them, with all that TCP
 * does then. Those of its other virtqueues only free what was sent, or end a command.
 */
bool
vduse_affinity_is_heavy(uint32_t device_id, uint64_t features, uint16_t nb_vqs, uint16_t index);

/*
 * Sets the affinity of a virtqueue's interrupts to the processors chosen above. By default the
 * kernel uses all of them, including those that busy-poll, where work waits for a scheduler tick.
 */
void
vduse_affinity_set(const char *name, uint16_t vq, bool heavy);

#endif /* VDUSE_AFFINITY_H */
