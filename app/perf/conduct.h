/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* Runs a measurement: starts the polling lcores, measures, stops them. */
#ifndef PERF_CONDUCT_H
#define PERF_CONDUCT_H

#include "bench.h"
#include "result.h"

#define PERF_SIDES 2

/* A side. Its functions are called by the lcore that polls it. */
struct perf_side {
	void (*begin)(void *arg); /* or NULL */
	void (*turn)(void *arg);  /* once for each queue; until the phase is PERF_STOP */
	void (*end)(void *arg);   /* or NULL */
	void *arg;
};

/* A measurement: the sides that poll, and their counters. */
struct perf_conduct {
	struct perf_bench *bench;
	struct perf_side sides[PERF_SIDES]; /* the device, and the driver if it is internal */
	unsigned int nb_sides;
	const struct perf_flow *device; /* PERF_FLOWS counters, which are measured */
	/* Over the loopback only. */
	const struct perf_flow *sent[PERF_FLOWS];
	const struct perf_flow *received[PERF_FLOWS];
	const struct perf_histogram *latency[PERF_FLOWS]; /* or NULL */
	/* Called after the lcores start and before they stop, or NULL. 0, or -errno after a line. */
	int (*begin)(void *arg);
	void (*end)(void *arg);
	void *arg;
};

/* Runs a measurement. 0, or a negative errno after a line on stderr. Thread: main. */
int
perf_conduct(const struct perf_conduct *conduct, struct perf_result *result);

/* Sleeps until ready() returns true, or the measurement is interrupted. For use by begin. */
void
perf_conduct_wait(bool (*ready)(void *arg), void *arg);

/* Ends the measurement early. Async-signal-safe. */
void
perf_conduct_interrupt(void);

#endif /* PERF_CONDUCT_H */
