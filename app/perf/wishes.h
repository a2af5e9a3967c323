/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* The features that the internal driver needs from a device. Thread: main. */
#ifndef PERF_WISHES_H
#define PERF_WISHES_H

#include <stdint.h>

/* Feature bits, and the option that needs them. */
struct perf_wish {
	uint64_t features; /* or 0 */
	const char *option;
};

/* Returns all of them, or 0 after a line on stderr if the device does not offer one. */
uint64_t
perf_features(const struct perf_wish *wishes, unsigned int nb, uint64_t offered);

#endif /* PERF_WISHES_H */
