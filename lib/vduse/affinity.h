/* SPDX-License-Identifier: BSD-3-Clause */
/* Which processors take a device's interrupts. Control thread. */
#ifndef VDUSE_AFFINITY_H
#define VDUSE_AFFINITY_H

#include <stdint.h>

/*
 * The kernel spreads the interrupts of a virtqueue over all processors, those included that
 * busy-poll: work queued there waits for a scheduler tick. Takes the lcores out, or at least
 * the worker lcores, if a processor is left.
 */
void
vduse_affinity_spare_lcores(const char *name, uint16_t vq);

#endif /* VDUSE_AFFINITY_H */
