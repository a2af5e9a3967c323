/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* Prints one line a second on stderr while the lcores poll. Thread: the conductor. */
#ifndef PERF_PROGRESS_H
#define PERF_PROGRESS_H

#include "bench.h"

struct perf_progress {
	const struct perf_options *options;
	bool terminal; /* the line is overwritten */
	uint64_t begin;
	uint64_t last;
	uint64_t packets[PERF_FLOWS]; /* at that time */
};

void
perf_progress_begin(struct perf_progress *progress, const struct perf_options *options);

/* Writes the line if a second has passed since the last one. */
void
perf_progress_tick(struct perf_progress *progress, const struct perf_flow *flows);

void
perf_progress_end(struct perf_progress *progress);

#endif /* PERF_PROGRESS_H */
