/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * See progress.h. Input: the device's counters. Output: rates since the previous line.
 */
#include <stdio.h>
#include <unistd.h>

#include <rte_vduse_compat.h>

#include "progress.h"

void
perf_progress_begin(struct perf_progress *progress, const struct perf_options *options)
{
	*progress = (struct perf_progress){
		.options = options,
		.terminal = isatty(STDERR_FILENO) != 0,
		.begin = rte_rdtsc(),
		.last = rte_rdtsc(),
	};
}

static void
progress_line(struct perf_progress *progress, const struct perf_flow *flows, uint64_t now)
{
	double hz = (double)rte_get_tsc_hz(), seconds = (double)(now - progress->last) / hz;
	bool block = progress->options->mode == PERF_MODE_BLOCK;
	double mpps[PERF_FLOWS];
	unsigned int i;

	for (i = 0; i < PERF_FLOWS; i++) {
		uint64_t packets =
			rte_atomic_load_explicit(&flows[i].packets, rte_memory_order_relaxed);

		mpps[i] = (double)(packets - progress->packets[i]) / seconds / 1e6;
		progress->packets[i] = packets;
	}
	fprintf(stderr, "%s%5.0f s  %s %7.3f %s  %s %7.3f %s%s", progress->terminal ? "\r" : "",
		(double)(now - progress->begin) / hz, block ? "write" : "from driver",
		mpps[PERF_FROM], block ? "MIOPS" : "Mpps", block ? "read" : "to driver",
		mpps[PERF_TO], block ? "MIOPS" : "Mpps", progress->terminal ? "" : "\n");
	progress->last = now;
}

void
perf_progress_tick(struct perf_progress *progress, const struct perf_flow *flows)
{
	uint64_t now = rte_rdtsc();

	if ((progress->terminal || progress->options->progress) &&
	    now - progress->last >= rte_get_tsc_hz())
		progress_line(progress, flows, now);
}

void
perf_progress_end(struct perf_progress *progress)
{
	if (progress->terminal && progress->last != progress->begin)
		fputc('\n', stderr);
}
