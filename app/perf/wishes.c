/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * See wishes.h. Input: the features that the options need and those that the device offers.
 * Output: the features that the driver negotiates. Thread: main.
 */
#include "wishes.h"
#include "perf_log.h"

uint64_t
perf_features(const struct perf_wish *wishes, unsigned int nb, uint64_t offered)
{
	uint64_t features = 0;
	unsigned int i;

	for (i = 0; i < nb; i++) {
		if (wishes[i].features & ~offered) {
			PERF_LOG("%s: the device does not offer that yet", wishes[i].option);
			return 0;
		}
		features |= wishes[i].features;
	}
	return features;
}
