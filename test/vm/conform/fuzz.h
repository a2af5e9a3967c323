/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* Random arguments, and the random calls of a vhost_vdpa user. */
#ifndef CONFORM_FUZZ_H
#define CONFORM_FUZZ_H

#include <stdint.h>

/* Small numbers, powers of two, limits: those that code looks at. */
uint64_t
fuzz_pick(unsigned int *seed);
/* Most of them zero. */
void
fuzz_fill(uint64_t *words, unsigned int nb, unsigned int *seed);

/* A user of vhost_vdpa, until it closes the file. */
void
fuzz_vhost(int vhost, unsigned int *seed);

/* One attribute or counter of the device, read or set, if it is there. */
void
fuzz_attribute(unsigned int *seed);

#endif
